// Axes: which numbers to write at them, and how.

/** Maps [low, high] in data to [from, to] on paper. */
export interface Scale {
	readonly low: number;
	readonly high: number;
	readonly ticks: readonly number[];
	at(value: number): number;
}

/** A linear scale whose ticks are round numbers; with `nice`, its ends are ticks too. */
export function linearScale(
	values: Iterable<number>,
	from: number,
	to: number,
	{ count = 5, nice = true } = {},
): Scale {
	let [low, high] = extent(values);
	const step = niceStep(high - low, count);
	if (nice) {
		low = Math.floor(low / step + 1e-9) * step;
		high = Math.ceil(high / step - 1e-9) * step;
	}
	const first = Math.ceil(low / step - 1e-9);
	const last = Math.floor(high / step + 1e-9);
	const ticks = Array.from({ length: last - first + 1 }, (_, i) => cleaned((first + i) * step, step));
	return { low, high, ticks, at: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

/** Whole numbers from `first` to `last`, with ticks at both and at round numbers between (an epoch axis). */
export function wholeScale(first: number, last: number, from: number, to: number, count: number): Scale {
	const step = Math.max(1, Math.ceil(niceStep(last - first, count)));
	const ticks = [first];
	// Round ticks that would crowd the first or the last are left out.
	for (let tick = Math.ceil(first / step) * step; tick < last; tick += step) {
		if (Math.min(tick - first, last - tick) > 0.6 * step) ticks.push(tick);
	}
	if (last > first) ticks.push(last);
	const middle = (from + to) / 2;
	return {
		low: first,
		high: last,
		ticks,
		at: (value) => (last === first ? middle : from + ((value - first) / (last - first)) * (to - from)),
	};
}

/** The ticks' numbers, all with as many decimals as the finest needs. */
export function tickFormat(ticks: readonly number[]): (value: number) => string {
	const largest = Math.max(...ticks.map(Math.abs));
	if (largest >= 1e5 || (largest > 0 && largest < 1e-3)) return (value) => (value === 0 ? "0" : shortExponent(value));
	const decimals = Math.max(0, ...ticks.map((tick) => (String(cleaned(tick, 1e-9)).split(".")[1] ?? "").length));
	return (value) => value.toFixed(Math.min(decimals, 6));
}

/** 1, 2 or 5 times a power of ten, so that about `count` of them make `span`. */
function niceStep(span: number, count: number): number {
	const raw = span / count;
	const power = 10 ** Math.floor(Math.log10(raw));
	const ratio = raw / power;
	return power * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
}

/** The smallest and the largest of the finite values; apart, even if all are alike or there are none. */
function extent(values: Iterable<number>): [number, number] {
	let low = Number.POSITIVE_INFINITY;
	let high = Number.NEGATIVE_INFINITY;
	for (const value of values) {
		if (!Number.isFinite(value)) continue;
		low = Math.min(low, value);
		high = Math.max(high, value);
	}
	if (low > high) return [0, 1];
	if (high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high))) return [low, high];
	const room = Math.abs(low) * 0.1 || 0.5;
	return [low - room, high + room];
}

/** Without the crumbs of `3 * 0.1`. */
function cleaned(value: number, step: number): number {
	return Number(value.toFixed(Math.max(0, Math.min(20, 2 - Math.floor(Math.log10(step))))));
}

function shortExponent(value: number): string {
	return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
}
