// The running averages that evaluation normalizes by.

import type { Tensor } from "../../../tensor/tensor.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";

export interface RunningStatistics {
	readonly mean: Tensor;
	readonly var: Tensor;
	/** Weight of the new batch. */
	readonly momentum: number;
	/** Track n / (n - 1) times the biased variance. */
	readonly unbiased: boolean;
}

/** running = (1 - momentum) running + momentum batch, in place. */
export function updateRunningStatistics(
	running: RunningStatistics,
	stats: Tensor,
	{ n, c, s }: ChannelGeometry,
): void {
	const { momentum } = running;
	const count = n * s;
	const correction = running.unbiased ? count / (count - 1) : 1;
	const table = stats.view();
	const mean = running.mean.view();
	const variance = running.var.view();
	for (let channel = 0; channel < c; channel++) {
		const batchMean = table[channel] + table[c + channel];
		mean[channel] = (1 - momentum) * mean[channel] + momentum * batchMean;
		variance[channel] = (1 - momentum) * variance[channel] + momentum * correction * table[3 * c + channel];
	}
	running.mean.storage.version++;
	running.var.storage.version++;
}
