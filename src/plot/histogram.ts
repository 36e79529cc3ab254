// A small histogram as an SVG, to stand in a line of text or a table.

import { escapeHtml } from "./escape.ts";

/** Counts over parts of equal width of [from, to]. */
export interface Bars {
	readonly from: number;
	readonly to: number;
	readonly counts: readonly number[];
}

export interface HistogramOptions {
	/** What it shows, in words, for those who do not see it. */
	label: string;
	/** In pixels. Default 120. */
	width?: number;
	/** In pixels. Default 24. */
	height?: number;
}

/** The least height of a bar that stands for something, in pixels. */
const LEAST = 1.5;

/**
 * A histogram as an inline SVG, with `label` as its text alternative. Bars are of the class `bar`, the line at 0, where
 * the range holds it, of the class `zero`: a page colors them; by themselves they are of the text's color.
 */
export function histogramSvg(
	{ from, to, counts }: Bars,
	{ label, width = 120, height = 24 }: HistogramOptions,
): string {
	const most = Math.max(1, ...counts);
	// A single bar, of numbers that are all alike, stands in the middle.
	const step = width / (counts.length === 1 ? 12 : Math.max(1, counts.length));
	const left = (width - step * counts.length) / 2;
	const gap = Math.min(1, step / 4);
	const bars = counts.flatMap((count, i) => {
		if (count === 0) return [];
		const tall = Math.max(LEAST, (count / most) * (height - 2));
		const [x, y] = [left + i * step + gap / 2, height - 1 - tall];
		return [`<rect class="bar" x="${round(x)}" y="${round(y)}" width="${round(step - gap)}" height="${round(tall)}"/>`];
	});
	const zero = from < 0 && to > 0 ? round((-from / (to - from)) * width) : null;
	return [
		`<svg class="histogram" role="img" aria-label="${escapeHtml(label)}" viewBox="0 0 ${width} ${height}" `,
		`width="${width}" height="${height}" fill="currentColor">`,
		`<path class="axis" d="M0 ${height - 0.5}H${width}" stroke="currentColor" stroke-opacity="0.35"/>`,
		...(zero === null
			? []
			: [`<path class="zero" d="M${zero} 0V${height}" stroke="currentColor" stroke-opacity="0.5"/>`]),
		...bars,
		"</svg>",
	].join("");
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}
