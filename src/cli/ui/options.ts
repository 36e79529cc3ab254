// Readers of option values. What they refuse is wrong usage: exit code 2.

import { InvalidArgumentError } from "commander";

/** A whole number of at least `min` (and at most `max`). */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
	const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
	return (text) => {
		const value = toNumber(text);
		if (Number.isInteger(value) && value >= min && value <= max) return value;
		throw new InvalidArgumentError(`It must be a whole number ${range}.`);
	};
}

/** A finite number from `min` to `max`. */
export function numberBetween(min: number, max = Number.POSITIVE_INFINITY): (text: string) => number {
	const range = max === Number.POSITIVE_INFINITY ? `of at least ${min}` : `from ${min} to ${max}`;
	return (text) => {
		const value = toNumber(text);
		if (Number.isFinite(value) && value >= min && value <= max) return value;
		throw new InvalidArgumentError(`It must be a number ${range}.`);
	};
}

/** `auto`, or how many threads share the work. */
export function threadCount(text: string): "auto" | number {
	if (text === "auto") return text;
	const count = toNumber(text);
	if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
	throw new InvalidArgumentError("It must be auto or a whole number from 1 to 64.");
}

/** Numbers separated by commas: `1,0.5,-2`. */
export function numberList(text: string): number[] {
	const values = text.split(",").map(toNumber);
	if (values.every(Number.isFinite)) return values;
	throw new InvalidArgumentError("It must be numbers separated by commas, as in 1,0.5,-2.");
}

function toNumber(text: string): number {
	return text.trim() === "" ? Number.NaN : Number(text);
}
