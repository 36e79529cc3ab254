// The two 16-bit floats, to and from float32, as integers of their bits.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The value of an IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits). Exact. */
export function halfToFloat(half: number): number {
	const sign = half & 0x8000 ? -1 : 1;
	const exponent = (half >> 10) & 31;
	const fraction = half & 1023;
	if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
	if (exponent === 0) return sign * fraction * 2 ** -24;
	return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The binary16 nearest to `value` (a float32), ties to even; beyond 65,504 by half a step or more: infinity. */
export function floatToHalf(value: number): number {
	float[0] = value;
	const sign = (bits[0] >>> 16) & 0x8000;
	const magnitude = Math.abs(float[0]);
	if (Number.isNaN(magnitude)) return sign | 0x7e00;
	if (magnitude >= 65520) return sign | 0x7c00;
	// Steps between neighbors: 2^-24 below 2^-14, then 2^(exponent - 10).
	const exponent = Math.max(-14, ((bits[0] >>> 23) & 255) - 127);
	const steps = roundToEven(magnitude * 2 ** (10 - exponent));
	// The leading one that normal numbers leave out adds one to the exponent; a fraction that rounds up to 2048 another.
	return sign | (((exponent + 14) << 10) + steps);
}

/** The value of a bfloat16: the upper half of a float32. Exact. */
export function bfloatToFloat(bfloat: number): number {
	bits[0] = bfloat << 16;
	return float[0];
}

/** The bfloat16 nearest to `value` (a float32), ties to even. */
export function floatToBfloat(value: number): number {
	float[0] = value;
	if (Number.isNaN(value)) return ((bits[0] >>> 16) & 0x8000) | 0x7fc0;
	return (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16;
}

function roundToEven(value: number): number {
	const floor = Math.floor(value);
	const rest = value - floor;
	return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
