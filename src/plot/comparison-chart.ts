// A chart of figures with their spread: lines over the values of an option, or over epochs. For pages that hold several,
// so the colors and fonts are the page's: {@link comparisonChartStyle}.

import { linearScale, type Scale, tickFormat, wholeScale } from "./scale.ts";

/** One figure: the mean of some runs, and the runs themselves. */
export interface ComparisonPoint {
	/** The place along the axis: an index into its labels, or an epoch. */
	readonly at: number;
	readonly mean: number;
	/** Half the length of the bar, or of the band: the standard deviation. */
	readonly spread: number;
	/** The single runs, drawn faintly. Default: none. */
	readonly values?: readonly number[];
}

/** One line. */
export interface ComparisonSeries {
	readonly name: string;
	readonly points: readonly ComparisonPoint[];
}

/** What to draw. */
export interface ComparisonChartData {
	/** Said by screen readers. */
	readonly title: string;
	readonly xLabel: string;
	/** Labels of the places; or the epochs, from 1. */
	readonly x: { readonly labels: readonly string[] } | { readonly epochs: number };
	/** Whether the places have an order that a line may follow. */
	readonly connected: boolean;
	readonly series: readonly ComparisonSeries[];
	/** Fractions are written as percentages and stay within 0 and 1. */
	readonly kind: "fraction" | "number";
}

/** How many series have colors and marks of their own; further ones begin again. */
export const comparisonColors = 6;

const height = 280;
const margin = { left: 56, right: 18, top: 14, bottom: 50 };

/** The chart as an SVG of `width` pixels, without a style of its own. */
export function comparisonChart(data: ComparisonChartData, width = 720): string {
	const right = width - margin.right;
	const bottom = height - margin.bottom;
	const x = horizontal(data, margin.left, right, width);
	const y = vertical(data, bottom, margin.top);
	const body = [
		...drawGrid(data, y, right),
		...drawPlaces(data, x, bottom, width),
		`<text class="tick" x="${round((margin.left + right) / 2)}" y="${height - 6}" text-anchor="middle">${escapeText(data.xLabel)}</text>`,
		...data.series.map((series, index) => drawSeries(data, series, index, x, y)),
	];
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" class="comparison" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
		`<title>${escapeText(data.title)}</title>`,
		...body,
		"</svg>",
	].join("\n");
}

/** The mark of series number `index`, for a legend: 16 x 16. */
export function comparisonMark(index: number): string {
	return `<svg class="comparison" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><g class="series c${index % comparisonColors}">${mark(index, 8, 8)}</g></svg>`;
}

type Place = (at: number) => number;

/** Where a place is, on paper. */
function horizontal(data: ComparisonChartData, from: number, to: number, width: number): Place & { ticks?: Scale } {
	if ("epochs" in data.x) {
		const scale = wholeScale(1, data.x.epochs, from + 8, to - 8, Math.max(2, Math.floor(width / 80)));
		return Object.assign((at: number) => scale.at(at), { ticks: scale });
	}
	const step = (to - from) / data.x.labels.length;
	return (at) => from + step * (at + 0.5);
}

/** Holds the bars and runs; bars that reach below 0, or above 1 for fractions, where no run does are cut there. */
function vertical({ series, kind }: ComparisonChartData, bottom: number, top: number): Scale {
	const points = series.flatMap((one) => one.points).filter(({ mean }) => Number.isFinite(mean));
	const measured = points.flatMap(({ mean, values = [] }) => [mean, ...values]);
	const bars = points.flatMap(({ mean, spread }) => [mean - spread, mean + spread]);
	const lowest = measured.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY;
	const highest = kind === "fraction" ? 1 : Number.POSITIVE_INFINITY;
	const held = bars.map((value) => Math.min(highest, Math.max(lowest, value)));
	return linearScale([...held, ...measured], bottom, top, { count: 5 });
}

function drawGrid({ kind }: ComparisonChartData, y: Scale, right: number): string[] {
	const scaled = kind === "fraction" ? y.ticks.map((tick) => tick * 100) : y.ticks;
	const write = tickFormat(scaled);
	return y.ticks.map((tick, i) => {
		const at = round(y.at(tick));
		const text = write(scaled[i]) + (kind === "fraction" ? "%" : "");
		return (
			`<line class="${i === 0 ? "axis" : "grid"}" x1="${margin.left}" x2="${right}" y1="${at}" y2="${at}"/>` +
			`<text class="tick" x="${margin.left - 8}" y="${round(at + 4)}" text-anchor="end">${text}</text>`
		);
	});
}

function drawPlaces(data: ComparisonChartData, x: Place & { ticks?: Scale }, bottom: number, width: number): string[] {
	const places =
		"epochs" in data.x
			? (x.ticks?.ticks ?? []).map((epoch) => ({ at: epoch, label: String(epoch) }))
			: data.x.labels.map((label, at) => ({ at, label }));
	const room = (width - margin.left - margin.right) / Math.max(1, places.length);
	// Labels that would run into each other are left out, every second one.
	const longest = Math.max(...places.map(({ label }) => label.length)) * 7 + 8;
	const every = "epochs" in data.x ? 1 : Math.max(1, Math.ceil(longest / room));
	return places.map(({ at, label }, i) => {
		const left = round(x(at));
		const text =
			i % every === 0
				? `<text class="tick" x="${left}" y="${bottom + 20}" text-anchor="middle">${escapeText(label)}</text>`
				: "";
		return `<line class="axis" x1="${left}" x2="${left}" y1="${bottom}" y2="${bottom + 4}"/>${text}`;
	});
}

