// Many numbers as a few: their range, and how they spread over it.

/** How many bars a histogram has: more for more values, so that most bars stand for several. */
function binsFor(count: number): number {
	return Math.min(24, Math.max(8, Math.round(1.5 * Math.sqrt(count))));
}

/** A set of numbers in short. What follows from none (all NaN, or no numbers) is null. */
export interface Distribution {
	/** How many numbers. */
	readonly count: number;
	/** How many of them are NaN or infinite: these are left out of everything else. */
	readonly notFinite: number;
	readonly min: number | null;
	readonly median: number | null;
	readonly mean: number | null;
	readonly max: number | null;
	readonly histogram: Histogram;
}

/** Counts over parts of equal width of [from, to]; one part of no width where all numbers are alike. */
export interface Histogram {
	readonly from: number;
	readonly to: number;
	readonly counts: readonly number[];
}

/** The range of `values`, and a histogram of 8 to 24 bars. */
export function distributionOf(values: ArrayLike<number>): Distribution {
	// -0 is 0: nobody wants to read a minus there.
	const sorted = Float64Array.from(values, (value) => value + 0)
		.filter((value) => Number.isFinite(value))
		.sort();
	const count = values.length;
	const notFinite = count - sorted.length;
	const size = sorted.length;
	if (size === 0) {
		const none = { min: null, median: null, mean: null, max: null };
		return { count, notFinite, ...none, histogram: { from: 0, to: 0, counts: [] } };
	}
	const [min, max] = [sorted[0], sorted[size - 1]];
	const median = (sorted[(size - 1) >> 1] + sorted[size >> 1]) / 2;
	const sum = sorted.reduce((total, value) => total + value, 0);
	// The sum of large numbers may overflow where their mean does not.
	const mean = Number.isFinite(sum) ? sum / size : sorted.reduce((total, value) => total + value / size, 0);
	return { count, notFinite, min, median, mean, max, histogram: histogramOf(sorted) };
}

function histogramOf(sorted: Float64Array): Histogram {
	const [from, to] = [sorted[0], sorted[sorted.length - 1]];
	// Halved: the difference of two large numbers may overflow.
	const half = to / 2 - from / 2;
	if (half === 0) return { from, to, counts: [sorted.length] };
	const bins = binsFor(sorted.length);
	const counts = new Array<number>(bins).fill(0);
	for (const value of sorted) {
		counts[Math.min(bins - 1, Math.floor(((value / 2 - from / 2) / half) * bins))]++;
	}
	return { from, to, counts };
}

/** `histogram` with at most `bars` bars: neighbors added up. */
export function coarser({ from, to, counts }: Histogram, bars: number): Histogram {
	const step = Math.ceil(counts.length / bars);
	const merged = Array.from({ length: Math.ceil(counts.length / step) }, (_, i) =>
		counts.slice(i * step, (i + 1) * step).reduce((sum, count) => sum + count, 0),
	);
	return { from, to, counts: merged };
}
