// The arithmetic of switchable normalization on the statistics alone: [N, C] numbers, not elements.
// Both backends share it; what runs over elements is in op.ts.
//
// Layer and batch statistics follow from those of the instances by the law of total variance, in the
// form that does not cancel:  var = mean(var_in + (μ_in - μ)²)

/** Which statistics are mixed, in the order of the weights. */
export type Source = "instance" | "layer" | "batch";

export interface InstanceStatistics {
	readonly n: number;
	readonly c: number;
	/** [N, C] */
	readonly mean: Float64Array;
	/** [N, C], biased */
	readonly variance: Float64Array;
}

/** Mean and variance by source, each [N, C] with what it shares repeated. */
export interface Statistics {
	mean: Float64Array;
	variance: Float64Array;
}

/** e^x / sum e^x */
export function softmax(logits: ArrayLike<number>): number[] {
	const largest = Math.max(...Array.from(logits));
	const powers = Array.from(logits, (v) => Math.exp(v - largest));
	const sum = powers.reduce((a, b) => a + b, 0);
	return powers.map((v) => v / sum);
}

/** The gradient of the logits, given that of their softmax `w`. */
export function softmaxGradient(w: readonly number[], dw: readonly number[]): number[] {
	const dot = w.reduce((sum, v, i) => sum + v * dw[i], 0);
	return w.map((v, i) => v * (dw[i] - dot));
}

/** Averages over the channels of each example (`"layer"`), or over the examples of each channel (`"batch"`). */
function pooled(instances: InstanceStatistics, over: "layer" | "batch"): Statistics {
	const { n, c, mean, variance } = instances;
	const groups = over === "layer" ? n : c;
	const size = over === "layer" ? c : n;
	const groupOf = (i: number) => (over === "layer" ? Math.floor(i / c) : i % c);
	const means = new Float64Array(groups);
	const variances = new Float64Array(groups);
	for (let i = 0; i < n * c; i++) means[groupOf(i)] += mean[i] / size;
	for (let i = 0; i < n * c; i++) {
		const g = groupOf(i);
		variances[g] += (variance[i] + (mean[i] - means[g]) ** 2) / size;
	}
	return {
		mean: Float64Array.from({ length: n * c }, (_, i) => means[groupOf(i)]),
		variance: Float64Array.from({ length: n * c }, (_, i) => variances[groupOf(i)]),
	};
}

/** The statistics of each source. `running`: the batch's are these constants (evaluation). */
export function statisticsBySource(
	instances: InstanceStatistics,
	sources: readonly Source[],
	running: { mean: ArrayLike<number>; variance: ArrayLike<number> } | null,
): Statistics[] {
	const { n, c } = instances;
	const repeat = (values: ArrayLike<number>) => Float64Array.from({ length: n * c }, (_, i) => values[i % c]);
	return sources.map((source) => {
		if (source === "instance") return instances;
		if (source === "batch" && running) return { mean: repeat(running.mean), variance: repeat(running.variance) };
		return pooled(instances, source);
	});
}

/** sum over sources of weight times statistic. */
export function mix(
	statistics: readonly Statistics[],
	meanWeight: readonly number[],
	varWeight: readonly number[],
): Statistics {
	const size = statistics[0].mean.length;
	const mean = new Float64Array(size);
	const variance = new Float64Array(size);
	statistics.forEach((own, k) => {
		for (let i = 0; i < size; i++) {
			mean[i] += meanWeight[k] * own.mean[i];
			variance[i] += varWeight[k] * own.variance[i];
		}
	});
	return { mean, variance };
}

export interface MixGradient {
	/** Of the instances' means and variances, [N, C]. */
	mean: Float64Array;
	variance: Float64Array;
	/** Of the mixing weights (after the softmax). */
	meanWeight: number[];
	varWeight: number[];
}

/** From the gradients of the mixed mean and variance back to the instances' and to the weights. */
export function mixGradient(
	instances: InstanceStatistics,
	sources: readonly Source[],
	statistics: readonly Statistics[],
	weights: { mean: readonly number[]; variance: readonly number[] },
	d: Statistics,
	batchIsConstant: boolean,
): MixGradient {
	const { n, c } = instances;
	const size = n * c;
	const out: MixGradient = {
		mean: new Float64Array(size),
		variance: new Float64Array(size),
		meanWeight: sources.map((_, k) => dot(d.mean, statistics[k].mean)),
		varWeight: sources.map((_, k) => dot(d.variance, statistics[k].variance)),
	};
	sources.forEach((source, k) => {
		if (source === "batch" && batchIsConstant) return;
		if (source === "instance") {
			for (let i = 0; i < size; i++) {
				out.mean[i] += weights.mean[k] * d.mean[i];
				out.variance[i] += weights.variance[k] * d.variance[i];
			}
			return;
		}
		const groups = source === "layer" ? n : c;
		const count = source === "layer" ? c : n;
		const groupOf = (i: number) => (source === "layer" ? Math.floor(i / c) : i % c);
		const dMean = new Float64Array(groups);
		const dVariance = new Float64Array(groups);
		for (let i = 0; i < size; i++) {
			dMean[groupOf(i)] += weights.mean[k] * d.mean[i];
			dVariance[groupOf(i)] += weights.variance[k] * d.variance[i];
		}
		for (let i = 0; i < size; i++) {
			const g = groupOf(i);
			// Through the group's own mean the variance does not change: deviations from it sum to 0.
			out.mean[i] += (dMean[g] + 2 * dVariance[g] * (instances.mean[i] - statistics[k].mean[i])) / count;
			out.variance[i] += dVariance[g] / count;
		}
	});
	return out;
}

function dot(a: Float64Array, b: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
	return sum;
}
