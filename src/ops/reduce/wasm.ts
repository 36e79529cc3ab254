// Cutting reductions into work for threads. Every length below follows from the shape alone, so
// that the sums do not depend on the number of threads.

import type { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import { wasmOf } from "../op.ts";
import type { Pass } from "./plan.ts";
import type { Extreme, Kernels } from "./raw.ts";

/** Elements that a chunk has, about. */
const CHUNK = 16384;
/** Columns that are walked down together. */
const BLOCK = 1024;
/** Fewest rows worth a chunk of their own. */
const ROWS = 64;

interface Cut {
	/** Rows of a chunk, and how many chunks. */
	chunk: number;
	chunks: number;
	/** Columns of a block, and how many blocks. */
	block: number;
	blocks: number;
	/** Items of work, and how many a thread takes at once. */
	items: number;
	grain: number;
}

function cut({ outer, n, inner }: Pass): Cut {
	const block = Math.min(inner, BLOCK);
	const blocks = Math.ceil(inner / block);
	const chunk = Math.min(n, Math.max(ROWS, Math.floor(CHUNK / block)));
	const chunks = Math.ceil(n / chunk);
	const grain = Math.max(1, Math.floor(CHUNK / (chunk * block)));
	return { chunk, chunks, block, blocks, items: outer * chunks * blocks, grain };
}

function extreme(backend: WasmBackend, kind: Extreme, x: number, out: number, pass: Pass): void {
	const { chunk, chunks, block, blocks, items, grain } = cut(pass);
	const { outer, n, inner } = pass;
	const to = chunks === 1 ? out : backend.take(outer * chunks * inner * 4);
	const max = kind === "max" ? 1 : 0;
	backend.launch("reduce_extreme", [max, x, to, n, inner, chunk, chunks, block, blocks], items, grain);
	if (chunks === 1) return;
	extreme(backend, kind, to, out, { outer, n: chunks, inner });
	backend.giveBack(to);
}

export const wasm: Kernels = {
	sum(x, out, pass, scale) {
		const backend = wasmOf(x);
		const { outer, n, inner } = pass;
		const { chunk, chunks, block, blocks, items, grain } = cut(pass);
		if (inner === 1 && chunks === 1) {
			backend.launch("reduce_sum_rows", [x.ptr, out.ptr, n, scale], items, grain);
			return;
		}
		const to = chunks === 1 ? out.ptr : backend.take(outer * chunks * inner * 8);
		if (inner === 1) backend.launch("reduce_sum_row_chunks", [x.ptr, to, n, chunk, chunks], items, grain);
		else {
			const args = [x.ptr, to, n, inner, chunk, chunks, block, blocks, scale];
			backend.launch("reduce_sum_columns", args, items, grain);
		}
		if (chunks === 1) return;
		const outputs = Math.max(1, Math.floor(CHUNK / chunks));
		backend.launch("reduce_sum_chunks", [to, out.ptr, chunks, inner, scale], outer * inner, outputs);
		backend.giveBack(to);
	},
	extreme(kind, x, out, pass) {
		extreme(wasmOf(x), kind, x.ptr, out.ptr, pass);
	},
	index(kind, x, out, { outer, n, inner }) {
		const grain = Math.max(1, Math.floor(CHUNK / n));
		const max = kind === "max" ? 1 : 0;
		wasmOf(x).launch("reduce_extreme_index", [max, x.ptr, out.ptr, n, inner], outer * inner, grain);
	},
};
