// Launching the kernels of pieces.as.ts. Pieces depend on the shape alone; channels are grouped so that each thread has as
// much to do.

import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";

/** Bytes of a piece, in what the first visit reads. A second-level cache of 1 MB holds two beside what the second writes. */
const PIECE = 512 << 10;
/** Rows are read four at a time. */
const ROWS = 4;
const MOST_PIECES = 8;
/** As in the kernels. */
const SUMS_BYTES = 64;
const SCRATCH_BYTES = 32;

/** Into how many pieces a channel is cut, of which a visit reads so many tensors: a power of two. 1: it is not. */
export function piecesOf({ n, s }: ChannelGeometry, tensors: number): number {
	let pieces = 1;
	if (s === 1) return pieces;
	while (pieces < MOST_PIECES && n >= 2 * ROWS * pieces && (4 * n * s * tensors) / pieces > PIECE) pieces *= 2;
	return pieces;
}

/** Runs `batch_norm_pieces_forward` or `_backward` with these addresses; `numbers` are those behind n, c, s. */
export function launchByPiece(
	direction: "forward" | "backward",
	like: Tensor,
	{ n, c, s }: ChannelGeometry,
	pieces: number,
	addresses: readonly number[],
	numbers: readonly number[],
): void {
	const backend = wasmOf(like);
	const rows = Math.ceil(n / pieces / ROWS) * ROWS;
	let groups = 1;
	while ((groups * pieces) % backend.threads !== 0) groups++;
	const sums = backend.take(c * pieces * SUMS_BYTES);
	backend.launch("batch_norm_pieces_clear", [sums], c * pieces, c * pieces);
	const items = groups * pieces;
	const args = [...addresses, sums, n, c, s, ...numbers, pieces, rows, groups];
	backend.launch(`batch_norm_pieces_${direction}`, args, items, items / backend.threads, SCRATCH_BYTES);
	// The other threads wait for this one's sums already.
	backend.finish();
	backend.giveBack(sums);
}
