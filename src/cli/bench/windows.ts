// Timing: what is measured runs in windows, and the median over the windows counts, as a machine does other things too.

/** Milliseconds of one call, over the windows. */
export interface Timing {
	readonly median: number;
	/** The quartiles. */
	readonly low: number;
	readonly high: number;
}

/** How long to measure. */
export interface Length {
	/** Of each window. */
	readonly seconds: number;
	readonly windows: number;
}

/** Calls `step` for a window's time, at least once, and returns the mean milliseconds of a call. */
export function timeWindow(seconds: number, step: () => void): number {
	const started = performance.now();
	let calls = 0;
	let elapsed = 0;
	do {
		step();
		calls++;
		elapsed = performance.now() - started;
	} while (elapsed < seconds * 1000);
	return elapsed / calls;
}

/** Median and quartiles of `values`, between two of them by proportion. */
export function summarize(values: readonly number[]): Timing {
	const sorted = [...values].sort((a, b) => a - b);
	const at = (share: number): number => {
		const place = share * (sorted.length - 1);
		const below = Math.floor(place);
		const above = Math.min(below + 1, sorted.length - 1);
		return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
	};
	return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Half the distance of the quartiles, as a share of the median. */
export function spread({ median, low, high }: Timing): number {
	return (high - low) / 2 / median;
}
