// Quantiles of many numbers.

/** Least, greatest and median, and between them what is half, one and one and a half deviations off in a normal distribution. */
export const levels = [0, 0.0668, 0.1587, 0.3085, 0.5, 0.6915, 0.8413, 0.9332, 1] as const;

/** Values that are sorted at most; more are taken at even distances. */
const SAMPLE = 8192;

/** The quantiles of `values` at {@link levels}, linear between neighbors; least and greatest are of all values. NaN if there is none. */
export function quantiles(values: ArrayLike<number>): Float32Array {
	const found = new Float32Array(levels.length).fill(Number.NaN);
	const count = values.length;
	if (count === 0) return found;
	const taken = Math.min(count, SAMPLE);
	const sample = new Float32Array(taken);
	for (let i = 0; i < taken; i++) sample[i] = values[Math.floor(((i + 0.5) * count) / taken)];
	sample.sort();
	for (const [i, level] of levels.entries()) {
		const at = level * (taken - 1);
		const low = Math.floor(at);
		const high = Math.min(taken - 1, low + 1);
		found[i] = sample[low] + (at - low) * (sample[high] - sample[low]);
	}
	let [least, most] = [values[0], values[0]];
	for (let i = 1; i < count; i++) {
		if (values[i] < least) least = values[i];
		else if (values[i] > most) most = values[i];
	}
	found[0] = least;
	found[levels.length - 1] = most;
	return found;
}
