// The charts of a report, from its results.

import type { ComparisonChartData, ComparisonPoint, ComparisonSeries } from "../../plot/comparison-chart.ts";
import { type ChartSpec, curveNames } from "../chart-spec.ts";
import { figureOf, metric } from "../metrics.ts";
import { type OptionName, type OptionValue, optionLabel, showValue } from "../options.ts";
import type { CellResult } from "../result.ts";
import { matches, varyingOptions } from "../spec.ts";
import { sampleOf } from "../statistics.ts";

/** A chart with its heading. */
export interface ReportChart {
	readonly heading: string;
	/** What the series are of: `"norm, activation"`; empty if there is one. */
	readonly legend: string;
	readonly data: ComparisonChartData;
}

/** What `chart` shows of `results`; null if there is nothing. */
export function chartOf(chart: ChartSpec, results: readonly CellResult[], target: number): ReportChart | null {
	const shown = results.filter(({ options }) => matches(options, chart.where));
	const varying = varyingOptions(shown.map(({ options }) => options));
	const names = (chart.series ?? varying).filter((name) => name !== chart.x && varying.includes(name));
	const data = chart.x === "epoch" ? curves(chart, shown, names) : sweep(chart, chart.x, shown, names, target);
	if (data.series.every(({ points }) => points.length === 0)) return null;
	return { heading: chart.title ?? data.title, legend: names.map(optionLabel).join(", "), data };
}

/** One point a value of the option `x`. */
function sweep(
	{ y }: ChartSpec,
	x: OptionName,
	results: readonly CellResult[],
	names: readonly OptionName[],
	target: number,
): ComparisonChartData {
	const places = [...new Set(results.map(({ options }) => options[x]))].sort(byValue);
	const series = seriesOf(results, names, (runs) =>
		places.flatMap((place, at): ComparisonPoint[] => {
			const values = runs
				.filter(({ options }) => options[x] === place)
				.map((run) => figureOf(y, run, target))
				.filter((value) => value !== null);
			if (values.length === 0) return [];
			const { mean, deviation } = sampleOf(values);
			return [{ at, mean, spread: deviation, values }];
		}),
	);
	const { label, kind } = metric(y);
	const title = `${capitalized(label)} by ${optionLabel(x)}`;
	const connected = places.every((place) => typeof place === "number");
	return { title, xLabel: optionLabel(x), x: { labels: places.map(showValue) }, connected, series, kind };
}

const curveLabels: Readonly<Record<(typeof curveNames)[number], string>> = {
	testAccuracy: "Test accuracy",
	trainAccuracy: "Train accuracy",
	testLoss: "Test loss",
	loss: "Train loss",
};

/** One point an epoch. */
function curves(chart: ChartSpec, results: readonly CellResult[], names: readonly OptionName[]): ComparisonChartData {
	const y = curveNames.find((name) => name === chart.y) ?? "testAccuracy";
	const epochs = Math.max(1, ...results.map(({ plannedEpochs }) => plannedEpochs));
	const series = seriesOf(results, names, (runs) =>
		Array.from({ length: epochs }, (_, i) => i + 1).flatMap((at): ComparisonPoint[] => {
			const values = runs.map((run) => run.epochs[at - 1]?.[y] ?? null).filter((value) => value !== null);
			if (values.length === 0) return [];
			const { mean, deviation } = sampleOf(values);
			return [{ at, mean, spread: deviation }];
		}),
	);
	const kind = y.endsWith("Accuracy") ? "fraction" : "number";
	return { title: `${curveLabels[y]} by epoch`, xLabel: "epoch", x: { epochs }, connected: true, series, kind };
}

function seriesOf(
	results: readonly CellResult[],
	names: readonly OptionName[],
	points: (runs: readonly CellResult[]) => ComparisonPoint[],
): ComparisonSeries[] {
	const groups = new Map<string, CellResult[]>();
	for (const result of results) {
		const name = names.map((option) => nameOf(option, result.options[option])).join(", ");
		groups.set(name, [...(groups.get(name) ?? []), result]);
	}
	return [...groups].map(([name, runs]) => ({ name, points: points(runs) }));
}

/** A value in a legend: texts speak for themselves, numbers need their option's name. */
function nameOf(option: OptionName, value: OptionValue | undefined): string {
	if (option === "norm") return value === "none" ? "no norm" : `${showValue(value)} norm`;
	return typeof value === "string" ? value : `${optionLabel(option)} ${showValue(value)}`;
}

function byValue(a: OptionValue | undefined, b: OptionValue | undefined): number {
	return typeof a === "number" && typeof b === "number" ? a - b : 0;
}

function capitalized(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
