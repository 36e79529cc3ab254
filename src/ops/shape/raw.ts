// Moving elements off the tape: permutations, and runs of rows for slice and concat.

import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { empty, type KernelSet, kernelsFor } from "../op.ts";
import { permutedShape } from "./plan.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm.ts";

/** A run of elements in each of `rows` rows, all lengths in elements. */
export interface Rows {
	rows: number;
	/** Elements to copy of each row. */
	length: number;
	/** Where the run starts in the first row of x, and how long a row of x is. */
	from: number;
	fromStride: number;
	/** The same for the output. */
	to: number;
	toStride: number;
}

export interface Kernels {
	permute(x: Tensor, out: Tensor, axes: readonly number[]): void;
	copyRows(x: Tensor, out: Tensor, rows: Rows): void;
}

const kernels: KernelSet<Kernels> = { reference, wasm };

/** x with its axes in another order; a new tensor, not on the tape. */
export function permuted(x: Tensor, axes: readonly number[]): Tensor {
	const out = empty(permutedShape(x.shape, axes), x.backend, x.dtype, "permute");
	if (out.size > 0) kernelsFor(kernels, x).permute(x, out, axes);
	return out;
}

/** Copies `count` entries along `axis`, from entry `from` of x to entry `to` of out; their other axes agree. */
export function copyEntries(x: Tensor, out: Tensor, axis: number, from: number, to: number, count: number): void {
	const inner = sizeOf(x.shape.slice(axis + 1));
	const rows = sizeOf(x.shape.slice(0, axis));
	if (rows * inner * count === 0) return;
	kernelsFor(kernels, x).copyRows(x, out, {
		rows,
		length: count * inner,
		from: from * inner,
		fromStride: x.shape[axis] * inner,
		to: to * inner,
		toStride: out.shape[axis] * inner,
	});
}

/** Entries [begin, end) of x along `axis`; a new tensor, not on the tape. */
export function sliced(x: Tensor, axis: number, begin: number, end: number): Tensor {
	const shape = x.shape.map((length, i) => (i === axis ? end - begin : length));
	const out = empty(shape, x.backend, x.dtype, "slice");
	copyEntries(x, out, axis, begin, 0, end - begin);
	return out;
}
