// How a permutation is carried out: axes that stay neighbors are merged, and what remains is rows
// to copy, or planes to transpose.

import type { Shape } from "../../tensor/shape.ts";

/** An axis of the output: how far apart, in elements, its entries lie in x and in the output. */
export interface Axis {
	length: number;
	from: number;
	to: number;
}

/** The shape that `axes` makes of `shape`. */
export function permutedShape(shape: Shape, axes: readonly number[]): number[] {
	return axes.map((axis) => shape[axis]);
}

/** Distance in elements between neighbors along each axis of a row-major tensor. */
export function stridesOf(shape: Shape): number[] {
	const strides = new Array<number>(shape.length);
	let stride = 1;
	for (let axis = shape.length - 1; axis >= 0; axis--) {
		strides[axis] = stride;
		stride *= shape[axis];
	}
	return strides;
}

/** The output's axes, outermost first, as few as there can be; at least one. */
export function permutationAxes(shape: Shape, axes: readonly number[]): Axis[] {
	const strides = stridesOf(shape);
	const merged: { length: number; from: number }[] = [];
	for (const axis of axes) {
		const length = shape[axis];
		const before = merged.at(-1);
		if (length === 1) continue;
		if (before && before.from === strides[axis] * length) {
			before.length *= length;
			before.from = strides[axis];
		} else merged.push({ length, from: strides[axis] });
	}
	if (merged.length === 0) merged.push({ length: 1, from: 1 });
	const to = stridesOf(merged.map(({ length }) => length));
	return merged.map((axis, i) => ({ ...axis, to: to[i] }));
}
