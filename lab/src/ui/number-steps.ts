// The values that a number field steps through.

/** 1, 2, 5, 10, … · 1, 2, 4, 8, … · equal distances. */
export type Steps = "decades" | "doubling" | number;

/** The next value above (`way` 1) or below, kept within the range. */
export function nextValue(
	value: number,
	way: 1 | -1,
	steps: Steps,
	{ least, most }: { readonly least: number; readonly most: number },
): number {
	const next = typeof steps === "number" ? evenly(value, way, steps) : alongScale(value, way, steps);
	return Math.min(most, Math.max(least, next));
}

function evenly(value: number, way: 1 | -1, distance: number): number {
	const at = value / distance;
	const next = way > 0 ? Math.floor(at + 1e-9) + 1 : Math.ceil(at - 1e-9) - 1;
	return round(next * distance);
}

function alongScale(value: number, way: 1 | -1, steps: "decades" | "doubling"): number {
	// Below the least of them there is zero, and above zero the least.
	if (value <= 0) return way > 0 ? 1 : 0;
	const marks = steps === "doubling" ? powersOfTwo : decades;
	const beyond = 1 + way * 1e-9;
	const found = way > 0 ? marks.find((mark) => mark > value * beyond) : marks.findLast((mark) => mark < value * beyond);
	return found ?? value;
}

const powersOfTwo = Array.from({ length: 24 }, (_, i) => 2 ** i);
const decades = Array.from({ length: 15 }, (_, i) => i - 7).flatMap((power) =>
	[1, 2, 5].map((first) => Number(`${first}e${power}`)),
);

function round(value: number): number {
	return Number(value.toPrecision(12));
}

/** A number as short as it goes without losing what was typed. */
export function format(value: number): string {
	return String(round(value));
}
