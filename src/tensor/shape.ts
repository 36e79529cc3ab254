// Arithmetic on shapes: sizes, broadcasting, axes. Nothing here touches data.

import { check, EvenkeelError } from "../errors.ts";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
	return productOf(shape, 0, shape.length);
}

/** The product of the lengths from axis `from` to before axis `to`. */
export function productOf(shape: Shape, from: number, to: number): number {
	let product = 1;
	for (let axis = from; axis < to; axis++) product *= shape[axis];
	return product;
}

export function formatShape(shape: Shape): string {
	return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
	if (a === b) return true;
	if (a.length !== b.length) return false;
	for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
	return true;
}

/** Checks that a program without types gave a list. */
export function checkLengths(shape: Shape, what: string): void {
	check(
		Array.isArray(shape) || ArrayBuffer.isView(shape),
		() => `${what}: a shape is a list of lengths, such as [2, 3], got ${String(shape)}`,
	);
}

export function checkShape(shape: Shape, what: string): void {
	checkLengths(shape, what);
	for (const length of shape) {
		check(
			Number.isInteger(length) && length >= 0,
			() => `${what}: a shape holds whole numbers of at least 0, got ${formatShape(shape)}`,
		);
	}
}

/** Maps an axis in [-ndim, ndim) to [0, ndim). */
export function normalizeAxis(axis: number, ndim: number, what: string): number {
	const positive = axis < 0 ? axis + ndim : axis;
	check(
		Number.isInteger(axis) && positive >= 0 && positive < ndim,
		() => `${what}: axis ${axis} is out of range for ${ndim} dimensions`,
	);
	return positive;
}

/** The axes of a reduction, sorted and distinct; all of them when none are given. */
export function normalizeAxes(axes: number | Shape | undefined, ndim: number, what: string): number[] {
	if (axes === undefined) return Array.from({ length: ndim }, (_, axis) => axis);
	const list = typeof axes === "number" ? [axes] : axes;
	const distinct = new Set(list.map((axis) => normalizeAxis(axis, ndim, what)));
	check(distinct.size === list.length, () => `${what}: axes [${list.join(", ")}] name an axis twice`);
	return [...distinct].sort((a, b) => a - b);
}

/** NumPy's rule: align at the right; lengths must agree or be 1. */
export function broadcastShapes(a: Shape, b: Shape, what: string): number[] {
	const ndim = Math.max(a.length, b.length);
	const out = new Array<number>(ndim);
	for (let i = 0; i < ndim; i++) {
		const m = a[a.length - ndim + i] ?? 1;
		const n = b[b.length - ndim + i] ?? 1;
		if (m !== n && m !== 1 && n !== 1) {
			throw new EvenkeelError(`${what}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
		}
		out[i] = m === 1 ? n : m;
	}
	return out;
}

/** Strides, in elements, that read a tensor of `shape` as if it had been broadcast to `out`. */
export function broadcastStrides(shape: Shape, out: Shape): number[] {
	const strides = new Array<number>(out.length).fill(0);
	let stride = 1;
	for (let axis = shape.length - 1; axis >= 0; axis--) {
		strides[axis + out.length - shape.length] = shape[axis] === 1 ? 0 : stride;
		stride *= shape[axis];
	}
	return strides;
}
