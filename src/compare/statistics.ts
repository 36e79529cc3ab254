// Means, spreads and the interval of a difference of two means.

/** A sample in three numbers. */
export interface Sample {
	readonly count: number;
	readonly mean: number;
	/** The standard deviation, over n - 1; 0 for a single value. */
	readonly deviation: number;
}

/** Count, mean and standard deviation of `values`; NaN for none. */
export function sampleOf(values: readonly number[]): Sample {
	const count = values.length;
	const mean = values.reduce((sum, value) => sum + value, 0) / count;
	const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
	return { count, mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : 0 };
}

/** A difference of two means, and where it lies with 95% confidence. */
export interface Difference {
	/** mean(a) - mean(b) */
	readonly effect: number;
	readonly low: number;
	readonly high: number;
}

/**
 * mean(a) - mean(b) with its 95% interval by Welch's t, which does not ask for equal variances:
 *
 *     effect ± t(0.975, ν) sqrt(s²_a / n_a + s²_b / n_b),
 *     ν = (s²_a/n_a + s²_b/n_b)² / ((s²_a/n_a)² / (n_a - 1) + (s²_b/n_b)² / (n_b - 1))
 *
 * A sample of one value says nothing of its spread: the interval is then without bounds.
 *
 * @see Welch 1947, "The generalization of Student's problem when several different population variances are involved"
 */
export function welch(a: readonly number[], b: readonly number[]): Difference {
	const [first, second] = [sampleOf(a), sampleOf(b)];
	const effect = first.mean - second.mean;
	if (first.count < 2 || second.count < 2) return { effect, low: -Infinity, high: Infinity };
	const va = first.deviation ** 2 / first.count;
	const vb = second.deviation ** 2 / second.count;
	if (va + vb === 0) return { effect, low: effect, high: effect };
	const freedom = (va + vb) ** 2 / (va ** 2 / (first.count - 1) + vb ** 2 / (second.count - 1));
	const half = tQuantile(0.975, freedom) * Math.sqrt(va + vb);
	return { effect, low: effect - half, high: effect + half };
}

/**
 * The quantile `p` (above 0.5) of Student's t with `freedom` degrees of freedom, by bisection of
 * P(T <= t) = 1 - I(ν / (ν + t²); ν/2, 1/2) / 2.
 */
export function tQuantile(p: number, freedom: number): number {
	let [low, high] = [0, 1];
	while (tDistribution(high, freedom) < p) high *= 2;
	for (let i = 0; i < 80; i++) {
		const middle = (low + high) / 2;
		if (tDistribution(middle, freedom) < p) low = middle;
		else high = middle;
	}
	return (low + high) / 2;
}

function tDistribution(t: number, freedom: number): number {
	return 1 - incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
}

/** The regularized incomplete beta function I(x; a, b), by its continued fraction (DLMF 8.17.22, Lentz's method). */
function incompleteBeta(x: number, a: number, b: number): number {
	if (x <= 0) return 0;
	if (x >= 1) return 1;
	// The fraction converges fast below the mean; above it, the complement does.
	if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
	const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a;
	const tiny = 1e-300;
	let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
	let c = 1;
	let fraction = d;
	for (let m = 1; m <= 300; m++) {
		const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
		d = 1 / nonZero(1 + even * d, tiny);
		c = nonZero(1 + even / c, tiny);
		fraction *= d * c;
		const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 / nonZero(1 + odd * d, tiny);
		c = nonZero(1 + odd / c, tiny);
		fraction *= d * c;
		if (Math.abs(d * c - 1) < 1e-15) break;
	}
	return front * fraction;
}

function nonZero(value: number, tiny: number): number {
	return Math.abs(value) < tiny ? tiny : value;
}

/** ln Γ(x) for x > 0 by Lanczos's series (g = 7, nine terms), to some 15 digits. */
function logGamma(x: number): number {
	if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
	const terms = [
		0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
		12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
	];
	const sum = terms.slice(1).reduce((total, term, i) => total + term / (x + i), terms[0]);
	const base = x + 6.5;
	return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum);
}
