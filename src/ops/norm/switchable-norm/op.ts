// Switchable normalization (Luo et al. 2018, https://arxiv.org/abs/1806.10779): the statistics are a
// learned mixture of those of instance, layer and batch norm.
//
//   y = (x - Σ w_k μ_k) / sqrt(Σ v_k σ²_k + eps) * weight + bias,  w, v = softmax of what is learned
//
// x is read as [N C, S]: one pass gathers the instances' statistics, the rest follows from those, one
// pass writes y; backward likewise one pass for two sums an instance, one for dx.

import { check } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { apply, checkFloat, empty, kernelsFor, type Op } from "../../op.ts";
import { checkedGeometry, resolveMomentum } from "../batch-norm/arguments.ts";
import { batchNormKernels, checkFinite } from "../batch-norm/fused.ts";
import { batchNorm } from "../batch-norm/op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { gradientByChannel } from "../shared/gradient-by-channel.ts";
import { channelStatistics } from "../shared/statistics.ts";
import {
	type InstanceStatistics,
	mix,
	mixGradient,
	type Source,
	type Statistics,
	softmax,
	softmaxGradient,
	statisticsBySource,
} from "./mixture.ts";

export interface SwitchableNormOptions {
	/** Scale, shape [C]; none: 1. */
	weight?: Tensor | null;
	/** Shift, shape [C]; none: 0. */
	bias?: Tensor | null;
	/** Logits of the weights of the means: [3] for instance, layer, batch; [2], layer and batch, for [N, C]. */
	meanWeight: Tensor;
	/** Logits of the weights of the variances, likewise. */
	varWeight: Tensor;
	/** Running mean of the batch statistics, shape [C]; updated in training, used in evaluation. */
	runningMean?: Tensor | null;
	/** Running variance, shape [C], likewise. */
	runningVar?: Tensor | null;
	/** Default false. */
	training?: boolean;
	/** Weight of the new batch in the running averages. Default 0.1. */
	momentum?: number;
	/** Weight of the old average instead. Give one of the two. */
	decay?: number;
	/** Added to the mixed variance. Default 1e-5. */
	eps?: number;
	/** Names the caller in errors. */
	name?: string;
}

interface Attrs extends ChannelGeometry {
	readonly what: string;
	readonly eps: number;
	readonly sources: readonly Source[];
	readonly training: boolean;
	readonly weightAt: number;
	readonly biasAt: number;
	readonly running: { mean: Tensor; var: Tensor; momentum: number } | null;
}

/** x as one example of N C channels. */
const instancesOf = ({ n, c, s }: ChannelGeometry) => ({ n: 1, c: n * c, s, start: 0, statsStart: 0, count: s });

