// The curves of a training run as an SVG: loss above, accuracy below, one epoch axis for both.

import { linearScale, type Scale, tickFormat, wholeScale } from "./scale.ts";

/** One epoch of a run. What is null, NaN or left out is a gap in its curve. */
export interface PlotPoint {
	/** From 1. */
	epoch: number;
	loss?: number | null;
	testLoss?: number | null;
	/** In [0, 1]. */
	trainAccuracy?: number | null;
	/** In [0, 1]. */
	testAccuracy?: number | null;
}

export interface PlotOptions {
	/** Shown above the curves and read out by screen readers. Default `"Training"`. */
	title?: string;
	/** A line in small print under the title (network, optimizer, batch size). */
	subtitle?: string;
	/** Width in pixels; the picture scales with the page. Default 760. */
	width?: number;
}

/**
 * The loss and accuracy curves of a training run: a standalone SVG, light or dark as the reader's system is, without
 * scripts, external fonts or other files.
 *
 * Panels without any data are left out; a run of one epoch is drawn as points. The loss is drawn from 0.
 */
export function trainingPlot(history: readonly PlotPoint[], options: PlotOptions = {}): string {
	const { title = "Training", subtitle = "", width = 760 } = options;
	const panels = panelsOf(history);
	const top = subtitle === "" ? 58 : 80;
	const frames = panels.map((panel, i) => frame(panel, top + i * (panelHeight + panelGap)));
	const bottom = top + panels.length * panelHeight + Math.max(0, panels.length - 1) * panelGap;
	const height = bottom + 52;
	const [first, last] = epochRange(history);
	const x = wholeScale(
		first,
		last,
		margin.left,
		width - margin.right,
		Math.max(2, Math.min(10, Math.floor(width / 76))),
	);
	const body = [
		`<text class="title" x="${margin.left}" y="34">${escapeText(title)}</text>`,
		subtitle === "" ? "" : `<text class="subtitle" x="${margin.left}" y="55">${escapeText(subtitle)}</text>`,
		...frames.map((f) => drawPanel(f, x, width)),
		panels.length > 0
			? drawEpochAxis(x, bottom)
			: `<text class="subtitle" x="${margin.left}" y="${top + 8}">No epoch has finished yet.</text>`,
	];
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" class="evenkeel-plot" role="img">`,
		`<title>${escapeText(title)}</title>`,
		`<desc>${escapeText(describe(history, subtitle))}</desc>`,
		`<style>\n${style}\n</style>`,
		`<rect class="paper" width="${width}" height="${height}"/>`,
		...body.filter((part) => part !== ""),
		"</svg>",
		"",
	].join("\n");
}

interface Series {
	/** Written at the line's end. */
	name: string;
	/** The class that colors it. */
	color: "train" | "test";
	points: readonly { epoch: number; value: number }[];
}

interface Panel {
	title: string;
	series: readonly Series[];
	/** How a value is written at the end of its line. */
	format: (value: number) => string;
	tick: (ticks: readonly number[]) => (value: number) => string;
	/** Values that the axis must hold beside the data. */
	include: readonly number[];
}

interface Frame extends Panel {
	y: Scale;
	top: number;
	bottom: number;
}

const margin = { left: 64, right: 124 };
const panelHeight = 178;
const panelGap = 44;

function panelsOf(history: readonly PlotPoint[]): Panel[] {
	const percent = (value: number): string => `${(value * 100).toFixed(1)}%`;
	const losses = seriesOf(history, [
		["train", "train", "loss"],
		["test", "test", "testLoss"],
	]);
	const accuracies = seriesOf(history, [
		["train", "train", "trainAccuracy"],
		["test", "test", "testAccuracy"],
	]);
	const lossPanel: Panel = {
		title: "Loss",
		// With one line there is nothing to tell apart.
		series: losses.length === 1 && losses[0].name === "train" ? [{ ...losses[0], name: "" }] : losses,
		format: (value) => (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5 ? value.toExponential(1) : value.toFixed(3)),
		tick: tickFormat,
		include: [0],
	};
	const accuracyPanel: Panel = {
		title: "Accuracy",
		series: accuracies,
		format: percent,
		tick: (ticks) => {
			const write = tickFormat(ticks.map((tick) => tick * 100));
			return (value) => `${write(value * 100)}%`;
		},
		include: accuracyRange(accuracies),
	};
	return [lossPanel, accuracyPanel].filter((panel) => panel.series.length > 0);
}

