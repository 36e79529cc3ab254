// From values to places on an axis or a color scale, and the round numbers to write beside them.

/** How values are spread over a scale. */
export interface Scale {
	readonly least: number;
	readonly most: number;
	readonly log: boolean;
}

/** Where `value` stands, 0 to 1 if it is within the scale; NaN if it cannot stand anywhere. */
export function place({ least, most, log }: Scale, value: number): number {
	if (!log) return (value - least) / (most - least);
	// Zero, or what has vanished, is below any logarithm.
	if (value <= 0) return 0;
	return Math.log(value / least) / Math.log(most / least);
}

/** Round numbers within the scale: about `count`, powers of ten if it is logarithmic. */
export function ticks({ least, most, log }: Scale, count: number): number[] {
	if (log) {
		const [low, high] = [Math.ceil(Math.log10(least) - 1e-9), Math.floor(Math.log10(most) + 1e-9)];
		const every = Math.max(1, Math.ceil((high - low) / count));
		return range(low, high, every).map((power) => 10 ** power);
	}
	const step = roundStep((most - least) / count);
	return range(Math.ceil(least / step - 1e-9), Math.floor(most / step + 1e-9), 1).map((i) => i * step);
}

/** The next of 1, 2, 5 times a power of ten that is no less. */
export function roundStep(value: number): number {
	const power = 10 ** Math.floor(Math.log10(value));
	const times = value / power;
	return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

/** A scale of powers of ten around `values`, at most `decades` of them; what is not above zero does not count. */
export function logScale(values: readonly number[], decades: number): Scale {
	const above = values.filter((value) => value > 0 && Number.isFinite(value));
	if (above.length === 0) return { least: 0.1, most: 1, log: true };
	const most = Math.ceil(Math.log10(above.reduce((a, b) => Math.max(a, b))) - 1e-9);
	const low = Math.floor(Math.log10(above.reduce((a, b) => Math.min(a, b))) + 1e-9);
	return { least: 10 ** Math.min(most - 1, Math.max(low, most - decades)), most: 10 ** most, log: true };
}

/** A scale as far below zero as above, that leaves out one value in fifty at most: early outliers should not hide the rest. */
export function evenScale(values: readonly number[]): Scale {
	const sizes = values
		.filter(Number.isFinite)
		.map(Math.abs)
		.sort((a, b) => a - b);
	const size = sizes.length > 0 ? sizes[Math.floor(0.98 * (sizes.length - 1))] : 0;
	const most = size > 0 ? roundStep(size) : 1;
	return { least: -most, most, log: false };
}

/** The least that a scale spans, as a part of what stands on it: more would show rounding as if it were news. */
const LEAST_SPAN = 0.01;

/** A scale around `values` with a little room, its ends round. */
export function fitScale(values: readonly number[]): Scale {
	const finite = values.filter(Number.isFinite);
	if (finite.length === 0) return { least: 0, most: 1, log: false };
	const [low, high] = [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))];
	if (low === 0 && high === 0) return { least: 0, most: 1, log: false };
	const span = Math.max(high - low, LEAST_SPAN * Math.max(Math.abs(low), Math.abs(high)), 1e-30);
	const room = (span - (high - low)) / 2;
	const step = roundStep(span / 8);
	return {
		least: step * Math.floor((low - room) / step),
		most: step * Math.ceil((high + room) / step + 1e-9),
		log: false,
	};
}

/** `i + 0`: no minus zero. */
function range(from: number, to: number, every: number): number[] {
	const numbers: number[] = [];
	for (let i = from; i <= to; i += every) numbers.push(i + 0);
	return numbers;
}
