// The running statistics of one batch norm over several forwards, taken in together at their end.

import type { BatchNorm } from "../nn/layers/batch-norm.ts";
import { channelGeometry } from "../ops/norm/shared/geometry.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Mean and biased variance of so many values a channel. */
export interface RunningAverages {
	count: number;
	mean: Float64Array;
	variance: Float64Array;
}

export interface StatisticsCounter {
	/** The statistics of all forwards so far together. */
	merged(): RunningAverages;
	/** Lets the layer be as it was. */
	stop(): void;
	/** Moves the running statistics once. */
	apply(whole: RunningAverages): void;
}

/**
 * Watches the forwards of `layer`. With momentum 1 its running statistics are those of the batch it has just seen: they
 * are read off after each forward, and put back, since renormalization and evaluation lean on them.
 */
export function statisticsCounter(layer: BatchNorm): StatisticsCounter {
	const { momentum } = layer;
	const [mean, variance, batches] = [layer.runningMean, layer.runningVar, layer.numBatchesTracked].map(
		(tensor) => tensor as Tensor,
	);
	const before = [mean, variance, batches].map((tensor) => tensor.dataSync());
	const restore = () => {
		[mean, variance, batches].forEach((tensor, i) => {
			write(tensor, before[i]);
		});
	};
	const whole: RunningAverages = {
		count: 0,
		mean: new Float64Array(layer.numFeatures),
		variance: new Float64Array(layer.numFeatures),
	};
	layer.momentum = 1;
	const remove = layer.registerForwardHook((_, [x, mask]) => {
		if (x.size > 0 && layer.training) {
			const { n, s } = channelGeometry(x.shape, layer.label, layer.channelAxis);
			const count = mask ? Array.from(mask.view().subarray(0, mask.size)).filter((v) => v !== 0).length : n * s;
			merge(whole, count, mean.view(), variance.view(), unbiasedFactor(layer, count));
		}
		restore();
		return undefined;
	});
	return {
		merged: () => whole,
		stop() {
			remove();
			layer.momentum = momentum;
			restore();
		},
		apply({ count, mean: batchMean, variance: batchVariance }) {
			if (count === 0) return;
			const weight = momentum ?? 1 / (before[2][0] + 1);
			const factor = unbiasedFactor(layer, count);
			write(
				mean,
				before[0].map((old, i) => (1 - weight) * old + weight * batchMean[i]),
			);
			write(
				variance,
				before[1].map((old, i) => (1 - weight) * old + weight * factor * batchVariance[i]),
			);
			write(batches, [before[2][0] + 1]);
		},
	};
}

/** What the tracked variance is of the biased one. */
function unbiasedFactor(layer: BatchNorm, count: number): number {
	return layer.runningVariance === "unbiased" ? count / (count - 1) : 1;
}

/** Chan's rule, for a batch whose variance was multiplied by `factor`. */
function merge(
	whole: RunningAverages,
	count: number,
	mean: ArrayLike<number>,
	variance: ArrayLike<number>,
	factor: number,
): void {
	const total = whole.count + count;
	for (let i = 0; i < whole.mean.length; i++) {
		const delta = mean[i] - whole.mean[i];
		const squares = whole.variance[i] * whole.count + (variance[i] / factor) * count;
		whole.variance[i] = (squares + (delta * delta * whole.count * count) / total) / total;
		whole.mean[i] += (delta * count) / total;
	}
	whole.count = total;
}

function write(tensor: Tensor, values: ArrayLike<number>): void {
	tensor.view().set(values);
	tensor.storage.version++;
}
