// Reductions off the tape: what the ops here, and the backwards of others, are made of.

import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { empty, type KernelSet, kernelsFor, viewAs } from "../op.ts";
import { type Pass, planPasses, reducedShape } from "./plan.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm.ts";

export type Extreme = "max" | "min";
export type Reduction = "sum" | Extreme;

/** Every kernel sees x as [outer, n, inner] and reduces the middle, which holds at least one element. */
export interface Kernels {
	/** out = scale * sum(x) */
	sum(x: Tensor, out: Tensor, pass: Pass, scale: number): void;
	/** The largest or smallest; NaN if there is one. */
	extreme(kind: Extreme, x: Tensor, out: Tensor, pass: Pass): void;
	/** Where the largest or smallest stands first, as int32; NaN counts as the most extreme. */
	index(kind: Extreme, x: Tensor, out: Tensor, pass: Pass): void;
}

export const kernels: KernelSet<Kernels> = { reference, wasm };

/**
 * `x` reduced over `axes` (sorted, normalized), times `scale` if it is a sum; a new tensor with those axes of
 * length 1 (`keepDims`) or gone, not on the tape.
 */
export function reduce(kind: Reduction, x: Tensor, axes: readonly number[], keepDims: boolean, scale = 1): Tensor {
	const shape = reducedShape(x.shape, axes, keepDims);
	if (x.size === 0) return filled(shape, x, 0);
	const passes = planPasses(x.shape, axes);
	// Axes of length 1 only: one pass that copies.
	if (passes.length === 0) passes.push({ outer: x.size, n: 1, inner: 1 });
	let current = x;
	passes.forEach((pass, i) => {
		const last = i === passes.length - 1;
		const out = empty(last ? shape : [pass.outer, pass.inner], x.backend, "float", kind);
		if (kind === "sum") kernelsFor(kernels, x).sum(current, out, pass, last ? scale : 1);
		else kernelsFor(kernels, x).extreme(kind, current, out, pass);
		if (current !== x) current.dispose();
		current = out;
	});
	return current;
}

/** `gradient` summed to `shape`, from which it had been broadcast. A new handle, not on the tape. */
export function sumTo(gradient: Tensor, shape: Shape): Tensor {
	const extra = gradient.ndim - shape.length;
	const axes = gradient.shape.flatMap((length, axis) =>
		axis < extra || (shape[axis - extra] === 1 && length !== 1) ? [axis] : [],
	);
	if (axes.length === 0) return viewAs(gradient, shape);
	const summed = reduce("sum", gradient, axes, true);
	const reshaped = viewAs(summed, shape);
	summed.dispose();
	return reshaped;
}

/** A new tensor of `value` on the backend of `like`. */
export function filled(shape: Shape, like: Tensor, value: number): Tensor {
	const made = empty(shape, like.backend, "float", like.name);
	made.view().fill(value);
	return made;
}
