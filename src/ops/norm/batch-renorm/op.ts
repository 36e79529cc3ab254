// Batch renormalization (Ioffe 2017, https://arxiv.org/abs/1702.03275): batch normalization whose
// training output is corrected towards what evaluation would give.
//
//   r = clip(σ / σ_run, 1 / rMax, rMax)        y = ((x - μ) / σ * r + d) * weight + bias
//   d = clip((μ - μ_run) / σ_run, -dMax, dMax)
//
// No gradient flows through r and d. rMax 1 and dMax 0 are batch normalization.

import { check } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { apply, empty, kernelsFor, type Op } from "../../op.ts";
import {
	checkedGeometry,
	checkRunningVariance,
	type RunningVariance,
	resolveMomentum,
} from "../batch-norm/arguments.ts";
import { batchNormKernels, checkFinite, type Part } from "../batch-norm/fused.ts";
import { batchNorm } from "../batch-norm/op.ts";
import { type RunningStatistics, updateRunningStatistics } from "../batch-norm/running-statistics.ts";
import { channelStatistics } from "../shared/statistics.ts";

export interface BatchRenormOptions {
	/** Scale, shape [C]; none: 1. */
	weight?: Tensor | null;
	/** Shift, shape [C]; none: 0. */
	bias?: Tensor | null;
	/** Running mean, shape [C]; updated in training. */
	runningMean: Tensor;
	/** Running variance, shape [C]; updated in training. */
	runningVar: Tensor;
	/** Default false. */
	training?: boolean;
	/** Largest correction of the scale, at least 1. Default 3, where the paper's schedule ends. */
	rMax?: number;
	/** Largest correction of the mean, in deviations, at least 0. Default 5, where the paper's schedule ends. */
	dMax?: number;
	/** Weight of the new batch in the running averages. Default 0.01 (the paper's). */
	momentum?: number;
	/** Weight of the old average instead. Give one of the two. */
	decay?: number;
	/** Added to the variance. Default 1e-5. */
	eps?: number;
	/** The variance that is tracked: `"biased"` (the paper's, default) or `"unbiased"`. */
	runningVariance?: RunningVariance;
	/** Names the caller in errors. */
	name?: string;
}

interface Attrs {
	readonly what: string;
	readonly eps: number;
	readonly rMax: number;
	readonly dMax: number;
	readonly part: Part;
	readonly weightAt: number;
	readonly biasAt: number;
	readonly running: RunningStatistics;
}

const clip = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

const batchRenormOp: Op<Attrs> = {
	name: "batchRenorm",

	forward(inputs, { what, eps, rMax, dMax, part, weightAt, biasAt, running }, ctx) {
		const x = inputs[0];
		const { c } = part;
		const perChannel = (name: string) => empty([c], x.backend, "float", name);
		const stats = empty([4, c], x.backend, "float", "batchRenorm statistics");
		const y = empty(x.shape, x.backend, "float", "batchRenorm");
		// The scale and shift in effect, and what they were corrected by.
		const [scale, shift, r, d] = ["scale", "shift", "r", "d"].map(perChannel);
		channelStatistics(x, stats, part, eps);
		checkFinite(what, x, stats, null, part);
		const [table, rs, ds, scales, shifts] = [stats, r, d, scale, shift].map((tensor) => tensor.view());
		const weight = inputs[weightAt]?.view();
		const bias = inputs[biasAt]?.view();
		for (let channel = 0; channel < c; channel++) {
			const sigma = Math.sqrt(table[3 * c + channel] + eps);
			const runningSigma = Math.sqrt(running.var.view()[channel] + eps);
			const mean = table[channel] + table[c + channel];
			rs[channel] = clip(sigma / runningSigma, 1 / rMax, rMax);
			ds[channel] = clip((mean - running.mean.view()[channel]) / runningSigma, -dMax, dMax);
			scales[channel] = rs[channel] * (weight?.[channel] ?? 1);
			shifts[channel] = ds[channel] * (weight?.[channel] ?? 1) + (bias?.[channel] ?? 0);
		}
		kernelsFor(batchNormKernels, x).normalize({
			x,
			y,
			weight: scale,
			bias: shift,
			stats,
			part,
		});
		updateRunningStatistics(running, stats, part);
		ctx.save(x, stats, scale, r, d);
		for (const tensor of [stats, scale, shift, r, d]) tensor.dispose();
		return y;
	},

	backward(dy, { attrs, saved, needsGrad }) {
		const { part, weightAt, biasAt } = attrs;
		const [x, stats, scale, r, d] = saved;
		const perChannel = (name: string) => empty([part.c], x.backend, "float", name);
		const dx = needsGrad[0] ? empty(x.shape, x.backend, "float", "batchRenorm dx") : null;
		const dweight = needsGrad[weightAt] ? perChannel("batchRenorm dweight") : null;
		const dbias = needsGrad[biasAt] || dweight ? perChannel("batchRenorm dbias") : null;
		kernelsFor(batchNormKernels, x).backward({
			x,
			dy,
			dx,
			weight: scale,
			dweight,
			dbias,
			stats,
			training: true,
			part,
		});
		if (dweight && dbias) {
			const [dw, db, rs, ds] = [dweight, dbias, r, d].map((tensor) => tensor.view());
			for (let channel = 0; channel < part.c; channel++) {
				dw[channel] = rs[channel] * dw[channel] + ds[channel] * db[channel];
			}
		}
		const grads: (Tensor | null)[] = [dx];
		if (weightAt > 0) grads[weightAt] = dweight;
		if (biasAt > 0) grads[biasAt] = needsGrad[biasAt] ? dbias : null;
		if (!needsGrad[biasAt]) dbias?.dispose();
		return grads;
	},
};

/**
 * Batch renormalization of x, `[N, C, …]`. In evaluation the same as {@link batchNorm}.
 *
 * @throws EvenkeelError as batchNorm does, and if rMax is below 1 or dMax below 0
 * @see Ioffe 2017, https://arxiv.org/abs/1702.03275
 */
export function batchRenorm(x: Tensor, options: BatchRenormOptions): Tensor {
	const { weight = null, bias = null, runningMean, runningVar, training = false, eps = 1e-5 } = options;
	const { rMax = 3, dMax = 5, runningVariance = "biased", name: what = "batchRenorm" } = options;
	check(runningMean && runningVar, () => `${what}: runningMean and runningVar are what it corrects towards; pass both`);
	const geometry = checkedGeometry(what, x, { weight, bias, runningMean, runningVar }, eps);
	const momentum = resolveMomentum(options, what) ?? 0.01;
	checkRunningVariance(what, runningVariance);
	check(rMax >= 1, () => `${what}: rMax must be at least 1, got ${rMax}`);
	check(dMax >= 0, () => `${what}: dMax must be at least 0, got ${dMax}`);
	if (!training || x.size === 0) {
		return batchNorm(x, { weight, bias, runningMean, runningVar, eps, name: what });
	}
	const count = geometry.n * geometry.s;
	check(
		count > 1,
		() =>
			`${what}: training needs more than one value a channel, got shape [${x.shape.join(", ")}]; use a larger batch`,
	);
	const running = { mean: runningMean, var: runningVar, momentum, unbiased: runningVariance === "unbiased" };
	const inputs = [x];
	const weightAt = weight ? inputs.push(weight) - 1 : -1;
	const biasAt = bias ? inputs.push(bias) - 1 : -1;
	const part = { ...geometry, start: 0, statsStart: 0, count };
	return apply(batchRenormOp, inputs, { what, eps, rMax, dMax, part, weightAt, biasAt, running });
}