const switchableNormOp: Op<Attrs> = {
	name: "switchableNorm",

	forward(inputs, attrs, ctx) {
		const [x, meanWeight, varWeight] = inputs;
		const { n, c, eps, training, running } = attrs;
		const part = instancesOf(attrs);
		const table = (rows: number, name: string) => empty([rows, n * c], x.backend, "float", `switchableNorm ${name}`);
		const y = empty(x.shape, x.backend, "float", "switchableNorm");
		const stats = table(4, "statistics");
		channelStatistics(x, stats, part, eps);
		checkFinite(attrs.what, x, stats, null, part);
		const { by, mixed } = mixture(stats, meanWeight, varWeight, attrs);
		if (training && running) updateRunning(running, by[attrs.sources.indexOf("batch")], c);
		// The mixture takes the place of the instances' own statistics in the table that `normalize` reads.
		const used = table(4, "mixture");
		writeStatistics(used, mixed, eps);
		const scale = perInstance(table(1, "scale"), inputs[attrs.weightAt], c, 1);
		const shift = perInstance(table(1, "shift"), inputs[attrs.biasAt], c, 0);
		kernelsFor(batchNormKernels, x).normalize({
			x,
			y,
			weight: scale,
			bias: shift,
			stats: used,
			part,
		});
		// Running statistics that evaluation used may have changed by the time backward runs.
		const constants = table(2, "batch statistics");
		const batch = by[attrs.sources.indexOf("batch")];
		constants.view().set([...batch.mean, ...batch.variance]);
		ctx.save(x, stats, meanWeight, varWeight, scale, constants);
		for (const tensor of [stats, used, scale, shift, constants]) tensor.dispose();
		return y;
	},

	backward(dy, { attrs, saved, needsGrad }) {
		const { n, c, s, eps, sources, weightAt, biasAt, training } = attrs;
		const [x, stats, meanWeight, varWeight, scale, constants] = saved;
		const size = n * c;
		const part = instancesOf(attrs);
		const float = (shape: readonly number[], name: string) =>
			empty(shape, x.backend, "float", `switchableNorm ${name}`);
		const instances = readInstances(stats, n, c);
		const fixed = constants.view();
		const batch = training ? null : { mean: fixed.subarray(0, c), variance: fixed.subarray(size, size + c) };
		const by = statisticsBySource(instances, sources, batch);
		const weights = { mean: softmax(meanWeight.view()), variance: softmax(varWeight.view()) };
		const mixed = mix(by, weights.mean, weights.variance);

		// A = sum dy and B = sum dy (x - μ_in) of each instance; with them every gradient but dx is at hand.
		const [sums, dots] = [float([size], "sums"), float([size], "dots")];
		kernelsFor(batchNormKernels, x).backward({
			x,
			dy,
			dx: null,
			weight: null,
			dweight: dots,
			dbias: sums,
			stats,
			training: true,
			part,
		});
		const [a, b, gamma, rstdIn] = [sums.view(), dots.view(), scale.view(), stats.view().subarray(2 * size)];
		const d: Statistics = { mean: new Float64Array(size), variance: new Float64Array(size) };
		const dGamma = new Float64Array(c);
		const dBeta = new Float64Array(c);
		for (let i = 0; i < size; i++) {
			const rstd = 1 / Math.sqrt(mixed.variance[i] + eps);
			// sum dy (x - M), M the mixed mean
			const dot = b[i] / rstdIn[i] + (instances.mean[i] - mixed.mean[i]) * a[i];
			dGamma[i % c] += rstd * dot;
			dBeta[i % c] += a[i];
			d.mean[i] = -gamma[i] * rstd * a[i];
			d.variance[i] = -0.5 * rstd ** 3 * gamma[i] * dot;
		}
		for (const tensor of [sums, dots]) tensor.dispose();
		const through = mixGradient(instances, sources, by, weights, d, !training);

		const grads: (Tensor | null)[] = [null, null, null];
		if (needsGrad[0]) {
			grads[0] = float(x.shape, "dx");
			const table = float([4, size], "dx table");
			const values = table.view();
			for (let i = 0; i < size; i++) {
				const center = Math.fround(instances.mean[i]);
				const slope = (2 * through.variance[i]) / s;
				values[i] = center;
				values[size + i] = gamma[i] / Math.sqrt(mixed.variance[i] + eps);
				values[2 * size + i] = slope;
				values[3 * size + i] = through.mean[i] / s + slope * (center - instances.mean[i]);
			}
			gradientByChannel({ x, dy, dx: grads[0], table, ...part });
			table.dispose();
		}
		const give = (index: number, values: ArrayLike<number>, name: string) => {
			if (!needsGrad[index]) return;
			const grad = float([values.length], name);
			grad.view().set(values);
			grads[index] = grad;
		};
		give(1, softmaxGradient(weights.mean, through.meanWeight), "dmeanWeight");
		give(2, softmaxGradient(weights.variance, through.varWeight), "dvarWeight");
		if (weightAt > 0) grads[weightAt] = null;
		if (biasAt > 0) grads[biasAt] = null;
		give(weightAt, dGamma, "dweight");
		give(biasAt, dBeta, "dbias");
		return grads;
	},
};

/** The statistics of each source, and what the weights make of them. */
function mixture(stats: Tensor, meanWeight: Tensor, varWeight: Tensor, attrs: Attrs) {
	const { n, c, sources, running, training } = attrs;
	const constants = training || !running ? null : { mean: running.mean.view(), variance: running.var.view() };
	const by = statisticsBySource(readInstances(stats, n, c), sources, constants);
	return { by, mixed: mix(by, softmax(meanWeight.view()), softmax(varWeight.view())) };
}

