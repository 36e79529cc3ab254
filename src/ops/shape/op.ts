// reshape, flatten, transpose, permute, concat and slice.

import { check } from "../../errors.ts";
import { checkLengths, checkShape, formatShape, normalizeAxis, type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, empty, type Op, viewAs } from "../op.ts";
import { copyEntries, permuted, sliced } from "./raw.ts";

const reshapeOp: Op<{ from: Shape; to: Shape }> = {
	name: "reshape",
	forward: ([x], { to }) => viewAs(x, to, "reshape"),
	backward: (dy, { attrs }) => [viewAs(dy, attrs.from, "gradient of reshape")],
};

/** `shape` with its one -1, if it has one, replaced by what `size` elements leave for it. */
function inferLength(shape: Shape, size: number, what: () => string): number[] {
	checkLengths(shape, "reshape");
	const known = shape.filter((length) => length !== -1);
	checkShape(known, "reshape");
	check(
		shape.length - known.length <= 1,
		() => `reshape: only one length can be inferred, got ${formatShape(shape)}; give all but one`,
	);
	const product = sizeOf(known);
	check(
		known.length === shape.length || product > 0,
		() => `reshape: ${formatShape(shape)} leaves open what -1 is, as 0 times anything is 0; give the length`,
	);
	const inferred = shape.map((length) => (length === -1 ? size / product : length));
	check(
		Number.isInteger(sizeOf(inferred)) && inferred.every(Number.isInteger) && sizeOf(inferred) === size,
		() => `reshape: ${what()} has ${size} elements, which do not fit ${formatShape(shape)}`,
	);
	return inferred;
}

/**
 * `x` under another shape of the same size, row-major; one length may be -1 and follows from the others. Shares
 * the memory of `x`.
 *
 * @throws EvenkeelError if the sizes differ, or more than one length is -1
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
	const to = inferLength(shape, x.size, () => x.describe());
	return apply(reshapeOp, [x], { from: x.shape, to });
}

/**
 * `x` with the axes from `startAxis` to `endAxis`, both included, joined into one; by default all of them. A
 * tensor of no dimensions becomes one of length 1. Shares the memory of `x`.
 *
 * @throws EvenkeelError if an axis is out of range or they are in the wrong order
 */
export function flatten(x: Tensor, startAxis = 0, endAxis = -1): Tensor {
	if (x.ndim === 0) return reshape(x, [1]);
	const start = normalizeAxis(startAxis, x.ndim, "flatten");
	const end = normalizeAxis(endAxis, x.ndim, "flatten");
	check(start <= end, () => `flatten: startAxis ${startAxis} comes after endAxis ${endAxis} in ${x.describe()}`);
	const joined = sizeOf(x.shape.slice(start, end + 1));
	return reshape(x, [...x.shape.slice(0, start), joined, ...x.shape.slice(end + 1)]);
}

const permuteOp: Op<{ axes: readonly number[] }> = {
	name: "permute",
	forward: ([x], { axes }) => permuted(x, axes),
	backward(dy, { attrs: { axes } }) {
		const inverse = axes.map((_, axis) => axes.indexOf(axis));
		return [permuted(dy, inverse)];
	},
};

/**
 * `x` with its axes in the order `axes`: axis i of the result is axis `axes[i]` of x. A copy.
 *
 * @throws EvenkeelError if `axes` does not name each axis once
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
	const normalized = axes.map((axis) => normalizeAxis(axis, x.ndim, "permute"));
	check(
		axes.length === x.ndim && new Set(normalized).size === x.ndim,
		() => `permute: [${axes.join(", ")}] must name each of the ${x.ndim} axes of ${x.describe()} once`,
	);
	return apply(permuteOp, [x], { axes: normalized });
}

/**
 * `x` with axes `a` and `b` exchanged; by default the last two. A copy.
 *
 * @throws EvenkeelError if an axis is out of range
 */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
	const axes = x.shape.map((_, axis) => axis);
	const first = normalizeAxis(a, x.ndim, "transpose");
	const second = normalizeAxis(b, x.ndim, "transpose");
	axes[first] = second;
	axes[second] = first;
	return permute(x, axes);
}

const concatOp: Op<{ axis: number; lengths: readonly number[] }> = {
	name: "concat",
	forward(tensors, { axis, lengths }) {
		const [first] = tensors;
		const total = lengths.reduce((sum, length) => sum + length, 0);
		const shape = first.shape.map((length, i) => (i === axis ? total : length));
		const out = empty(shape, first.backend, first.dtype, "concat");
		let at = 0;
		tensors.forEach((x, i) => {
			copyEntries(x, out, axis, 0, at, lengths[i]);
			at += lengths[i];
		});
		return out;
	},
	backward(dy, { attrs: { axis, lengths }, needsGrad }) {
		let at = 0;
		return lengths.map((length, i) => {
			at += length;
			return needsGrad[i] ? sliced(dy, axis, at - length, at) : null;
		});
	},
};

/**
 * The tensors one after another along `axis` (default 0). Their types and their lengths along the other axes agree.
 *
 * @throws EvenkeelError if there are none, or their shapes or types do not fit
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
	check(tensors.length > 0, "concat: expected at least one tensor, got none");
	const [first] = tensors;
	const along = normalizeAxis(axis, first.ndim, "concat");
	for (const x of tensors) {
		check(
			x.ndim === first.ndim && x.shape.every((length, i) => i === along || length === first.shape[i]),
			() => `concat: ${x.describe()} does not fit ${first.describe()}; only axis ${along} may differ`,
		);
		check(
			x.dtype === first.dtype,
			() =>
				`concat: ${x.describe()} is ${x.dtype} and ${first.describe()} is ${first.dtype}; convert one with toFloat()`,
		);
	}
	return apply(concatOp, tensors, { axis: along, lengths: tensors.map((x) => x.shape[along]) });
}

const sliceOp: Op<{ shape: Shape; axis: number; begin: number; end: number }> = {
	name: "slice",
	forward: ([x], { axis, begin, end }) => sliced(x, axis, begin, end),
	backward(dy, { attrs: { shape, axis, begin, end } }) {
		const dx = empty(shape, dy.backend, "float", "gradient of slice");
		dx.view().fill(0);
		copyEntries(dy, dx, axis, 0, begin, end - begin);
		return [dx];
	},
};

/**
 * Entries [begin, end) of `x` along `axis`; `end` left out is the length, and both count from the end if negative,
 * as in Array.slice. A copy.
 *
 * @throws EvenkeelError if the bounds are not whole, out of range or in the wrong order
 */
export function slice(x: Tensor, axis: number, begin: number, end?: number): Tensor {
	const along = normalizeAxis(axis, x.ndim, "slice");
	const length = x.shape[along];
	const [from, to] = [begin, end ?? length].map((bound) => (bound < 0 ? bound + length : bound));
	check(
		Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= length,
		() => `slice: [${begin}, ${end ?? length}) is no range of axis ${along} of ${x.describe()}, of length ${length}`,
	);
	return apply(sliceOp, [x], { shape: x.shape, axis: along, begin: from, end: to });
}
