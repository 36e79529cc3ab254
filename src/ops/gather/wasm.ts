// A byte has 256 values, so normalizing is looking up one of 256 floats a channel: exact to the
// last bit, and one load a pixel whatever the formula is.

import type { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import { bytesPerElement } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { wasmOf } from "../op.ts";
import type { ImageGather, Kernels } from "./op.ts";

/** Items a chunk holds: a few microseconds of work. Depends on the size of a row alone. */
function grain(rowBytes: number, bytes: number): number {
	return Math.max(1, Math.floor(bytes / Math.max(1, rowBytes)));
}

export const wasm: Kernels = {
	index(index, rows) {
		// Written by a kernel, in its turn: the memory may still be somebody else's.
		const backend = wasmOf(index);
		backend.launch("gather_index", [index.ptr, staged(backend, rows), 4 * rows.length], 1, 1);
	},

	rows(out, x, rows) {
		const rowBytes = sizeOf(x.shape.slice(1)) * bytesPerElement[x.dtype];
		wasmOf(x).launch("gather_rows", [out.ptr, x.ptr, rows.ptr, rowBytes], rows.size, grain(rowBytes + 16, 131072));
	},

	images(out, x, rows, how) {
		const backend = wasmOf(x);
		const [, C, H, W] = x.shape;
		const [N, , outH, outW] = out.shape;
		const tables = backend.table(tablesOf(how));
		const chunk = grain(C * outH * outW, 24576);
		const args = [out.ptr, x.ptr, rows.ptr, tables];
		if (how.windows) {
			args.push(staged(backend, how.windows), C, H, W, outH, outW);
			backend.launch("gather_windows", args, N, chunk);
		} else backend.launch("gather_images", [...args, C, H * W], N, chunk);
	},
};

/** Where the next launch finds `values`. */
function staged(backend: WasmBackend, values: ArrayLike<number>): number {
	const { ptr, int32 } = backend.stage(values.length);
	int32.set(values, ptr / 4);
	return ptr;
}

/** The tables of the mean and standard deviation met last, by what they are. */
let known: { mean: readonly number[]; std: readonly number[]; tables: Int32Array } | null = null;

/** The bits of tables[c][v] = (v / 255 - mean[c]) / std[c], computed in float64. */
function tablesOf({ mean, std }: ImageGather): Int32Array {
	if (known && same(known.mean, mean) && same(known.std, std)) return known.tables;
	const values = new Float32Array(256 * mean.length);
	for (let c = 0; c < mean.length; c++) {
		for (let v = 0; v < 256; v++) values[c * 256 + v] = (v / 255 - mean[c]) / std[c];
	}
	known = { mean: [...mean], std: [...std], tables: new Int32Array(values.buffer) };
	return known.tables;
}

function same(a: readonly number[], b: readonly number[]): boolean {
	return a.length === b.length && a.every((value, i) => value === b[i]);
}
