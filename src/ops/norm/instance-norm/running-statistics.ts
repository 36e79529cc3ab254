// Instance norm's running averages: over the batch, each example counting alike. Off by default and
// rarely used, so the statistics are simply taken once more.

import { scope } from "../../../tensor/scope.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { RunningStatistics } from "../batch-norm/running-statistics.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { statisticsOf } from "../shared/statistics.ts";

/** running = (1 - momentum) running + momentum mean over examples, in place. */
export function updateInstanceStatistics(x: Tensor, { n, c, s }: ChannelGeometry, running: RunningStatistics): void {
	scope(() => {
		const { mean, variance } = statisticsOf(x, { n: 1, c: n * c, s });
		const correction = running.unbiased ? s / (s - 1) : 1;
		const update = (tensor: Tensor, values: ArrayLike<number>, factor: number) => {
			const view = tensor.view();
			for (let channel = 0; channel < c; channel++) {
				let sum = 0;
				for (let example = 0; example < n; example++) sum += values[example * c + channel];
				view[channel] = (1 - running.momentum) * view[channel] + (running.momentum * factor * sum) / n;
			}
			tensor.storage.version++;
		};
		update(running.mean, mean, 1);
		update(running.var, variance, correction);
	});
}
