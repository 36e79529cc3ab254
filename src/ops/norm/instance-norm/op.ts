// Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016, https://arxiv.org/abs/1607.08022):
// each channel of each example by its own mean and variance over the positions.

import { check } from "../../../errors.ts";
import { formatShape } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import {
	checkedGeometry,
	checkRunningVariance,
	type RunningVariance,
	resolveMomentum,
} from "../batch-norm/arguments.ts";
import { batchNorm } from "../batch-norm/op.ts";
import { groupedNorm } from "../shared/grouped.ts";
import { updateInstanceStatistics } from "./running-statistics.ts";

export interface InstanceNormOptions {
	/** Scale, shape [C]; none: 1. */
	weight?: Tensor | null;
	/** Shift, shape [C]; none: 0. */
	bias?: Tensor | null;
	/** Running mean, shape [C]: updated where `useInputStats`, used otherwise. */
	runningMean?: Tensor | null;
	/** Running variance, shape [C], likewise. */
	runningVar?: Tensor | null;
	/** Normalize by the input's own statistics. Default true; false needs running ones. */
	useInputStats?: boolean;
	/** Weight of the new batch in the running averages. Default 0.1 (PyTorch). */
	momentum?: number;
	/** Weight of the old average instead. Give one of the two. */
	decay?: number;
	/** The variance that is tracked: `"unbiased"` (PyTorch, default) or `"biased"`. */
	runningVariance?: RunningVariance;
	/** Added to the variance. Default 1e-5 (PyTorch). */
	eps?: number;
	/** Names the caller in errors. */
	name?: string;
}

/**
 * y = (x - mean) / sqrt(var + eps) * weight + bias for x of `[N, C, L…]`, mean and biased variance
 * over the positions of one channel of one example. Running statistics, if given, follow the mean over
 * the batch of each example's mean and unbiased variance (PyTorch), or its biased one if asked.
 *
 * @throws EvenkeelError if a channel holds a single value, or x holds NaN or infinity
 * @see Ulyanov, Vedaldi and Lempitsky 2016, https://arxiv.org/abs/1607.08022
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
	const { weight = null, bias = null, runningMean = null, runningVar = null, eps = 1e-5 } = options;
	const { useInputStats = true, runningVariance = "unbiased", name: what = "instanceNorm" } = options;
	const { n, c, s } = checkedGeometry(what, x, { weight, bias, runningMean, runningVar }, eps);
	const momentum = resolveMomentum(options, what) ?? 0.1;
	checkRunningVariance(what, runningVariance);
	if (!useInputStats) return batchNorm(x, { weight, bias, runningMean, runningVar, eps, name: what });
	check(
		s > 1 || n === 0,
		() =>
			`${what}: a channel of one example holds a single value (shape ${formatShape(x.shape)}), whose variance is 0; ` +
			"instance norm needs positions to average over",
	);
	const geometry = { groups: n * c, length: s, span: s, period: c, centered: true };
	const y = groupedNorm(x, geometry, { weight, bias, eps, what });
	if (runningMean && runningVar && n > 0) {
		const unbiased = runningVariance === "unbiased";
		updateInstanceStatistics(x, { n, c, s }, { mean: runningMean, var: runningVar, momentum, unbiased });
	}
	return y;
}
