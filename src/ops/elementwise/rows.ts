// Launching a kernel over two broadcast operands on wasm: flat if there is but one row, else row by
// row with a table of strides.

import type { Tensor } from "../../tensor/tensor.ts";
import { wasmOf } from "../op.ts";
import { planRows } from "./broadcast.ts";

/** Elements a thread takes at a time; a multiple of 16, so that chunks begin on whole vectors. */
export const GRAIN = 16384;

/** Runs `<kernel>_flat` or `<kernel>_rows` of kind `kind` over a and b, broadcast to `out`'s shape. */
export function launchRows(kernel: string, kind: number, a: Tensor, b: Tensor, out: Tensor): void {
	if (out.size === 0) return;
	const backend = wasmOf(out);
	const { mode, inner, rows, outer } = planRows(a.shape, b.shape, out.shape);
	if (outer.length === 0) {
		backend.launch(`${kernel}_flat`, [kind, mode, a.ptr, b.ptr, out.ptr], inner, GRAIN);
		return;
	}
	const table = backend.table(outer.flatMap((axis) => [axis.length, axis.a, axis.b]));
	const grain = Math.max(1, Math.floor(GRAIN / inner));
	backend.launch(`${kernel}_rows`, [kind, mode, a.ptr, b.ptr, out.ptr, inner, table, outer.length], rows, grain);
}
