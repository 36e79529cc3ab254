// What data shows of a network's norms: mean and variance of what each channel is given, and its largest output.

import { isBatchNorm } from "../nn/is-norm.ts";
import type { Module } from "../nn/module.ts";
import { channelGeometry } from "../ops/norm/shared/geometry.ts";
import { eachOfChannel, statisticsOf } from "../ops/norm/shared/statistics.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { observedOrder, type PlacedLayer } from "./layer-order.ts";

/** Of one norm, over all the data, a channel at a time. */
export interface Observed {
	/** Values a channel. */
	count: number;
	/** Of the input. */
	mean: Float64Array;
	/** Of the input, biased. */
	variance: Float64Array;
	/** Of the output. */
	largest: Float64Array;
}

/** Runs `net` on the data in evaluation mode; what each batch norm was given, by module. */
export function observeNorms(
	net: Module,
	data: Iterable<Tensor>,
): { layers: PlacedLayer[]; observed: Map<Module, Observed> } {
	const observed = new Map<Module, Observed>();
	const layers = observedOrder(net, data, ({ module }, input, output) => {
		if (!isBatchNorm(module) || input.size === 0) return;
		const geometry = channelGeometry(input.shape, module.label, module.channelAxis);
		const { mean, variance } = statisticsOf(input, geometry);
		const largest = new Float64Array(geometry.c).fill(Number.NEGATIVE_INFINITY);
		const values = output.view();
		for (let channel = 0; channel < geometry.c; channel++) {
			eachOfChannel(channel, geometry, (i) => {
				largest[channel] = Math.max(largest[channel], values[i]);
			});
		}
		const batch = { count: geometry.n * geometry.s, mean, variance, largest };
		const before = observed.get(module);
		observed.set(module, before ? merged(before, batch) : batch);
	});
	return { layers, observed };
}

/** The statistics of both together (Chan et al. 1979). */
function merged(a: Observed, b: Observed): Observed {
	const count = a.count + b.count;
	return {
		count,
		mean: a.mean.map((mean, i) => mean + ((b.mean[i] - mean) * b.count) / count),
		variance: a.variance.map((variance, i) => {
			const delta = b.mean[i] - a.mean[i];
			return (variance * a.count + b.variance[i] * b.count + (delta * delta * a.count * b.count) / count) / count;
		}),
		largest: a.largest.map((largest, i) => Math.max(largest, b.largest[i])),
	};
}
