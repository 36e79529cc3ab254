// Floats of eight bits, to and from float32. So few values are a table: its construction is the definition.

/** How the bits of an 8-bit float are to be read. */
interface SmallFormat {
	readonly exponentBits: number;
	readonly fractionBits: number;
	readonly bias: number;
	/**
	 * What stands beside the numbers: `ieee` has infinities and NaNs in the highest exponent, `fn` a NaN
	 * where all bits but the sign are set, `fnuz` one NaN in place of -0.
	 */
	readonly special: "ieee" | "fn" | "fnuz";
}

/** The 8-bit floats with a sign, by their names in safetensors. */
const formats = {
	F8_E4M3: { exponentBits: 4, fractionBits: 3, bias: 7, special: "fn" },
	F8_E5M2: { exponentBits: 5, fractionBits: 2, bias: 15, special: "ieee" },
	F8_E4M3FNUZ: { exponentBits: 4, fractionBits: 3, bias: 8, special: "fnuz" },
	F8_E5M2FNUZ: { exponentBits: 5, fractionBits: 2, bias: 16, special: "fnuz" },
} as const satisfies Record<string, SmallFormat>;

/** The 8-bit floats. `F8_E8M0` has no sign and no fraction: powers of two, for scales. */
export type SmallFloat = keyof typeof formats | "F8_E8M0";

const tables = new Map<SmallFloat, Float32Array>();

/**
 * The values of all 256 bit patterns.
 * @see https://arxiv.org/abs/2209.05433 for E4M3 and E5M2, https://arxiv.org/abs/2206.02915 for FNUZ, and the OCP
 *   Microscaling Formats (MX) specification 1.0 for E8M0
 */
export function smallFloatValues(format: SmallFloat): Float32Array {
	let table = tables.get(format);
	if (!table) {
		table = Float32Array.from({ length: 256 }, (_, bits) => valueOfBits(bits, format));
		tables.set(format, table);
	}
	return table;
}

function valueOfBits(bits: number, format: SmallFloat): number {
	if (format === "F8_E8M0") return bits === 255 ? Number.NaN : 2 ** (bits - 127);
	const { exponentBits, fractionBits, bias, special }: SmallFormat = formats[format];
	const sign = bits & 0x80 ? -1 : 1;
	const exponent = (bits & 0x7f) >> fractionBits;
	const fraction = bits & ((1 << fractionBits) - 1);
	if (special === "fnuz" && bits === 0x80) return Number.NaN;
	if (special === "fn" && (bits & 0x7f) === 0x7f) return Number.NaN;
	if (special === "ieee" && exponent === (1 << exponentBits) - 1) {
		return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
	}
	const one = 1 << fractionBits;
	return exponent === 0
		? sign * (fraction / one) * 2 ** (1 - bias)
		: sign * (1 + fraction / one) * 2 ** (exponent - bias);
}

/**
 * The bits of the float nearest to `value`, ties to the even pattern. What is too large becomes infinity where there
 * is one, else NaN, as PyTorch has it; a negative number in E8M0 becomes NaN.
 */
export function toSmallFloat(value: number, format: SmallFloat): number {
	const table = smallFloatValues(format);
	if (format === "F8_E8M0") return value > 0 || Object.is(value, 0) ? nearest(table, value, 254, 255) : 255;
	const { special }: SmallFormat = formats[format];
	const nan = special === "fnuz" ? 0x80 : 0x7f;
	if (Number.isNaN(value)) return nan;
	const largest = special === "ieee" ? 0x7b : special === "fn" ? 0x7e : 0x7f;
	const bits = nearest(table, Math.abs(value), largest, special === "ieee" ? 0x7c : -1);
	if (bits === -1) return nan;
	const negative = value < 0 || Object.is(value, -0);
	return negative && !(special === "fnuz" && bits === 0) ? bits | 0x80 : bits;
}

/** The pattern from 0 to `largest`, among which values rise, that is nearest to `value`; `beyond` if it is too large. */
function nearest(table: Float32Array, value: number, largest: number, beyond: number): number {
	let [low, high] = [0, largest];
	if (value >= table[largest]) {
		// Halfway to where the next value would be, even if there is none. Powers of two double.
		const step = table[largest] - table[largest - 1];
		const limit = table[largest] + (2 * step === table[largest] ? step : step / 2);
		return value < limit || (value === limit && largest % 2 === 0) ? largest : beyond;
	}
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if (table[middle] <= value) low = middle;
		else high = middle;
	}
	const [below, above] = [value - table[low], table[high] - value];
	return below < above || (below === above && low % 2 === 0) ? low : high;
}