/** Ends for the accuracy axis: all of it where there is a single point, at least ten percent of it elsewhere. */
function accuracyRange(series: readonly Series[]): number[] {
	const values = series.flatMap(({ points }) => points.map(({ value }) => value)).filter(Number.isFinite);
	if (values.length === 0) return [];
	if (series.every(({ points }) => points.length === 1)) return [0, 1];
	const [low, high] = [Math.min(...values), Math.max(...values)];
	const room = Math.max(0, 0.1 - (high - low)) / 2;
	return [Math.max(0, low - room), Math.min(1, high + room)];
}

type Field = "loss" | "testLoss" | "trainAccuracy" | "testAccuracy";

/** The series that have any data; NaN stands for a gap. */
function seriesOf(
	history: readonly PlotPoint[],
	fields: readonly (readonly [string, Series["color"], Field])[],
): Series[] {
	const all = fields.map(([name, color, field]) => ({
		name,
		color,
		points: history.map((point) => ({ epoch: point.epoch, value: point[field] ?? Number.NaN })),
	}));
	return all.filter(({ points }) => points.some(({ value }) => Number.isFinite(value)));
}

function frame(panel: Panel, top: number): Frame {
	const bottom = top + panelHeight;
	const values = panel.series.flatMap(({ points }) => points.map(({ value }) => value));
	const y = linearScale([...values, ...panel.include], bottom, top + 26, { count: 4 });
	return { ...panel, y, top, bottom };
}

function drawPanel(panel: Frame, x: Scale, width: number): string {
	const { y, top, bottom } = panel;
	const write = panel.tick(y.ticks);
	const right = width - margin.right;
	const grid = y.ticks.map((tick) => {
		const at = round(y.at(tick));
		return (
			`<line class="${at === bottom ? "axis" : "grid"}" x1="${margin.left}" x2="${right}" y1="${at}" y2="${at}"/>` +
			`<text class="tick" x="${margin.left - 10}" y="${round(at + 4)}" text-anchor="end">${write(tick)}</text>`
		);
	});
	return [
		"<g>",
		`<text class="panel" x="${margin.left}" y="${top + 8}">${panel.title}</text>`,
		...grid,
		// Test first: where the lines cross, train stays on top.
		...[...panel.series].reverse().map((series) => drawSeries(series, x, y)),
		...endLabels(panel, x),
		"</g>",
	].join("\n");
}

function drawEpochAxis(x: Scale, bottom: number): string {
	const ticks = x.ticks.map(
		(tick) =>
			`<line class="axis" x1="${round(x.at(tick))}" x2="${round(x.at(tick))}" y1="${bottom}" y2="${bottom + 5}"/>` +
			`<text class="tick" x="${round(x.at(tick))}" y="${bottom + 20}" text-anchor="middle">${tick}</text>`,
	);
	const middle = round((margin.left + x.at(x.high)) / 2);
	const label = `<text class="tick" x="${x.high === x.low ? round(x.at(x.low)) : middle}" y="${bottom + 40}" text-anchor="middle">epoch</text>`;
	return ["<g>", ...ticks, label, "</g>"].join("\n");
}

/** The line, broken where values are missing; single points as dots, and a dot at the end. */
function drawSeries({ points, color }: Series, x: Scale, y: Scale): string {
	const runs = finiteRuns(points);
	const lines = runs
		.filter((run) => run.length > 1)
		.map((run) => {
			const path = run.map(({ epoch, value }) => `${round(x.at(epoch))} ${round(y.at(value))}`).join("L");
			return `<path class="line ${color}${run.length > 150 ? " dense" : ""}" d="M${path}"/>`;
		});
	const last = runs[runs.length - 1];
	const dots = [...runs.filter((run) => run.length === 1).map(([point]) => point), last[last.length - 1]];
	return [
		...lines,
		...dots.map(
			({ epoch, value }) =>
				`<circle class="dot ${color}" cx="${round(x.at(epoch))}" cy="${round(y.at(value))}" r="3.5"/>`,
		),
	].join("\n");
}

function finiteRuns(points: Series["points"]): Series["points"][] {
	const runs: { epoch: number; value: number }[][] = [];
	let open = false;
	for (const point of points) {
		const finite = Number.isFinite(point.value);
		if (finite && open) runs[runs.length - 1].push(point);
		else if (finite) runs.push([point]);
		open = finite;
	}
	return runs;
}

