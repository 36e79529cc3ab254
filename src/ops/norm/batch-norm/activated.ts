// Launching the kernels of activated.as.ts.

import type { WasmBackend } from "../../../backend/wasm/wasm-backend.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { addressOf, channelsAtOnce, type Located, launchByBlock, SCRATCH_BYTES } from "../shared/statistics.ts";
import {
	isApart,
	isHeldOrLong,
	launchGradients,
	launchStatistics,
	type NormBackward,
	type NormForward,
} from "./apart.ts";
import type { Following, Halving } from "./fused.ts";
import { cutOf, SUMS_BYTES } from "./pieces.ts";

/** Channels that a thread has at least where channels are what threads take. */
const CHANNELS = 4;
/** Planes that are kept at a time between means and what comes before them: GROUP in the kernels. */
const PLANES = 16;

interface Forward extends NormForward {
	/** Where the means go, if there are some. */
	readonly pooled: Tensor | null | undefined;
	readonly halving: Halving | null | undefined;
}

/** dy is the gradient of y, or of the means where there are some; dx may be y, and what arrives at the norm stands there meanwhile. */
interface Backward extends NormBackward {
	readonly y: Located;
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
	if (isHeldOrLong(part, 1)) {
		// JavaScript, which looks at the statistics before it goes on, does so while y is made.
		const last = launchStatistics(args, eps, like, part);
		normalizeThen(following, args, like, part);
		return last;
	}
	const { n, c, s } = part;
	const { pieces, rows } = cutOf(part, 1);
	const backend = wasmOf(like);
	const sums = pieces > 1 ? backend.take(c * pieces * SUMS_BYTES) : 0;
	const addresses = [args.x, args.y, args.weight, args.bias, args.stats].map(addressOf);
	const numbers = [...halvingArgs(addressOf(args.pooled ?? null), args.halving), eps, pieces, rows];
	const grain = channelsAtOnce(part, backend.threads);
	backend.launch(`batch_norm_${following}_forward`, [...addresses, sums, n, c, s, ...numbers], c, grain, SCRATCH_BYTES);
	if (sums !== 0) backend.giveBack(sums);
	return backend.last;
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
	const cut = cutOf(part, 2);
	const { pieces, rows } = cut;
	const backend = wasmOf(like);
	const sums = backend.take(c * pieces * SUMS_BYTES);
	const [x, dy, y, dx, stats] = [args.x, args.dy, args.y, args.dx, args.stats].map(addressOf);
	const halves = halvingArgs(dy, args.halving);
	const scratch = args.halving ? 4 * PLANES * s : 0;
	const grain = channelsAtOnce(part, backend.threads);
	if (isApart(part, 2) || hasFewChannels(part, backend)) {
		const through = [x, dy, y, dx, stats, sums, n, c, s, ...halves, pieces, rows];
		backend.launch(`batch_norm_${following}_sums`, through, c * pieces, pieces > 1 ? 1 : grain, scratch);
		launchGradients({ ...args, dy: args.dx, sums }, backend, part, cut);
	} else {
		const affine = [args.weight, args.dweight, args.dbias].map(addressOf);
		const all = [x, dy, y, dx, ...affine, stats, sums, n, c, s, ...halves, args.training ? 1 : 0, pieces, rows];
		backend.launch(`batch_norm_${following}_backward`, all, c, grain, scratch);
	}
	backend.giveBack(sums);
}

/** Whether threads share each channel because they have few. Bits are the same. */
function hasFewChannels(part: ChannelGeometry, { threads }: WasmBackend): boolean {
	return threads > 1 && part.c < CHANNELS * threads && isHeldOrLong(part, 2);
}

/** What kernels are told of the means; zeros where there are none. */
function halvingArgs(means: number, halving: Halving | null | undefined): number[] {
	if (!halving) return [0, 0, 0, 0, 0];
	return [means, halving.height, halving.width, halving.outHeight, halving.outWidth];
}