function readInstances(stats: Tensor, n: number, c: number): InstanceStatistics {
	const table = stats.view();
	const size = n * c;
	return {
		n,
		c,
		mean: Float64Array.from({ length: size }, (_, i) => table[i] + table[size + i]),
		variance: Float64Array.from(table.subarray(3 * size, 4 * size)),
	};
}

function writeStatistics(stats: Tensor, { mean, variance }: Statistics, eps: number): void {
	const table = stats.view();
	const size = mean.length;
	for (let i = 0; i < size; i++) {
		table[i] = mean[i];
		table[size + i] = mean[i] - table[i];
		table[2 * size + i] = 1 / Math.sqrt(variance[i] + eps);
		table[3 * size + i] = variance[i];
	}
}

/** A value a channel, or `otherwise`, repeated for each example. */
function perInstance(target: Tensor, source: Tensor | undefined, c: number, otherwise: number): Tensor {
	const values = source?.view();
	const out = target.view();
	for (let i = 0; i < out.length; i++) out[i] = values?.[i % c] ?? otherwise;
	return target;
}

function updateRunning(running: NonNullable<Attrs["running"]>, batch: Statistics, c: number): void {
	const { momentum } = running;
	const update = (tensor: Tensor, values: Float64Array) => {
		const view = tensor.view();
		for (let channel = 0; channel < c; channel++) {
			view[channel] = (1 - momentum) * view[channel] + momentum * values[channel];
		}
		tensor.storage.version++;
	};
	update(running.mean, batch.mean);
	update(running.var, batch.variance);
}

/**
 * Switchable normalization of x, `[N, C]` or `[N, C, L…]`. In evaluation the batch's part comes from the
 * running statistics. All variances are biased, the tracked one too (the paper's). An empty batch gives
 * an empty result and changes nothing.
 *
 * @throws EvenkeelError if shapes do not fit, evaluation has no running statistics, or x holds NaN or
 *   infinity (the running statistics then stay what they were)
 * @see Luo et al. 2018, https://arxiv.org/abs/1806.10779
 */
export function switchableNorm(x: Tensor, options: SwitchableNormOptions): Tensor {
	const { weight = null, bias = null, meanWeight, varWeight, runningMean = null, runningVar = null } = options;
	const { training = false, eps = 1e-5, name: what = "switchableNorm" } = options;
	const geometry = checkedGeometry(what, x, { weight, bias, runningMean, runningVar }, eps);
	const { n, c, s } = geometry;
	const sources: Source[] = x.ndim === 2 ? ["layer", "batch"] : ["instance", "layer", "batch"];
	for (const [name, tensor] of Object.entries({ meanWeight, varWeight })) {
		checkFloat(`${what}: ${name}`, tensor);
		check(
			tensor.ndim === 1 && tensor.size === sources.length,
			() =>
				`${what}: ${name} has shape [${tensor.shape.join(", ")}], expected [${sources.length}]: ${sources.join(", ")}`,
		);
	}
	check(
		training || (runningMean !== null && runningVar !== null),
		() => `${what}: evaluation needs runningMean and runningVar for the batch's part; pass them, or training: true`,
	);
	// Nothing to average: an empty result, and nothing changes.
	if (x.size === 0) return batchNorm(x, { weight, bias, training: true, eps, name: what });
	check(c * s > 1 || n > 1, () => `${what}: there is a single value to average over; its variance is 0`);
	const momentum = resolveMomentum(options, what) ?? 0.1;
	const running = runningMean && runningVar ? { mean: runningMean, var: runningVar, momentum } : null;
	const inputs = [x, meanWeight, varWeight];
	const weightAt = weight ? inputs.push(weight) - 1 : -1;
	const biasAt = bias ? inputs.push(bias) - 1 : -1;
	return apply(switchableNormOp, inputs, { what, eps, sources, training, weightAt, biasAt, running, ...geometry });
}
