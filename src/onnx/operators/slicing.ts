// Parts of a value along one axis, with steps.

import { EvenkeelError } from "../../errors.ts";
import { reshape, slice } from "../../ops/shape/op.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { padTensor } from "../pad.ts";
import { isTensor, type Numbers, type Value } from "../value.ts";

/** The entries `indices` of `value` along `axis`. */
export function numbersAlong(value: Numbers, axis: number, indices: readonly number[]): Numbers {
	const { shape, data } = value;
	const inner = sizeOf(shape.slice(axis + 1));
	const outer = sizeOf(shape.slice(0, axis));
	const out: number[] = [];
	for (let o = 0; o < outer; o++) {
		for (const index of indices) {
			for (let i = 0; i < inner; i++) out.push(data[(o * shape[axis] + index) * inner + i]);
		}
	}
	return { ...value, data: out, shape: shape.map((length, i) => (i === axis ? indices.length : length)) };
}

/** `value[from:to:by]` along `axis`, as NumPy has it: negative bounds count from the end, others are held within. */
export function sliceAlong(
	value: Value,
	axis: number,
	{ from, to, by }: { from: number; to: number; by: number },
	what: string,
): Value {
	const length = value.shape[axis];
	if (!Number.isInteger(by) || by === 0) throw new EvenkeelError(`${what}: a step must not be ${by}`);
	const [low, high] = by > 0 ? [0, length] : [-1, length - 1];
	const [first, end] = [from, to].map((bound) => Math.min(high, Math.max(low, bound < 0 ? bound + length : bound)));
	const count = Math.max(0, Math.ceil((end - first) / by));
	if (!isTensor(value)) {
		return numbersAlong(
			value,
			axis,
			Array.from({ length: count }, (_, i) => first + i * by),
		);
	}
	if (by < 0) throw new EvenkeelError(`${what}: steps backwards through data (${by}) cannot be run`);
	if (count === 0) return slice(value, axis, 0, 0);
	return by === 1 ? slice(value, axis, first, end) : everyNth(slice(value, axis, first, end), axis, by);
}

/** Each entry whose number is a multiple of `by`: the first column of rows that are `by` long. */
function everyNth(x: Tensor, axis: number, by: number): Tensor {
	const count = Math.ceil(x.shape[axis] / by);
	const missing = count * by - x.shape[axis];
	const full = padTensor(
		x,
		x.shape.map((_, i) => (i === axis ? [0, missing] : [0, 0])),
	);
	const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
	const first = slice(reshape(full, [...before, count, by, ...after]), axis + 1, 0, 1);
	return reshape(first, [...before, count, ...after]);
}
