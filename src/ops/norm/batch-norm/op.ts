// Batch normalization (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167):
//
//   y = (x - E[x]) / sqrt(Var[x] + eps) * weight + bias
//
// with mean and biased variance over every axis but the channels'. One op forward, one backward.

import { check } from "../../../errors.ts";
import { isFloat } from "../../../tensor/dtype.ts";
import { formatShape, normalizeAxis, sameShape } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { toFloat } from "../../elementwise/cast.ts";
import { apply } from "../../op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { checkedGeometry, checkRunningVariance, type RunningVariance, resolveMomentum } from "./arguments.ts";
import { activations, followedBy } from "./following.ts";
import { batchNormOp, canFollow, type Following, type Halving, type Part } from "./fused.ts";

export interface BatchNormOptions {
	/** Scale, shape [C]; none: 1. */
	weight?: Tensor | null;
	/** Shift, shape [C]; none: 0. */
	bias?: Tensor | null;
	/** Running mean, shape [C], used in evaluation and updated in place in training. */
	runningMean?: Tensor | null;
	/** Running variance, shape [C], likewise. */
	runningVar?: Tensor | null;
	/** Normalize by the batch's own statistics (true) or by the running ones. Default false, as PyTorch. */
	training?: boolean;
	/** Weight of the new batch in the running averages. Default 0.1 (PyTorch). */
	momentum?: number;
	/** Weight of the old average instead (Keras, ONNX, the textbooks' 0.9). Give one of the two. */
	decay?: number;
	/** Added to the variance. Default 1e-5 (PyTorch, Flax, ONNX; Keras has 1e-3). */
	eps?: number;
	/** The variance that is tracked: n / (n - 1) times the batch's (`"unbiased"`, PyTorch, default) or the batch's own (Keras, ONNX). */
	runningVariance?: RunningVariance;
	/** The axis that holds the channels. Default 1; -1 for channels last. */
	channelAxis?: number;
	/**
	 * Which positions count in the statistics of training: 1 or true for yes, 0 for padding; x's shape
	 * without the channel axis, for example `[N, L]`. Padded positions are normalized like the others
	 * and may hold anything.
	 */
	mask?: Tensor | null;
	/**
	 * In training split the batch into virtual ("ghost") batches of this many examples, each normalized
	 * by its own statistics (Hoffer et al. 2017, https://arxiv.org/abs/1705.08741). The running
	 * statistics take them in one after the other; what is left at the end is a smaller one.
	 */
	virtualBatchSize?: number;
	/**
	 * Applied to the normalized, scaled and shifted values, in the same pass where that can be: the same
	 * bits as `relu(batchNorm(x))`, for one pass over memory less each way. Default: nothing.
	 */
	activation?: Following;
	/**
	 * 2 averages over windows of 2 x 2 that touch after that, of `[N, C, H, W]`: in the same pass where that can be, with
	 * the bits of `avgPool2d(y, 2)`. Default: nothing.
	 */
	averagePool?: 2;
	/** Names the caller in errors: `BatchNorm2d "bn1"`. */
	name?: string;
}

