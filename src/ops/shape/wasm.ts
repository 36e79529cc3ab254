// Cutting copies and permutations into work for threads.

import { bytesPerElement } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { wasmOf } from "../op.ts";
import { type Axis, permutationAxes } from "./plan.ts";
import type { Kernels } from "./raw.ts";

/** Bytes a thread moves at a time, about. */
const CHUNK = 65536;
/** As in kernel.as.ts. */
const TILE = 16;

function grainFor(bytes: number): number {
	return Math.max(1, Math.floor(CHUNK / bytes));
}

/** The address of a table of the strides of `axes`. */
function tableOf(x: Tensor, axes: readonly Axis[]): number {
	return wasmOf(x).table(axes.flatMap(({ length, from, to }) => [length, from, to]));
}

/** The innermost axis lies whole in x: rows are copied. */
function gatherRows(x: Tensor, out: Tensor, outer: readonly Axis[], length: number): void {
	const size = bytesPerElement[x.dtype];
	const rows = out.size / length;
	const args = [x.ptr, out.ptr, length * size, size, tableOf(x, outer), outer.length];
	wasmOf(x).launch("shape_gather_rows", args, rows, grainFor(length * size));
}

/** Some other axis, b, is the one along which x runs: planes of it and the output's innermost, a, are transposed. */
function transposePlanes(x: Tensor, out: Tensor, axes: readonly Axis[]): void {
	const size = bytesPerElement[x.dtype];
	const a = axes[axes.length - 1];
	const b = axes.find(({ from }) => from === 1) ?? a;
	const outer = axes.filter((axis) => axis !== a && axis !== b);
	const tiles = Math.ceil(b.length / TILE);
	const planes = out.size / (a.length * b.length);
	const plane = [a.length, a.from, b.length, b.to, tiles];
	const args = [x.ptr, out.ptr, size, ...plane, tableOf(x, outer), outer.length];
	const grain = grainFor(a.length * Math.min(TILE, b.length) * size);
	wasmOf(x).launch("shape_transpose", args, planes * tiles, grain);
}

export const wasm: Kernels = {
	permute(x, out, axes) {
		const merged = permutationAxes(x.shape, axes);
		const innermost = merged[merged.length - 1];
		if (merged.length === 1) {
			const length = x.size;
			this.copyRows(x, out, { rows: 1, length, from: 0, fromStride: length, to: 0, toStride: length });
		} else if (innermost.from === 1) gatherRows(x, out, merged.slice(0, -1), innermost.length);
		else transposePlanes(x, out, merged);
	},
	copyRows(x, out, { rows, length, from, fromStride, to, toStride }) {
		const size = bytesPerElement[x.dtype];
		const bytes = length * size;
		const segment = Math.min(bytes, CHUNK);
		const segments = Math.ceil(bytes / segment);
		const args = [
			x.ptr + from * size,
			fromStride * size,
			out.ptr + to * size,
			toStride * size,
			bytes,
			segment,
			segments,
		];
		wasmOf(x).launch("shape_copy_rows", args, rows * segments, grainFor(segment));
	},
};
