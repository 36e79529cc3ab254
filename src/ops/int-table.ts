// Small tables of whole numbers that kernels read: offsets, strides, starts.

import type { WasmBackend } from "../backend/wasm/wasm-backend.ts";

/** Copies `values` into the heap as int32; give the address back with `wasm.giveBack`. */
export function takeInts(wasm: WasmBackend, values: ArrayLike<number>): number {
	const ptr = wasm.take(4 * values.length);
	wasm.heapViews.int32.set(values, ptr >>> 2);
	return ptr;
}
