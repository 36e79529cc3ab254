// sum, mean, max, min over any axes; argmax and argmin over one.

import { check } from "../../errors.ts";
import { formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { combine, expand, scaled } from "../elementwise/raw.ts";
import { apply, checkFloat, empty, kernelsFor, type Op, viewAs } from "../op.ts";
import { reducedShape } from "./plan.ts";
import { type Extreme, filled, kernels, reduce } from "./raw.ts";

export interface ReduceOptions {
	/** Keep the reduced axes, with length 1, so that the result broadcasts against x. Default false. */
	keepDims?: boolean;
}

interface Attrs {
	/** Sorted, from 0 up. */
	axes: readonly number[];
	keepDims: boolean;
	shape: Shape;
}

function attrsOf(
	name: string,
	x: Tensor,
	axes: number | Shape | undefined,
	{ keepDims = false }: ReduceOptions,
): Attrs {
	return { axes: normalizeAxes(axes, x.ndim, name), keepDims, shape: x.shape };
}

/** How many elements become one. */
function countOf({ shape, axes }: Attrs): number {
	return sizeOf(axes.map((axis) => shape[axis]));
}

/** `dy` as if the reduction had kept its axes: it then broadcasts against x. */
function withKeptAxes(dy: Tensor, { shape, axes }: Attrs): Tensor {
	return viewAs(dy, reducedShape(shape, axes, true));
}

function sumOp(name: "sum" | "mean"): Op<Attrs> {
	const scaleOf = (attrs: Attrs) => (name === "mean" ? 1 / countOf(attrs) : 1);
	return {
		name,
		forward([x], attrs) {
			checkFloat(name, x);
			const { shape, axes, keepDims } = attrs;
			if (name === "mean" && x.size === 0) return filled(reducedShape(shape, axes, keepDims), x, Number.NaN);
			return reduce("sum", x, axes, keepDims, scaleOf(attrs));
		},
		backward(dy, { attrs }) {
			const kept = withKeptAxes(dy, attrs);
			const small = attrs.shape.includes(0) ? viewAs(kept, kept.shape) : scaled(kept, scaleOf(attrs));
			const dx = expand(small, attrs.shape, `gradient of ${name}`);
			kept.dispose();
			small.dispose();
			return [dx];
		},
	};
}

function extremeOp(kind: Extreme): Op<Attrs> {
	return {
		name: kind,
		forward([x], attrs, ctx) {
			checkFloat(kind, x);
			checkNotEmpty(kind, x, countOf(attrs));
			const y = reduce(kind, x, attrs.axes, attrs.keepDims);
			ctx.save(x, y);
			return y;
		},
		backward(dy, { attrs, saved: [x, y] }) {
			const mask = combine("tie", x, withKeptAxes(y, attrs));
			const ties = reduce("sum", mask, attrs.axes, true);
			const share = combine("div", withKeptAxes(dy, attrs), ties);
			const dx = combine("mul", mask, share, `gradient of ${kind}`);
			for (const temporary of [mask, ties, share]) temporary.dispose();
			return [dx];
		},
	};
}

const indexOp: Op<{ kind: Extreme; axis: number }> = {
	name: "argmax or argmin",
	forward([x], { kind, axis }) {
		const out = empty(reducedShape(x.shape, [axis], false), x.backend, "int32", `arg${kind}`);
		const pass = { outer: sizeOf(x.shape.slice(0, axis)), n: x.shape[axis], inner: sizeOf(x.shape.slice(axis + 1)) };
		if (x.size > 0) kernelsFor(kernels, x).index(kind, x, out, pass);
		return out;
	},
};

function checkNotEmpty(name: string, x: Tensor, count: number): void {
	check(
		count > 0,
		() =>
			`${name}: ${formatShape(x.shape)} has no elements along the axes to reduce, and of nothing there is no ${name}`,
	);
}

const ops = { sum: sumOp("sum"), mean: sumOp("mean"), max: extremeOp("max"), min: extremeOp("min") };

/**
 * The sum of `x` over `axes` (a number or several; left out: all). Added in float64 after at most a few hundred
 * float32 additions, in an order that depends on the shape alone. The sum of nothing is 0.
 *
 * @throws EvenkeelError if an axis is out of range or named twice
 */
export function sum(x: Tensor, axes?: number | Shape, options: ReduceOptions = {}): Tensor {
	return apply(ops.sum, [x], attrsOf("sum", x, axes, options));
}

/** The mean of `x` over `axes`; otherwise as {@link sum}. The mean of nothing is NaN. */
export function mean(x: Tensor, axes?: number | Shape, options: ReduceOptions = {}): Tensor {
	return apply(ops.mean, [x], attrsOf("mean", x, axes, options));
}

/**
 * The largest element of `x` over `axes` (a number or several; left out: all). NaN if there is one. Elements that
 * tie share the gradient evenly, as in PyTorch's amax.
 *
 * @throws EvenkeelError if an axis is out of range or named twice, or there is nothing to choose from
 */
export function max(x: Tensor, axes?: number | Shape, options: ReduceOptions = {}): Tensor {
	return apply(ops.max, [x], attrsOf("max", x, axes, options));
}

/** The smallest element of `x` over `axes`; otherwise as {@link max}. */
export function min(x: Tensor, axes?: number | Shape, options: ReduceOptions = {}): Tensor {
	return apply(ops.min, [x], attrsOf("min", x, axes, options));
}

function indexOf(kind: Extreme, x: Tensor, axis: number): Tensor {
	const name = `arg${kind}`;
	checkFloat(name, x);
	const normalized = normalizeAxis(axis, x.ndim, name);
	checkNotEmpty(name, x, x.shape[normalized]);
	return apply(indexOp, [x], { kind, axis: normalized });
}

/**
 * Where the largest element along `axis` (default the last) stands, as int32; the first of several. NaN counts as the
 * largest, as in PyTorch. Not differentiable.
 *
 * @throws EvenkeelError if the axis is out of range or has length 0
 */
export function argmax(x: Tensor, axis = -1): Tensor {
	return indexOf("max", x, axis);
}

/** Where the smallest element along `axis` stands; otherwise as {@link argmax}. NaN counts as the smallest. */
export function argmin(x: Tensor, axis = -1): Tensor {
	return indexOf("min", x, axis);
}