/** Name and last value of each line beside its end, pushed apart where they would overlap. */
function endLabels(panel: Frame, x: Scale): string[] {
	const lineHeight = 17;
	const labels = panel.series
		.map((series) => {
			const last = series.points.filter(({ value }) => Number.isFinite(value)).at(-1);
			return { series, value: last?.value ?? 0, epoch: last?.epoch ?? x.high, y: panel.y.at(last?.value ?? 0) };
		})
		.sort((a, b) => a.y - b.y);
	for (let i = 1; i < labels.length; i++) {
		const overlap = lineHeight - (labels[i].y - labels[i - 1].y);
		if (overlap <= 0) continue;
		labels[i - 1].y -= overlap / 2;
		labels[i].y += overlap / 2;
	}
	return labels.map(({ series, value, epoch, y }) => {
		const name = series.name === "" ? "" : `${series.name} `;
		const text = `${name}<tspan class="value">${panel.format(value)}</tspan>`;
		return `<text class="end ${series.color}" x="${round(x.at(epoch) + 10)}" y="${round(y + 4.5)}">${text}</text>`;
	});
}

/** The run in words, for those who do not see it. */
function describe(history: readonly PlotPoint[], subtitle: string): string {
	const sentences = panelsOf(history).flatMap((panel) =>
		panel.series.map(({ name, points }) => {
			const known = points.filter(({ value }) => Number.isFinite(value));
			const what = `${name} ${panel.title.toLowerCase()}`.trim();
			const [first, last] = [known[0], known[known.length - 1]];
			const now = `${panel.format(last.value)} at epoch ${last.epoch}`;
			const text =
				first === last
					? `${what} ${now}`
					: `${what} from ${panel.format(first.value)} at epoch ${first.epoch} to ${now}`;
			return `${text[0].toUpperCase()}${text.slice(1)}.`;
		}),
	);
	return (
		[subtitle === "" ? "" : `${subtitle}.`, ...sentences].filter((sentence) => sentence !== "").join(" ") ||
		"No epoch has finished yet."
	);
}

function epochRange(history: readonly PlotPoint[]): [number, number] {
	const epochs = history.map(({ epoch }) => epoch);
	return epochs.length === 0 ? [1, 1] : [Math.min(...epochs), Math.max(...epochs)];
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}

function escapeText(text: string): string {
	return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

// Blue and orange stay apart for every kind of color vision; each pair has contrast enough on its paper. All rules
// begin with the class of the picture, so that a page that contains it inline is left alone.
const light =
	"--paper: #ffffff; --ink: #1c2430; --quiet: #667085; --grid: #e8ebf0; --axis: #b6bfcc; --train: #2563c9; --test: #c2570c;";
const dark =
	"--paper: #14181f; --ink: #eef1f6; --quiet: #98a2b3; --grid: #262d38; --axis: #4a5566; --train: #7ab0ff; --test: #ff9f5a;";
const rules: Readonly<Record<string, string>> = {
	text: 'font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: var(--ink);',
	".paper": "fill: var(--paper);",
	".title": "font-size: 19px; font-weight: 650; letter-spacing: -0.01em;",
	".subtitle": "font-size: 13px; fill: var(--quiet);",
	".panel": "font-size: 13px; font-weight: 600;",
	".tick": "font-size: 12px; fill: var(--quiet); font-variant-numeric: tabular-nums;",
	".grid": "stroke: var(--grid);",
	".axis": "stroke: var(--axis);",
	".line": "fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round;",
	".dense": "stroke-width: 1.25;",
	".line.train": "stroke: var(--train);",
	".line.test": "stroke: var(--test);",
	".dot": "stroke: var(--paper); stroke-width: 1.5;",
	".dot.train": "fill: var(--train);",
	".dot.test": "fill: var(--test);",
	// The paper around the letters keeps a label readable where a line passes behind it.
	".end":
		"font-size: 13px; font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round;",
	".end.train": "fill: var(--train);",
	".end.test": "fill: var(--test);",
	".value": "font-weight: 400; font-variant-numeric: tabular-nums;",
};
const style = [
	`.evenkeel-plot { color-scheme: light dark; ${light} }`,
	`@media (prefers-color-scheme: dark) { .evenkeel-plot { ${dark} } }`,
	...Object.entries(rules).map(([selector, declarations]) => `.evenkeel-plot ${selector} { ${declarations} }`),
].join("\n");
