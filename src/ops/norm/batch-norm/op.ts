// Batch normalization (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167):
//
//   y = (x - E[x]) / sqrt(Var[x] + eps) * weight + bias
//
// with mean and biased variance over every axis but the channels'. One op forward, one backward.

import { check, EvenkeelError } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { apply, checkFloat, empty, type KernelSet, kernelsFor, type Op } from "../../op.ts";
import { type ChannelGeometry, channelGeometry, checkPerChannel } from "../shared/geometry.ts";
import { referenceBatchNorm } from "./reference.ts";
import { type RunningStatistics, updateRunningStatistics } from "./running-statistics.ts";
import { wasmBatchNorm } from "./wasm.ts";

interface Common extends ChannelGeometry {
	readonly x: Tensor;
	readonly weight: Tensor | null;
	/** Four rows of C: mean, the rest of the mean that float32 does not hold, rstd, variance. */
	readonly stats: Tensor;
}

export interface BatchNormKernels {
	/** Statistics of x into `stats`, and y from them. */
	forward(args: Common & { y: Tensor; bias: Tensor | null; eps: number }): void;
	/** y from given statistics. */
	normalize(args: Common & { y: Tensor; bias: Tensor | null }): void;
	/** dx, dweight and dbias, each where it is not null. */
	backward(
		args: Common & { dy: Tensor; dx: Tensor | null; dweight: Tensor | null; dbias: Tensor | null; training: boolean },
	): void;
}

const kernels: KernelSet<BatchNormKernels> = { reference: referenceBatchNorm, wasm: wasmBatchNorm };

interface Attrs {
	readonly what: string;
	readonly eps: number;
	readonly training: boolean;
	/** Places of the optional inputs, -1 where they are absent. */
	readonly weightAt: number;
	readonly biasAt: number;
	readonly running: RunningStatistics | null;
}

const batchNormOp: Op<Attrs> = {
	name: "batchNorm",

	forward(inputs, attrs, ctx) {
		const x = inputs[0];
		const weight = inputs[attrs.weightAt] ?? null;
		const bias = inputs[attrs.biasAt] ?? null;
		const geometry = channelGeometry(x.shape, attrs.what);
		const y = empty(x.shape, x.backend, "float", "batchNorm");
		const stats = empty([4, geometry.c], x.backend, "float", "batchNorm statistics");
		const args = { x, y, weight, bias, stats, ...geometry, eps: attrs.eps };
		if (x.size === 0) stats.view().fill(0);
		else if (attrs.training) {
			kernelsFor(kernels, x).forward(args);
			checkFinite(attrs.what, x, stats, geometry);
			if (attrs.running) updateRunningStatistics(attrs.running, stats, geometry);
		} else {
			statisticsFromRunning(stats, attrs.running as RunningStatistics, geometry.c, attrs.eps);
			kernelsFor(kernels, x).normalize(args);
		}
		if (ctx.recording) ctx.save(x, stats, ...(weight ? [weight] : []));
		stats.dispose();
		return y;
	},

	backward(dy, { attrs, saved, needsGrad }) {
		const [x, stats, weight = null] = saved;
		const geometry = channelGeometry(x.shape, attrs.what);
		const perChannel = (name: string) => empty([geometry.c], x.backend, "float", name);
		const dx = needsGrad[0] ? empty(x.shape, x.backend, "float", "batchNorm dx") : null;
		const dweight = needsGrad[attrs.weightAt] ? perChannel("batchNorm dweight") : null;
		const dbias = needsGrad[attrs.biasAt] ? perChannel("batchNorm dbias") : null;
		const { training } = attrs;
		if (x.size === 0) for (const sum of [dweight, dbias]) sum?.view().fill(0);
		else kernelsFor(kernels, x).backward({ x, dy, dx, weight, dweight, dbias, stats, ...geometry, training });
		const grads: (Tensor | null)[] = [dx];
		if (attrs.weightAt > 0) grads[attrs.weightAt] = dweight;
		if (attrs.biasAt > 0) grads[attrs.biasAt] = dbias;
		return grads;
	},
};

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
	runningVariance?: "unbiased" | "biased";
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
	const what = options.name ?? "batchNorm";
	checkFloat(what, x);
	const geometry = channelGeometry(x.shape, what);
	for (const [name, tensor] of Object.entries({ weight, bias, runningMean, runningVar })) {
		checkPerChannel(what, name, tensor, geometry.c);
	}
	check(eps >= 0, () => `${what}: eps must be at least 0, got ${eps}`);
	check(
		(runningMean === null) === (runningVar === null),
		() => `${what}: runningMean and runningVar come together; one of them is missing`,
	);
	check(
		training || runningMean !== null,
		() => `${what}: evaluation normalizes by running statistics, and there are none; pass them, or training: true`,
	);
	check(!training || geometry.n * geometry.s !== 1, () => oneValue(what, x));
	const running =
		runningMean && runningVar
			? {
					mean: runningMean,
					var: runningVar,
					momentum: resolveMomentum(options, what) ?? 0.1,
					unbiased: (options.runningVariance ?? "unbiased") === "unbiased",
				}
			: null;
	const inputs = [x];
	const weightAt = weight ? inputs.push(weight) - 1 : -1;
	const biasAt = bias ? inputs.push(bias) - 1 : -1;
	return apply(batchNormOp, inputs, { what, eps, training, weightAt, biasAt, running });
}