/**
 * Batch normalization of x, `[N, C]`, `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`, per channel:
 *
 *     y = (x - mean) / sqrt(var + eps) * weight + bias
 *
 * In training, mean and biased variance are those of the batch, gradients flow through them, and
 * `runningMean` and `runningVar`, if given, become `(1 - momentum) * running + momentum * batch`.
 * Otherwise they are the running ones. An empty batch gives an empty result and changes nothing.
 *
 * Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167; conventions of PyTorch's
 * `torch.nn.functional.batch_norm`.
 *
 * @throws EvenkeelError if shapes do not fit; if training meets one value a channel, whose variance
 * says nothing; if a channel of the batch holds NaN or infinity — the running statistics then stay
 * what they were; if both `momentum` and `decay` are given.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): Tensor {
	const { weight = null, bias = null, runningMean = null, runningVar = null, training = false, eps = 1e-5 } = options;
	const { runningVariance = "unbiased", activation = null, averagePool } = options;
	const what = options.name ?? "batchNorm";
	const perChannel = { weight, bias, runningMean, runningVar };
	const geometry = checkedGeometry(what, x, perChannel, eps, options.channelAxis);
	check(
		training || runningMean !== null,
		() => `${what}: evaluation normalizes by running statistics, and there are none; pass them, or training: true`,
	);
	checkRunningVariance(what, runningVariance);
	check(
		averagePool === undefined || averagePool === 2,
		() => `${what}: averagePool is 2 or left out, got ${averagePool}; for other windows use avgPool2d`,
	);
	const running =
		runningMean && runningVar
			? {
					mean: runningMean,
					var: runningVar,
					momentum: resolveMomentum(options, what) ?? 0.1,
					unbiased: runningVariance === "unbiased",
				}
			: null;
	const mask = training && options.mask ? positionMask(what, x, options.mask, options.channelAxis ?? 1) : null;
	const parts = training ? partsOf(what, x, geometry, mask, options.virtualBatchSize) : [whole(geometry, mask)];
	for (const part of training ? parts : []) {
		check(part.count !== 0 || x.size === 0, () => `${what}: the mask leaves out every position of the batch`);
		check(part.count !== 1, () => oneValue(what, x, parts.length));
	}
	check(
		activation === null || activation in activations,
		() => `${what}: activation is ${Object.keys(activations).join(" or ")}, got ${JSON.stringify(activation)}`,
	);
	const following = canFollow(x, geometry, mask) ? activation : null;
	const halving = averagePool && following && parts.length === 1 ? halvingOf(x, options.channelAxis) : null;
	const inputs = [x];
	const weightAt = weight ? inputs.push(weight) - 1 : -1;
	const biasAt = bias ? inputs.push(bias) - 1 : -1;
	const maskAt = mask ? inputs.push(mask) - 1 : -1;
	const places = { weightAt, biasAt, maskAt };
	const y = apply(batchNormOp, inputs, { what, eps, training, parts, ...places, running, following, halving });
	return followedBy(y, following ? null : activation, halving ? undefined : averagePool);
}

/** The planes whose windows of 2 x 2 are averaged; null where x has none. */
function halvingOf(x: Tensor, channelAxis = 1): Halving | null {
	const [height, width] = x.shape.slice(2);
	if (x.ndim !== 4 || channelAxis !== 1 || x.size === 0 || height < 2 || width < 2) return null;
	return { height, width, outHeight: height >> 1, outWidth: width >> 1 };
}

function whole(geometry: ChannelGeometry, mask: Tensor | null): Part {
	let count = geometry.n * geometry.s;
	if (mask) {
		count = 0;
		for (const value of mask.view()) if (value !== 0) count++;
	}
	return { n: geometry.n, c: geometry.c, s: geometry.s, start: 0, statsStart: 0, count };
}

/** The batch as one part, or cut into virtual batches. */
function partsOf(what: string, x: Tensor, geometry: ChannelGeometry, mask: Tensor | null, size?: number): Part[] {
	if (size === undefined || x.size === 0) return [whole(geometry, mask)];
	check(
		Number.isInteger(size) && size >= 1,
		() => `${what}: virtualBatchSize must be a whole number of at least 1, got ${size}`,
	);
	check(mask === null, () => `${what}: virtualBatchSize and mask do not go together; leave one of them out`);
	const { c, s } = geometry;
	// With other channel axes n counts more than examples.
	const rows = size * (geometry.n / x.shape[0]);
	const parts: Part[] = [];
	for (let from = 0; from < geometry.n; from += rows) {
		const n = Math.min(rows, geometry.n - from);
		parts.push({ n, c, s, start: from * c * s, statsStart: parts.length * 4 * c, count: n * s });
	}
	return parts;
}

/** The mask as floating 0 and 1, after a look at its shape. */
function positionMask(what: string, x: Tensor, mask: Tensor, channelAxis: number): Tensor {
	const axis = normalizeAxis(channelAxis, x.ndim, what);
	const expected = x.shape.filter((_, i) => i !== axis);
	check(
		sameShape(mask.shape, expected),
		() =>
			`${what}: the mask has shape ${formatShape(mask.shape)}, expected ${formatShape(expected)}: one value a position, ` +
			"without the channel axis",
	);
	return isFloat(mask.dtype) ? mask : toFloat(mask);
}

function oneValue(what: string, x: Tensor, parts: number): string {
	return (
		`${what}: training needs more than one value a channel, got shape [${x.shape.join(", ")}]` +
		`${parts > 1 ? ` in ${parts} virtual batches` : ""}: the variance of a ` +
		"single value is 0. Use a larger batch (dropLast leaves out a last batch of one), eval() to normalize by the " +
		"running statistics, or a norm that does not average over the batch"
	);
}
