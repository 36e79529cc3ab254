// Launching the kernels of activated.as.ts.

import type { WasmBackend } from "../../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { addressOf, CHUNK, channelsAtOnce, type Located, SCRATCH_BYTES } from "../shared/statistics.ts";
import type { Following, Halving } from "./fused.ts";
import { cutOf, SUMS_BYTES } from "./pieces.ts";

/** Channels that a thread has at least where channels are what threads take. */
const CHANNELS = 4;
/** Bytes read twice up to which they need not be: a third-level cache holds them in between. */
const HELD = 8 << 20;
/** Planes that are kept at a time between means and what comes before them: GROUP in the kernels. */
const PLANES = 16;
/** Bytes of lanes that sums are made in, as in the kernels. */
const LANES = 192;

interface Forward {
	readonly x: Located;
	readonly y: Located;
	/** Where the means go, if there are some. */
	readonly pooled: Tensor | null | undefined;
	readonly weight: Located;
	readonly bias: Located;
	readonly stats: Located;
	readonly halving: Halving | null | undefined;
}

interface Backward {
	readonly x: Located;
	/** The gradient of y, or of the means where there are some. */
	readonly dy: Located;
	readonly y: Located;
	/** May be y. What arrives at the norm stands here meanwhile. */
	readonly dx: Located;
	readonly weight: Located;
	readonly dweight: Located;
	readonly dbias: Located;
	readonly stats: Located;
	readonly training: boolean;
	readonly halving: Halving | null | undefined;
}

/** Statistics of x, y from them, and the means of y where there are some. Returns the launch after which the statistics are there. */
export function forwardThen(
	following: Following,
	args: Forward,
	eps: number,
	like: Tensor,
	part: ChannelGeometry,
): number {
	const { n, c, s } = part;
	const { pieces, rows } = cutOf(part, 1);
	const backend = wasmOf(like);
	const sums = pieces > 1 ? backend.take(c * pieces * SUMS_BYTES) : 0;
	const [x, y, weight, bias, stats] = [args.x, args.y, args.weight, args.bias, args.stats].map(addressOf);
	const grain = channelsAtOnce(part, backend.threads);
	// JavaScript looks at the statistics before it goes on. Where they are launched by themselves, that is while y is made.
	const apart = backend.threads > 1 && isHeld(part, 1);
	if (!apart) {
		const numbers = [...halvingArgs(addressOf(args.pooled ?? null), args.halving), eps, pieces, rows];
		const all = [x, y, weight, bias, stats, sums, n, c, s, ...numbers];
		backend.launch(`batch_norm_${following}_forward`, all, c, grain, SCRATCH_BYTES);
	} else if (pieces === 1) {
		backend.launch("batch_norm_statistics", [x, stats, n, c, s, eps], c, grain, SCRATCH_BYTES);
	} else {
		backend.launch("batch_norm_pieces_statistics", [x, sums, n, c, s, pieces, rows], c * pieces, 1, SCRATCH_BYTES);
		backend.launch("batch_norm_pieces_merge", [sums, stats, n, c, s, eps, pieces, rows], c, c);
	}
	const { last } = backend;
	if (sums !== 0) backend.giveBack(sums);
	if (apart) normalizeThen(following, args, like, part);
	return last;
}

/** y from given statistics, and the means of y where there are some. */
export function normalizeThen(following: Following, args: Forward, like: Tensor, part: ChannelGeometry): void {
	const addresses = [args.x, args.y, args.weight, args.bias, args.stats].map(addressOf);
	const halves = halvingArgs(addressOf(args.pooled ?? null), args.halving);
	launchByBlock(wasmOf(like), `batch_norm_${following}_normalize`, addresses, part, halves);
}

/** Gradients back through what follows and the norm. */
export function backwardThen(following: Following, args: Backward, like: Tensor, part: ChannelGeometry): void {
	const { n, c, s } = part;
	const { pieces, rows } = cutOf(part, 2);
	const backend = wasmOf(like);
	const sums = backend.take(c * pieces * SUMS_BYTES);
	const [x, dy, y, dx, stats] = [args.x, args.dy, args.y, args.dx, args.stats].map(addressOf);
	const affine = [args.weight, args.dweight, args.dbias].map(addressOf);
	const halves = halvingArgs(dy, args.halving);
	const training = args.training ? 1 : 0;
	const scratch = LANES + (args.halving ? 4 * PLANES * s : 0);
	const grain = channelsAtOnce(part, backend.threads);
	if (isShared(part, 2, backend)) {
		const through = [x, dy, y, dx, stats, sums, n, c, s, ...halves, pieces, rows];
		backend.launch(`batch_norm_${following}_sums`, through, c * pieces, pieces > 1 ? 1 : grain, scratch);
		const merging = [sums, ...affine, stats, n, c, s, training, pieces];
		backend.launch("batch_norm_sums_merge", merging, c, c);
		launchByBlock(backend, "batch_norm_gradients_in_place", [x, dx, stats, sums], part, [training, pieces]);
	} else {
		const all = [x, dy, y, dx, ...affine, stats, sums, n, c, s, ...halves, training, pieces, rows];
		backend.launch(`batch_norm_${following}_backward`, all, c, grain, scratch);
	}
	backend.giveBack(sums);
}

/** Whether threads share each channel: they have few, and a cache holds what is read twice. Bits are the same. */
function isShared(part: ChannelGeometry, tensors: number, { threads }: WasmBackend): boolean {
	return threads > 1 && part.c < CHANNELS * threads && isHeld(part, tensors);
}

/** Whether a third-level cache holds what is read twice. */
function isHeld({ n, c, s }: ChannelGeometry, tensors: number): boolean {
	return 4 * n * c * s * tensors <= HELD;
}

/** Runs a kernel whose items are blocks of examples of a channel. `numbers` are those behind n, c, s. */
function launchByBlock(
	backend: WasmBackend,
	kernel: string,
	addresses: readonly number[],
	{ n, c, s }: ChannelGeometry,
	numbers: readonly number[],
): void {
	// rowsTogether in the kernels.
	const rows = 4 * Math.ceil(256 / s);
	const grain = Math.ceil(CHUNK / (Math.min(rows, n) * s));
	backend.launch(kernel, [...addresses, n, c, s, ...numbers], Math.ceil(n / rows) * c, grain);
}

/** What kernels are told of the means; zeros where there are none. */
function halvingArgs(means: number, halving: Halving | null | undefined): number[] {
	if (!halving) return [0, 0, 0, 0, 0];
	return [means, halving.height, halving.width, halving.outHeight, halving.outWidth];
}
