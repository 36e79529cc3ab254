// A byte has 256 values, so normalizing is looking up one of 256 floats a channel: exact to the
// last bit, and one load a pixel whatever the formula is.

import { bytesPerElement } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { wasmOf } from "../op.ts";
import type { ImageGather, Kernels } from "./op.ts";

/** Items a chunk holds: a few microseconds of work. Depends on the size of a row alone. */
function grain(rowBytes: number, bytes: number): number {
	return Math.max(1, Math.floor(bytes / Math.max(1, rowBytes)));
}

export const wasm: Kernels = {
	rows(out, x, rows) {
		const rowBytes = sizeOf(x.shape.slice(1)) * bytesPerElement[x.dtype];
		wasmOf(x).launch("gather_rows", [out.ptr, x.ptr, rows.ptr, rowBytes], rows.size, grain(rowBytes + 16, 131072));
	},

	images(out, x, rows, how) {
		const backend = wasmOf(x);
		const [, C, H, W] = x.shape;
		const [N, , outH, outW] = out.shape;
		const tables = backend.take(C * 1024);
		const windows = how.windows ? backend.take(how.windows.byteLength) : 0;
		fillTables(backend.heapViews.float32, tables / 4, how);
		const chunk = grain(C * outH * outW, 24576);
		if (how.windows) {
			backend.heapViews.int32.set(how.windows, windows / 4);
			const args = [out.ptr, x.ptr, rows.ptr, tables, windows, C, H, W, outH, outW];
			backend.launch("gather_windows", args, N, chunk);
			backend.giveBack(windows);
		} else {
			backend.launch("gather_images", [out.ptr, x.ptr, rows.ptr, tables, C, H * W], N, chunk);
		}
		backend.giveBack(tables);
	},
};

/** tables[c][v] = (v / 255 - mean[c]) / std[c], computed in float64. */
function fillTables(heap: Float32Array, at: number, { mean, std }: ImageGather): void {
	for (let c = 0; c < mean.length; c++) {
		for (let v = 0; v < 256; v++) heap[at + c * 256 + v] = (v / 255 - mean[c]) / std[c];
	}
}
