// What `explainBatchNorm` reads and returns: numbers in any of three forms, flattened to float64
// and nested again.

import { check, EvenkeelError } from "../../../errors.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { NestedNumbers } from "../../creation.ts";

/** Numbers without a backend: nested arrays, or flat row-major data with its shape. */
export type PlainValues =
	| readonly NestedNumbers[]
	| Float64Array
	| Float32Array
	| { readonly shape: Shape; readonly data: ArrayLike<number> };

export interface FlatValues {
	shape: Shape;
	data: Float64Array;
}

/** A float64 copy of `values`, row-major, with its shape. `what` is the argument's name, for errors. */
export function flattenValues(values: Tensor | PlainValues, what: string): FlatValues {
	check(
		typeof values === "object" && values !== null,
		() => `explainBatchNorm: ${what} must be a tensor, nested arrays or { shape, data }, got ${typeof values}`,
	);
	if (ArrayBuffer.isView(values)) return { shape: [values.length], data: Float64Array.from(values) };
	if ("isEvenkeelTensor" in values) return { shape: values.shape, data: Float64Array.from(values.dataSync()) };
	if ("shape" in values) return shaped(values.shape, values.data, what);
	return fromNested(values, what);
}

/** `data` as arrays nested to `shape`. */
export function nestValues(data: ArrayLike<number>, shape: Shape): NestedNumbers {
	let offset = 0;
	const build = (axis: number): NestedNumbers => {
		if (axis === shape.length) return data[offset++];
		return Array.from({ length: shape[axis] }, () => build(axis + 1));
	};
	return build(0);
}

export function checkChannels(shape: Shape, what: string, channels: number): void {
	check(
		shape.length === 1 && shape[0] === channels,
		() =>
			`explainBatchNorm: expected ${what} to hold one value for each of the ${channels} channels of x, ` +
			`got shape ${formatShape(shape)}`,
	);
}

export function checkLikeX(shape: Shape, xShape: Shape): void {
	check(
		sameShape(shape, xShape),
		() => `explainBatchNorm: dy must have the shape of x, ${formatShape(xShape)}, got ${formatShape(shape)}`,
	);
}

export function checkFinite({ shape, data }: FlatValues, what: string): void {
	const i = data.findIndex((value) => !Number.isFinite(value));
	check(i < 0, () => {
		const index = indexOf(i, shape);
		const channel = index.length > 1 ? ` (channel ${index[1]})` : "";
		return (
			`explainBatchNorm: ${what} holds ${data[i]} at [${index.join(", ")}]${channel}; ` +
			"replace or leave out what is not a finite number"
		);
	});
}

function shaped(shape: Shape, data: ArrayLike<number>, what: string): FlatValues {
	check(
		data !== undefined && data.length === sizeOf(shape),
		() =>
			`explainBatchNorm: ${what} of shape ${formatShape(shape)} needs ${sizeOf(shape)} values, got ${data?.length ?? "none"}`,
	);
	return { shape, data: Float64Array.from(data) };
}

function fromNested(values: readonly NestedNumbers[], what: string): FlatValues {
	const shape: number[] = [];
	for (let level: NestedNumbers = values; Array.isArray(level); level = level[0]) {
		shape.push(level.length);
		if (level.length === 0) break;
	}
	const flat: number[] = [];
	const walk = (level: NestedNumbers, axis: number): void => {
		if (axis === shape.length) {
			if (typeof level !== "number") throw new EvenkeelError(uneven(what, shape, level));
			flat.push(level);
			return;
		}
		if (!Array.isArray(level) || level.length !== shape[axis]) throw new EvenkeelError(uneven(what, shape, level));
		for (const item of level) walk(item, axis + 1);
	};
	walk(values, 0);
	return { shape, data: Float64Array.from(flat) };
}

function uneven(what: string, shape: Shape, found: unknown): string {
	const got = Array.isArray(found) ? `a row of ${found.length}` : JSON.stringify(found);
	return `explainBatchNorm: ${what} should be nested arrays of shape ${formatShape(shape)} by its first entries, but has ${got}`;
}

/** The position along each axis of flat element `i`. */
function indexOf(i: number, shape: Shape): number[] {
	const index: number[] = [];
	let rest = i;
	for (let axis = shape.length - 1; axis >= 0; axis--) {
		index.unshift(rest % shape[axis]);
		rest = Math.floor(rest / shape[axis]);
	}
	return index;
}
