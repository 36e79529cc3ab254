// Launching the kernels of apart.as.ts: one visit to x after the other.

import type { WasmBackend } from "../../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { addressOf, channelsAtOnce, type Located, launchByBlock, SCRATCH_BYTES, SHORT } from "../shared/statistics.ts";
import { type Cut, cutOf, SUMS_BYTES } from "./pieces.ts";

/** Bytes of what is read twice up to which a third-level cache holds it from one visit to the next; with long rows, half as much. */
const HELD = 16 << 20;
/** Bytes of it in a channel from which on the order of memory is worth more than finding the channel in the second-level cache. */
const WORTH = 256 << 10;
/** Bytes of it in a channel of which no cache that a core has to itself holds anything until the second visit. */
const LONG = 4 << 20;
/** Values of a channel in one example up to which the order of memory matters. */
const ROW = 1024;

export interface NormForward {
	readonly x: Located;
	readonly y: Located;
	readonly weight: Located;
	readonly bias: Located;
	readonly stats: Located;
}

export interface NormBackward {
	readonly x: Located;
	readonly dy: Located;
	readonly dx: Located;
	readonly weight: Located;
	readonly dweight: Located;
	readonly dbias: Located;
	readonly stats: Located;
	readonly training: boolean;
}

/** Whether what is read twice, x or x and dy, is found in a third-level cache, or in none either way. */
export function isHeldOrLong({ n, c, s }: ChannelGeometry, tensors: number): boolean {
	const channel = 4 * n * s * tensors;
	if (s > ROW) return channel * c <= HELD / 2;
	return channel * c <= HELD || channel > LONG;
}

/** Whether a norm alone takes less this way than channel by channel. Bits are the same. */
export function isApart(part: ChannelGeometry, tensors: number): boolean {
	const { n, s } = part;
	if (s === 1 || s > ROW || 4 * n * s * tensors < WORTH || !isHeldOrLong(part, tensors)) return false;
	// Pieces of short rows are summed one channel at a time.
	return s > SHORT || cutOf(part, tensors).pieces === 1;
}

/** Statistics of x, then y. Returns the launch after which the statistics are there. */
export function forwardApart(args: NormForward, eps: number, like: Tensor, part: ChannelGeometry): number {
	const last = launchStatistics(args, eps, like, part);
	normalizeByBlock(args, like, part);
	return last;
}

/** y from given statistics. */
export function normalizeByBlock(
	{ x, y, weight, bias, stats }: NormForward,
	like: Tensor,
	part: ChannelGeometry,
): void {
	launchByBlock(wasmOf(like), "batch_norm_normalize", [x, y, weight, bias, stats].map(addressOf), part);
}

/** Statistics of x alone. Returns their last launch. */
export function launchStatistics(
	args: { readonly x: Located; readonly stats: Located },
	eps: number,
	like: Tensor,
	part: ChannelGeometry,
): number {
	const { n, c, s } = part;
	const { pieces, rows } = cutOf(part, 1);
	const backend = wasmOf(like);
	const [x, stats] = [args.x, args.stats].map(addressOf);
	if (pieces === 1) {
		const grain = channelsAtOnce(part, backend.threads);
		backend.launch("batch_norm_statistics", [x, stats, n, c, s, eps], c, grain, SCRATCH_BYTES);
		return backend.last;
	}
	const sums = backend.take(c * pieces * SUMS_BYTES);
	backend.launch("batch_norm_pieces_statistics", [x, sums, n, c, s, pieces, rows], c * pieces, 1, SCRATCH_BYTES);
	backend.launch("batch_norm_pieces_merge", [sums, stats, n, c, s, eps, pieces, rows], c, c);
	backend.giveBack(sums);
	return backend.last;
}

/** Sums of gradients, then dx, where it is not null. */
export function backwardApart(args: NormBackward, like: Tensor, part: ChannelGeometry): void {
	const { n, c, s } = part;
	const cut = cutOf(part, 2);
	const { pieces, rows } = cut;
	const backend = wasmOf(like);
	const sums = backend.take(c * pieces * SUMS_BYTES);
	const addresses = [args.x, args.dy, args.stats].map(addressOf);
	const grain = pieces > 1 ? 1 : channelsAtOnce(part, backend.threads);
	const sizes = [n, c, s, pieces, rows];
	backend.launch("batch_norm_sums", [...addresses, sums, ...sizes], c * pieces, grain);
	launchGradients({ ...args, sums }, backend, part, cut);
	backend.giveBack(sums);
}

/** dweight, dbias and dx, each where it is not null, from the sums of each piece. `dy` is what arrives at the norm. */
export function launchGradients(
	args: NormBackward & { readonly sums: number },
	backend: WasmBackend,
	part: ChannelGeometry,
	{ pieces }: Cut,
): void {
	const { n, c, s } = part;
	const { sums } = args;
	const [x, dy, dx, stats] = [args.x, args.dy, args.dx, args.stats].map(addressOf);
	const affine = [args.weight, args.dweight, args.dbias].map(addressOf);
	const training = args.training ? 1 : 0;
	backend.launch("batch_norm_sums_merge", [sums, ...affine, stats, n, c, s, training, pieces], c, c);
	if (dx !== 0) launchByBlock(backend, "batch_norm_gradients", [x, dy, dx, stats, sums], part, [training, pieces]);
}
