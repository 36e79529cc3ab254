// Which charts a report draws.

import { check } from "../errors.ts";
import { isMetric, metricNames } from "./metrics.ts";
import { isOptionName, type OptionName, show } from "./options.ts";
import { asObject, type OptionSet, parseSet, text } from "./parse.ts";

/** One chart of a report. */
export interface ChartSpec {
	/** Default: made of what is drawn. */
	readonly title?: string;
	/** What the horizontal axis is: an option, whose values stand side by side, or the epochs. */
	readonly x: OptionName | "epoch";
	/** The metric of the vertical axis; for `x: epoch` `testAccuracy`, `trainAccuracy`, `testLoss` or `loss`. */
	readonly y: string;
	/** The options that tell the lines apart. Default: all that vary but x. */
	readonly series?: readonly OptionName[];
	/** Draw only the runs with these values. Default: all. */
	readonly where: OptionSet;
}

/** What a chart over epochs can show. */
export const curveNames = ["testAccuracy", "trainAccuracy", "testLoss", "loss"] as const;

/** A chart from plain data. */
export function parseChart(value: unknown, where: string): ChartSpec {
	const chart = asObject(value, where, ["title", "x", "y", "series", "where"]);
	const x = text(chart.x, `${where}.x`);
	check(x === "epoch" || isOptionName(x), () => `${where}.x: expected an option or epoch, got ${show(x)}`);
	const y = chart.y === undefined ? "testAccuracy" : text(chart.y, `${where}.y`);
	const known: readonly string[] = x === "epoch" ? curveNames : metricNames;
	check(
		x === "epoch" ? known.includes(y) : isMetric(y),
		() => `${where}.y: expected one of ${known.join(", ")}, got ${show(y)}`,
	);
	const series = chart.series === undefined ? undefined : optionList(chart.series, `${where}.series`);
	return {
		...(chart.title === undefined ? {} : { title: text(chart.title, `${where}.title`) }),
		x,
		y,
		...(series ? { series } : {}),
		where: chart.where === undefined ? {} : parseSet(chart.where, `${where}.where`),
	};
}

function optionList(value: unknown, where: string): OptionName[] {
	const names: unknown[] = Array.isArray(value) ? value : [value];
	return names.map((name) => {
		check(typeof name === "string" && isOptionName(name), () => `${where}: expected options, got ${show(name)}`);
		return name;
	});
}
