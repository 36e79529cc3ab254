// Count, mean and spread of values that come in portions: what is known of two portions gives what would be known of
// both at once, so that it does not matter how values are split.

/** Of each channel: how many values, their mean, and M2, the sum of their squared distances from it. */
export class Moments {
	/** Values a channel so far. */
	count = 0;
	readonly mean: Float64Array;
	/** The sum of squared distances from the mean: variance times count. */
	readonly squares: Float64Array;

	constructor(channels: number) {
		this.mean = new Float64Array(channels);
		this.squares = new Float64Array(channels);
	}

	/**
	 * Takes in `count` values a channel of which mean and biased variance are known:
	 *
	 *     δ = mean_b - mean_a,  mean = mean_a + δ n_b / n,  M2 = M2_a + M2_b + δ² n_a n_b / n
	 *
	 * @see Chan, Golub and LeVeque 1979, Updating formulae and a pairwise algorithm for computing sample variances
	 */
	add(count: number, mean: ArrayLike<number>, variance: ArrayLike<number>): void {
		if (count === 0) return;
		const total = this.count + count;
		for (let channel = 0; channel < this.mean.length; channel++) {
			const delta = mean[channel] - this.mean[channel];
			this.mean[channel] += (delta * count) / total;
			this.squares[channel] += variance[channel] * count + (delta * delta * this.count * count) / total;
		}
		this.count = total;
	}

	/** The variance over all values: M2 / n, or M2 / (n - 1) without bias. */
	variance(unbiased: boolean): Float64Array {
		const divisor = unbiased ? this.count - 1 : this.count;
		return this.squares.map((squares) => squares / divisor);
	}
}
