// The statistics of what the activations of a network are given, unit by unit: the distributions whose shift batch
// normalization was made to reduce (Ioffe and Szegedy 2015).

import { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh } from "../../nn/layers/activation.ts";
import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Mean and standard deviation of one unit (of one channel, for images) over a batch. */
export interface UnitStatistics {
	readonly mean: number;
	readonly deviation: number;
}

const activations = [ReLU, LeakyReLU, Sigmoid, Tanh, GELU, SiLU];

/** Collects the statistics of every activation's input as the network runs, until stopped. */
export function watchActivations(net: Module): { readonly units: readonly UnitStatistics[]; stop(): void } {
	const units: UnitStatistics[] = [];
	const removers = net
		.modules()
		.filter((module) => activations.some((one) => module instanceof one))
		.map((module) => module.registerForwardPreHook((_, [x]) => void units.push(...unitStatistics(x))));
	return {
		units,
		stop() {
			for (const remove of removers) remove();
		},
	};
}

/** Mean and (biased) standard deviation of every channel of `[N, C, …]`. */
export function unitStatistics(x: Tensor): UnitStatistics[] {
	const [count, channels] = x.shape;
	const positions = x.size / (count * channels);
	const values = x.view();
	return Array.from({ length: channels }, (_, channel) => {
		// The first value is subtracted, so that the squares do not cancel where the mean is far from zero.
		const shift = values[channel * positions];
		let [sum, squares] = [0, 0];
		for (let example = 0; example < count; example++) {
			const begin = (example * channels + channel) * positions;
			for (let i = begin; i < begin + positions; i++) {
				const value = values[i] - shift;
				sum += value;
				squares += value * value;
			}
		}
		const size = count * positions;
		const variance = Math.max(0, squares / size - (sum / size) ** 2);
		return { mean: shift + sum / size, deviation: Math.sqrt(variance) };
	});
}

/**
 * How far units moved from `before` to `after`, on average: |mean' - mean| / std, and |ln(std' / std)|. Units that are
 * constant before or after are left out, as they have no such measure.
 */
export function activationShift(
	before: readonly UnitStatistics[],
	after: readonly UnitStatistics[],
): { activationShift: number; activationSpread: number } {
	let [shift, spread, count] = [0, 0, 0];
	for (const [i, unit] of before.entries()) {
		const moved = after[i];
		if (!(unit.deviation > 0 && moved.deviation > 0)) continue;
		shift += Math.abs(moved.mean - unit.mean) / unit.deviation;
		spread += Math.abs(Math.log(moved.deviation / unit.deviation));
		count++;
	}
	return { activationShift: shift / count, activationSpread: spread / count };
}
