// What ranks tell one another about a channel, and what follows from it. C numbers each, not elements; both backends
// share it. Every rank computes the same from the same messages, in the order of the ranks, so the bits are the same too.

import type { Tensor } from "../../../tensor/tensor.ts";
import { Moments } from "../shared/moments.ts";

/** What a rank says of its batch. */
export interface RankStatistics {
	readonly mean: Float64Array;
	/** Biased. */
	readonly variance: Float64Array;
	/** Values a channel. */
	readonly count: number;
}

/** 2 C + 1 numbers: means, biased variances, the count. `stats` is null for a rank without examples. */
export function packStatistics(stats: Tensor | null, c: number, count: number): Float64Array {
	const message = new Float64Array(2 * c + 1);
	message[2 * c] = count;
	const table = stats?.view();
	for (let channel = 0; table && channel < c; channel++) {
		message[channel] = table[channel] + table[c + channel];
		message[c + channel] = table[3 * c + channel];
	}
	return message;
}

/** The messages of all ranks, taken apart. */
export function unpackStatistics(messages: Float64Array, c: number): RankStatistics[] {
	const length = 2 * c + 1;
	return Array.from({ length: messages.length / length }, (_, rank) => {
		const message = messages.subarray(rank * length, (rank + 1) * length);
		return { mean: message.subarray(0, c), variance: message.subarray(c, 2 * c), count: message[2 * c] };
	});
}

/** The statistics of all ranks' values together, merged in the order of the ranks. */
export function mergeStatistics(ranks: readonly RankStatistics[], c: number): Moments {
	const merged = new Moments(c);
	for (const { count, mean, variance } of ranks) merged.add(count, mean, variance);
	return merged;
}

/** Fills the table that the kernels read: center, the rest of the mean that float32 does not hold, rstd, variance. */
export function writeStatistics(stats: Tensor, merged: Moments, eps: number): void {
	const table = stats.view();
	const c = merged.mean.length;
	const variance = merged.count > 0 ? merged.variance(false) : new Float64Array(c);
	for (let channel = 0; channel < c; channel++) {
		table[channel] = merged.mean[channel];
		table[c + channel] = merged.mean[channel] - table[channel];
		table[2 * c + channel] = 1 / Math.sqrt(variance[channel] + eps);
		table[3 * c + channel] = variance[channel];
	}
}

/**
 * Fills the table of the last pass, dx = a dy + b (x - center) + shift, from the sums of all ranks, Σ dy x̂ and then
 * Σ dy, and the count of all:
 *
 *     dx = γ rstd (dy - Σ dy / n - x̂ Σ dy x̂ / n)
 */
export function writeGradient(
	table: Tensor,
	stats: Tensor,
	weight: Tensor | null,
	sums: Float64Array,
	count: number,
): void {
	const values = table.view();
	const statistics = stats.view();
	const gamma = weight?.view();
	const c = sums.length / 2;
	for (let channel = 0; channel < c; channel++) {
		const low = statistics[c + channel];
		const rstd = statistics[2 * c + channel];
		const a = (gamma?.[channel] ?? 1) * rstd;
		const b = (-a * rstd * sums[channel]) / count;
		values[channel] = statistics[channel];
		values[c + channel] = a;
		values[2 * c + channel] = b;
		values[3 * c + channel] = (-a * sums[c + channel]) / count - b * low;
	}
}
