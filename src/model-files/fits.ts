// Whether numbers fit a floating type: finite ones must stay finite.

import { check } from "../errors.ts";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./half.ts";

/** Numbers as floats of 32 and 16 bits hold them. */
export const rounded = {
	f32: Math.fround,
	f16: (value: number) => halfToFloat(floatToHalf(value)),
	bf16: (value: number) => bfloatToFloat(floatToBfloat(value)),
} as const;

/**
 * @param what the tensor, as errors name it
 * @param type its type, as errors name it
 * @param round a number as the type holds it
 * @param remedy the way out
 * @throws EvenkeelError naming the first value that is finite and would not be
 */
export function checkFits(
	what: string,
	values: ArrayLike<number>,
	type: string,
	round: (value: number) => number,
	remedy: string,
): void {
	const bad = Array.prototype.find.call(values, (value) => Number.isFinite(value) && !Number.isFinite(round(value)));
	check(bad === undefined, () => `${what} holds ${bad}, which is too large for ${type}; ${remedy}`);
}
