// Launching the kernels of rows.as.ts: blocks of rows, then channels, then blocks again. The blocks
// depend on the shape alone.

import type { WasmBackend } from "../../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import { addressOf, type Located } from "../shared/statistics.ts";

/** Elements of a block: 128 kB, which a core's second-level cache holds beside as much of dy and dx. */
const BLOCK = 32768;
/** From here on x no longer stays in cache between the statistics and y. */
const MIN_ELEMENTS = 1 << 18;
/** The blocks' sums are to be few beside x. */
const MIN_ROWS = 1024;
/** The sums of up to 256 columns, and their centers. */
const SCRATCH_BYTES = 6144 + 1024;

interface Rows {
	readonly n: number;
	readonly c: number;
	readonly s: number;
}

/** Whether [n, c, s] is worth going through row by row. */
export function isLargeTable({ n, c, s }: Rows): boolean {
	return s === 1 && n >= MIN_ROWS && n * c >= MIN_ELEMENTS;
}

/** Statistics of x into `stats`, and y. */
export function forwardRows(
	{ x, y, weight, bias, stats, eps }: Record<"x" | "y" | "weight" | "bias" | "stats", Located> & { eps: number },
	like: Tensor,
	{ n, c }: Rows,
): void {
	run(like, { n, c, s: 1 }, ({ backend, rows, blocks, partial, table }) => {
		const [xAt, yAt, statsAt] = [x, y, stats].map(addressOf);
		backend.launch("batch_norm_rows_statistics", [xAt, partial, n, c, rows], blocks, 1, SCRATCH_BYTES);
		const merged = [partial, statsAt, table, addressOf(weight), addressOf(bias), n, c, rows, eps];
		backend.launch("batch_norm_rows_merge", merged, c, perThread(c, blocks));
		backend.launch("batch_norm_rows_normalize", [xAt, yAt, table, n, c, rows, blocks], blocks, 1);
	});
}

/** y from `stats`. */
export function normalizeRows(
	{ x, y, weight, bias, stats }: Record<"x" | "y" | "weight" | "bias" | "stats", Located>,
	like: Tensor,
	{ n, c }: Rows,
): void {
	run(like, { n, c, s: 1 }, ({ backend, rows, blocks, table }) => {
		backend.launch(
			"batch_norm_rows_table",
			[...[stats].map(addressOf), table, ...[weight, bias].map(addressOf), c],
			c,
			c,
		);
		backend.launch("batch_norm_rows_normalize", [addressOf(x), addressOf(y), table, n, c, rows, blocks], blocks, 1);
	});
}

/** dx, dweight and dbias, each where it is not null. */
export function backwardRows(
	tensors: Record<"x" | "dy" | "dx" | "weight" | "dweight" | "dbias" | "stats", Located> & { training: boolean },
	like: Tensor,
	{ n, c }: Rows,
): void {
	const { training, ...located } = tensors;
	run(like, { n, c, s: 1 }, ({ backend, rows, blocks, partial, table }) => {
		const [x, dy, dx, weight, dweight, dbias, stats] = [
			...[located.x, located.dy, located.dx],
			...[located.weight, located.dweight, located.dbias, located.stats],
		].map(addressOf);
		backend.launch("batch_norm_rows_gradient_sums", [x, dy, stats, partial, n, c, rows], blocks, 1, SCRATCH_BYTES);
		const merged = [partial, stats, table, weight, dweight, dbias, n, c, rows, training ? 1 : 0];
		backend.launch("batch_norm_rows_gradient_merge", merged, c, perThread(c, blocks));
		if (dx === 0) return;
		// With fixed statistics dx is dy scaled, and x plays no part.
		if (training) backend.launch("batch_norm_rows_gradient", [x, dy, dx, table, n, c, rows, blocks], blocks, 1);
		else backend.launch("batch_norm_rows_normalize", [dy, dx, table, n, c, rows, blocks], blocks, 1);
	});
}

/** Channels that make a hand-over worth while, when each is as many numbers as there are blocks. */
const perThread = (c: number, blocks: number) => Math.max(1, Math.ceil(Math.min(c, 16384 / blocks)));

interface Work {
	readonly backend: WasmBackend;
	readonly rows: number;
	readonly blocks: number;
	/** Two rows of C float64 a block. */
	readonly partial: number;
	/** Four rows of C floats. */
	readonly table: number;
}

function run(like: Tensor, { n, c }: Rows, body: (work: Work) => void): void {
	const backend = wasmOf(like);
	const rows = Math.max(32, Math.ceil(BLOCK / c));
	const blocks = Math.ceil(n / rows);
	const partial = backend.take(blocks * c * 16);
	const table = backend.take(c * 16);
	body({ backend, rows, blocks, partial, table });
	backend.giveBack(table);
	backend.giveBack(partial);
}
