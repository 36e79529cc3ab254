// The running averages that evaluation normalizes by.

import type { Tensor } from "../../../tensor/tensor.ts";

export interface RunningStatistics {
	readonly mean: Tensor;
	readonly var: Tensor;
	/** Weight of the new batch. */
	readonly momentum: number;
	/** Track n / (n - 1) times the biased variance. */
	readonly unbiased: boolean;
}

/**
 * running = (1 - momentum) running + momentum batch, in place.
 *
 * @param through the launch after which `stats` are there, and behind which nothing touches the running averages; default: the last
 */
export function updateRunningStatistics(
	running: RunningStatistics,
	stats: Tensor,
	{ c, count, statsStart }: { c: number; count: number; statsStart: number },
	through?: number,
): void {
	const { momentum } = running;
	const correction = running.unbiased ? count / (count - 1) : 1;
	const table = stats.view(through).subarray(statsStart);
	const mean = running.mean.view(through);
	const variance = running.var.view(through);
	for (let channel = 0; channel < c; channel++) {
		const batchMean = table[channel] + table[c + channel];
		mean[channel] = (1 - momentum) * mean[channel] + momentum * batchMean;
		variance[channel] = (1 - momentum) * variance[channel] + momentum * correction * table[3 * c + channel];
	}
	running.mean.storage.version++;
	running.var.storage.version++;
}
