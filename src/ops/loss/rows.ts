// What losses over classes share: one prediction is a row of C values, and each row has a label.

import { check, EvenkeelError } from "../../errors.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkFloat, checkTensor } from "../op.ts";

/** How the losses of single rows or elements become the result. */
export type Reduction = "mean" | "sum" | "none";

/** The geometry of predictions `[N, C, d1, …]`: `batch` x `inner` rows of `classes` values, `inner` apart. */
export interface Rows {
	readonly batch: number;
	readonly classes: number;
	/** d1 * d2 * …, 1 for `[N, C]`. */
	readonly inner: number;
	/** `batch * inner`, as many as there are labels. */
	readonly count: number;
	/** The label whose rows count for nothing; {@link NO_LABEL} where there is none. */
	readonly ignore: number;
}

/** Stands for "no label is ignored". Out of range for a label, which is checked, so that it never matches. */
export const NO_LABEL = -2147483648;

export function checkReduction(op: string, reduction: string): asserts reduction is Reduction {
	check(
		reduction === "mean" || reduction === "sum" || reduction === "none",
		() => `${op}: reduction must be "mean", "sum" or "none", got "${reduction}"`,
	);
}

/** Checks predictions against labels in all but the labels' values. */
export function rowsOf(op: string, x: Tensor, labels: Tensor, ignoreIndex: number | undefined): Rows {
	checkFloat(op, x);
	checkTensor(op, labels);
	check(
		x.ndim >= 2 && x.shape[1] > 0,
		() => `${op}: expected predictions of shape [N, C] or [N, C, d1, …] with at least one class, got ${x.describe()}`,
	);
	check(
		labels.dtype === "int32",
		() =>
			`${op}: labels are class numbers of type int32, got ${labels.dtype} ${labels.describe()}; ` +
			'make them with tensor(values, shape, { dtype: "int32" })',
	);
	const [batch, classes, ...rest] = x.shape;
	const expected = [batch, ...rest];
	check(
		sameShape(labels.shape, expected),
		() =>
			`${op}: expected labels of shape ${formatShape(expected)} for predictions of shape ${formatShape(x.shape)}, ` +
			`got ${formatShape(labels.shape)}`,
	);
	check(
		ignoreIndex === undefined || Number.isInteger(ignoreIndex),
		() => `${op}: ignoreIndex must be a whole number, got ${ignoreIndex}`,
	);
	check(
		ignoreIndex === undefined || Math.abs(ignoreIndex) < -NO_LABEL,
		() => `${op}: ignoreIndex must lie between -2^31 and 2^31, as labels do, got ${ignoreIndex}`,
	);
	const inner = rest.reduce((product, length) => product * length, 1);
	return { batch, classes, inner, count: batch * inner, ignore: ignoreIndex ?? NO_LABEL };
}

/** Checks every label and returns how many rows count, that is, are not ignored. */
export function countRows(op: string, labels: Tensor, rows: Rows): number {
	const values = labels.view();
	let counted = 0;
	for (let r = 0; r < rows.count; r++) {
		const label = values[r];
		if (label === rows.ignore && label !== NO_LABEL) continue;
		if (label < 0 || label >= rows.classes) {
			throw new EvenkeelError(
				`${op}: label ${label} at row ${r} is not one of the ${rows.classes} classes 0..${rows.classes - 1}`,
			);
		}
		counted++;
	}
	return counted;
}

/** The factor on the sum of `count` losses: 1 / count for the mean, which of nothing is NaN (0 x Infinity). */
export function scaleFor(reduction: Reduction, count: number): number {
	return reduction === "mean" ? 1 / count : 1;
}
