// Numbers short enough for a table.

/** Four digits that count; a true minus sign. */
export function formatValue(value: number): string {
	if (value === 0) return "0";
	const size = Math.abs(value);
	const text = size >= 1e5 || size < 1e-3 ? scientific(value) : String(Number(value.toPrecision(4)));
	return text.replace("-", "−");
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 1.234×10⁻⁵ */
function scientific(value: number): string {
	const [digits, exponent] = value.toExponential(2).split("e");
	const power = [...exponent.replace("+", "")].map((sign) => (sign === "-" ? "⁻" : superscripts[Number(sign)]));
	return `${Number(digits)}×10${power.join("")}`;
}

/** For a field: `1.234e-5` can be typed back. */
export function editableValue(value: number): string {
	const text = String(Number(value.toPrecision(4)));
	return text.replace("e+", "e");
}

/** What was typed, or null if it is no number. Takes a true minus sign and a decimal comma too. */
export function parseValue(text: string): number | null {
	const plain = text.trim().replace("−", "-").replace(",", ".");
	if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
	const value = Number(plain);
	return Number.isFinite(value) ? value : null;
}

/** The value one notch up or down: a tenth of its leading digit's place. */
export function nudge(value: number, direction: 1 | -1): number {
	const notch = value === 0 ? 0.1 : 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
	return Number((value + direction * notch).toPrecision(12));
}
