// Launching the kernels of pieces.as.ts. Pieces depend on the shape alone; channels are grouped so that each thread has as
// much to do.

import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { addressOf, type Located } from "../shared/statistics.ts";

/** Bytes of a piece, in x or in x and dy. A second-level cache of 1 MB holds one beside what the second visit writes. */
const PIECE = 512 << 10;
/** Rows are read four at a time. */
const ROWS = 4;
const MOST_PIECES = 8;
/** As in the kernels. */
export const SUMS_BYTES = 64;
/** STATE in the kernels. */
const SCRATCH_BYTES = 256;

/** How a channel is cut: into so many pieces of so many examples, the last of which may have fewer. */
export interface Cut {
	readonly pieces: number;
	readonly rows: number;
}

/** The cut of channels of which a visit reads so many tensors; one piece where a cache holds them whole. */
export function cutOf({ n, s }: ChannelGeometry, tensors: number): Cut {
	let pieces = 1;
	const bytes = 4 * n * s * tensors;
	while (s > 1 && pieces < MOST_PIECES && n >= 2 * ROWS * pieces && bytes / pieces > PIECE) pieces *= 2;
	if (pieces === 1) return { pieces, rows: n };
	const rows = Math.ceil(n / pieces / ROWS) * ROWS;
	return { pieces: Math.ceil(n / rows), rows };
}

/** Runs a kernel with more than one piece. `numbers` are those behind n, c, s. */
export function launchByPiece(
	kernel: string,
	like: Tensor,
	{ n, c, s }: ChannelGeometry,
	{ pieces, rows }: Cut,
	{ tensors, numbers }: { tensors: readonly Located[]; numbers: readonly number[] },
): void {
	const backend = wasmOf(like);
	let groups = 1;
	while ((groups * pieces) % backend.threads !== 0) groups++;
	const items = groups * pieces;
	const sums = backend.take(c * pieces * SUMS_BYTES);
	const args = [...tensors.map(addressOf), sums, n, c, s, ...numbers, pieces, rows, groups];
	backend.launch("batch_norm_pieces_clear", [sums], c * pieces, c * pieces);
	backend.launch(kernel, args, items, items / backend.threads, SCRATCH_BYTES);
	// The other threads wait for this one's sums already.
	backend.finish();
	backend.giveBack(sums);
}
