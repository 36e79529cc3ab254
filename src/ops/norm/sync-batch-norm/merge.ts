// What ranks tell one another about a channel, and what follows from it. C numbers each, not elements; both backends
// share it. Every rank computes the same from the same messages, in the order of the ranks, so the bits are the same too.

import type { Tensor } from "../../../tensor/tensor.ts";

/** The statistics of one or several ranks' values: mean, M2 = Σ (x - mean)², and how many values a channel. */
export interface Moments {
	readonly mean: Float64Array;
	readonly m2: Float64Array;
	readonly count: number;
}

/** 2 C + 1 numbers: the means, the M2s, the count. `stats` is null for a rank without examples. */
export function packMoments(stats: Tensor | null, c: number, count: number): Float64Array {
	const message = new Float64Array(2 * c + 1);
	message[2 * c] = count;
	const table = stats?.view();
	for (let channel = 0; table && channel < c; channel++) {
		message[channel] = table[channel] + table[c + channel];
		message[c + channel] = table[3 * c + channel] * count;
	}
	return message;
}

/** The messages of all ranks, taken apart. */
export function unpackMoments(messages: Float64Array, c: number): Moments[] {
	const length = 2 * c + 1;
	return Array.from({ length: messages.length / length }, (_, rank) => {
		const message = messages.subarray(rank * length, (rank + 1) * length);
		return { mean: message.subarray(0, c), m2: message.subarray(c, 2 * c), count: message[2 * c] };
	});
}

/**
 * The statistics of all ranks' values together, merged one rank after the other:
 *
 *     δ = mean_b - mean_a,  mean = mean_a + δ n_b / n,  M2 = M2_a + M2_b + δ² n_a n_b / n
 *
 * No square of a mean occurs in it, so nothing cancels where the mean is far larger than the deviation.
 *
 * Source: Chan, Golub and LeVeque 1979, http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf
 */
export function mergeMoments(ranks: readonly Moments[], c: number): Moments {
	const mean = new Float64Array(c);
	const m2 = new Float64Array(c);
	let count = 0;
	for (const rank of ranks) {
		if (rank.count === 0) continue;
		const total = count + rank.count;
		for (let channel = 0; channel < c; channel++) {
			const delta = rank.mean[channel] - mean[channel];
			mean[channel] += (delta * rank.count) / total;
			m2[channel] += rank.m2[channel] + (delta * delta * count * rank.count) / total;
		}
		count = total;
	}
	return { mean, m2, count };
}

/** Fills the table that the kernels read: center, the rest of the mean that float32 does not hold, rstd, variance. */
export function writeStatistics(stats: Tensor, { mean, m2, count }: Moments, eps: number): void {
	const table = stats.view();
	const c = mean.length;
	for (let channel = 0; channel < c; channel++) {
		const variance = count === 0 ? 0 : m2[channel] / count;
		table[channel] = mean[channel];
		table[c + channel] = mean[channel] - table[channel];
		table[2 * c + channel] = 1 / Math.sqrt(variance + eps);
		table[3 * c + channel] = variance;
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