function drawSeries(data: ComparisonChartData, series: ComparisonSeries, index: number, x: Place, y: Scale): string {
	const overEpochs = "epochs" in data.x;
	// Side by side, so that bars of the same place do not hide each other.
	const shift = overEpochs ? 0 : (index - (data.series.length - 1) / 2) * Math.min(9, 60 / data.series.length);
	const known = series.points.filter(({ mean }) => Number.isFinite(mean));
	const at = (point: ComparisonPoint): number => round(x(point.at) + shift);
	const clamp = (value: number): number => round(y.at(Math.min(y.high, Math.max(y.low, value))));
	const parts: string[] = [];
	if (overEpochs && known.length > 1) {
		const upper = known.map((point) => `${at(point)} ${clamp(point.mean + point.spread)}`);
		const lower = [...known].reverse().map((point) => `${at(point)} ${clamp(point.mean - point.spread)}`);
		parts.push(`<path class="band" d="M${[...upper, ...lower].join("L")}Z"/>`);
	}
	if (data.connected && known.length > 1) {
		parts.push(`<path class="line" d="M${known.map((point) => `${at(point)} ${clamp(point.mean)}`).join("L")}"/>`);
	}
	for (const point of known) {
		if (!overEpochs) {
			parts.push(
				...(point.values ?? []).map((value) => `<circle class="run" cx="${at(point)}" cy="${clamp(value)}" r="2"/>`),
				`<line class="bar" x1="${at(point)}" x2="${at(point)}" y1="${clamp(point.mean - point.spread)}" y2="${clamp(point.mean + point.spread)}"/>`,
			);
		}
		const said = `${series.name === "" ? "" : `${series.name}, `}${placeName(data, point.at)}: ${write(data.kind, point.mean)} ± ${write(data.kind, point.spread)}`;
		parts.push(`<g class="mark">${mark(index, at(point), clamp(point.mean))}<title>${escapeText(said)}</title></g>`);
	}
	return `<g class="series c${index % comparisonColors}">${parts.join("")}</g>`;
}

function placeName({ x, xLabel }: ComparisonChartData, at: number): string {
	return `${xLabel} ${"epochs" in x ? at : x.labels[at]}`;
}

function write(kind: ComparisonChartData["kind"], value: number): string {
	return kind === "fraction" ? `${(100 * value).toFixed(1)}%` : Number(value.toPrecision(3)).toString();
}

/** Colors are not all that tells the series apart: each has a mark of its own. */
function mark(index: number, x: number, y: number): string {
	switch (index % comparisonColors) {
		case 0:
			return `<circle cx="${x}" cy="${y}" r="4.5"/>`;
		case 1:
			return `<rect x="${x - 4}" y="${y - 4}" width="8" height="8"/>`;
		case 2:
			return `<path d="M${x} ${y - 5.5}L${x + 5} ${y + 4}L${x - 5} ${y + 4}Z"/>`;
		case 3:
			return `<path d="M${x} ${y - 6}L${x + 5.5} ${y}L${x} ${y + 6}L${x - 5.5} ${y}Z"/>`;
		case 4:
			return `<path d="M${x} ${y + 5.5}L${x + 5} ${y - 4}L${x - 5} ${y - 4}Z"/>`;
		default:
			return `<path d="M${x - 5} ${y - 1.8}h3.2v-3.2h3.6v3.2h3.2v3.6h-3.2v3.2h-3.6v-3.2h-3.2Z"/>`;
	}
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}

/** Text as it may stand in HTML and SVG, attributes included. */
export function escapeText(text: string): string {
	return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** What a page's style must hold for its charts. It sets, and needs, `--paper`, `--quiet`, `--grid` and `--axis`. */
export const comparisonChartStyle = [
	".comparison .tick { font-size: 12px; fill: var(--quiet); font-variant-numeric: tabular-nums; }",
	".comparison .grid { stroke: var(--grid); }",
	".comparison .axis { stroke: var(--axis); }",
	".comparison .line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }",
	".comparison .band { fill: var(--c); opacity: 0.14; }",
	".comparison .bar { stroke: var(--c); stroke-width: 1.5; opacity: 0.65; }",
	".comparison .run { fill: var(--c); opacity: 0.35; }",
	".comparison .mark { stroke: var(--paper); stroke-width: 1.25; }",
	".comparison .series { fill: var(--c); }",
	...["blue", "orange", "green", "purple", "pink", "gray"].map(
		(name, index) => `.comparison .c${index} { --c: var(--${name}); }`,
	),
].join("\n");

/** Colors that stay apart for every kind of color vision and have contrast enough, on light paper and on dark. */
export const comparisonPalettes = {
	light:
		"--paper: #ffffff; --ink: #1c2430; --quiet: #5d6879; --grid: #e8ebf0; --axis: #b6bfcc; --blue: #2563c9; " +
		"--orange: #c2570c; --green: #147a55; --purple: #8146b8; --pink: #b8306c; --gray: #5a6675;",
	dark:
		"--paper: #14181f; --ink: #eef1f6; --quiet: #98a2b3; --grid: #262d38; --axis: #4a5566; --blue: #7ab0ff; " +
		"--orange: #ff9f5a; --green: #5cc79b; --purple: #c09bf0; --pink: #ff8ab5; --gray: #aab4c2;",
} as const;