/**
 * The weight of the new batch from whichever convention was used; null for the cumulative average,
 * undefined where neither was given.
 */
export function resolveMomentum(
	{ momentum, decay }: { momentum?: number | null; decay?: number },
	what: string,
): number | null | undefined {
	check(
		momentum === undefined || decay === undefined,
		() =>
			`${what}: momentum (${momentum}, the weight of the new batch) and decay (${decay}, the weight of the old ` +
			"average) were both given; give one, decay = 1 - momentum",
	);
	for (const [name, value] of Object.entries({ momentum, decay })) {
		check(
			value === undefined || value === null || (value >= 0 && value <= 1),
			() => `${what}: ${name} must be between 0 and 1, got ${value}`,
		);
	}
	return decay === undefined ? momentum : 1 - decay;
}

function statisticsFromRunning(stats: Tensor, running: RunningStatistics, c: number, eps: number): void {
	const table = stats.view();
	const mean = running.mean.view();
	const variance = running.var.view();
	for (let channel = 0; channel < c; channel++) {
		table[channel] = mean[channel];
		table[c + channel] = 0;
		table[2 * c + channel] = 1 / Math.sqrt(variance[channel] + eps);
		table[3 * c + channel] = variance[channel];
	}
}

function checkFinite(what: string, x: Tensor, stats: Tensor, { n, c, s }: ChannelGeometry): void {
	const table = stats.view();
	for (let channel = 0; channel < c; channel++) {
		if (Number.isFinite(table[channel]) && Number.isFinite(table[3 * c + channel])) continue;
		const values = x.view();
		let found = "values too large for their variance to be represented";
		search: for (let example = 0; example < n; example++) {
			for (let i = 0; i < s; i++) {
				const value = values[(example * c + channel) * s + i];
				if (!Number.isFinite(value)) {
					found = `${value} in example ${example}`;
					break search;
				}
			}
		}
		throw new EvenkeelError(
			`${what}: channel ${channel} of the batch holds ${found}; the running statistics were left as they were. ` +
				"Check the input data, or lower the learning rate if the values grew in training",
		);
	}
}

function oneValue(what: string, x: Tensor): string {
	return (
		`${what}: training needs more than one value a channel, got shape [${x.shape.join(", ")}]: the variance of a ` +
		"single value is 0. Use a larger batch (dropLast leaves out a last batch of one), eval() to normalize by the " +
		"running statistics, or a norm that does not average over the batch"
	);
}
