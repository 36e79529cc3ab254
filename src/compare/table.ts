// The results as a table: one row a combination of options, over its seeds; and as CSV, one row a run.

import { figureOf, formatValue, metric, metricNames } from "./metrics.ts";
import { type OptionName, type OptionValue, optionNames, showValue } from "./options.ts";
import { type CellResult, hasDiverged } from "./result.ts";
import { varyingOptions } from "./spec.ts";
import { type Sample, sampleOf } from "./statistics.ts";

/** The runs of one combination of options. */
export interface Group {
	/** The options that vary, in the order of `CompareTable.varying`. */
	readonly values: readonly (OptionValue | undefined)[];
	readonly runs: readonly CellResult[];
	/** Of the table's metric, over the seeds. */
	readonly sample: Sample;
	readonly best: number;
	/** The share of runs that diverged, in [0, 1]. */
	readonly diverged: number;
	/** Mean of the epochs to the target, one more than there were for those that never reached it. */
	readonly epochsTo: number;
	/** The share of runs that reached the target. */
	readonly reached: number;
}

/** A comparison's results, combination by combination. */
export interface CompareTable {
	readonly varying: readonly OptionName[];
	readonly groups: readonly Group[];
	/** The metric of mean, deviation and best. */
	readonly metric: string;
	readonly target: number;
}

/** Puts results together by combination, in the order in which they come. */
export function tabulate(results: readonly CellResult[], target: number, name = "testAccuracy"): CompareTable {
	const varying = varyingOptions(results.map(({ options }) => options));
	const groups = new Map<string, CellResult[]>();
	for (const result of results) {
		const key = JSON.stringify(varying.map((option) => result.options[option] ?? null));
		const runs = groups.get(key);
		if (runs) runs.push(result);
		else groups.set(key, [result]);
	}
	return {
		varying,
		groups: [...groups.values()].map((runs) => groupOf(runs, varying, target, name)),
		metric: name,
		target,
	};
}

function groupOf(runs: readonly CellResult[], varying: readonly OptionName[], target: number, name: string): Group {
	const values = runs.map((run) => figureOf(name, run, target)).filter((value) => value !== null);
	const epochs = runs.map((run) => figureOf("epochsTo", run, target) ?? run.plannedEpochs + 1);
	const share = (holds: (run: CellResult) => boolean): number => runs.filter(holds).length / runs.length;
	return {
		values: varying.map((option) => runs[0].options[option]),
		runs,
		sample: sampleOf(values),
		best: (metric(name).better === "higher" ? Math.max : Math.min)(...values),
		diverged: share(hasDiverged),
		epochsTo: sampleOf(epochs).mean,
		reached: share((run) => figureOf("epochsTo", run, target) !== run.plannedEpochs + 1),
	};
}

/** Headings and rows of a table, as texts; the first `varying.length` columns are options. */
export function tableTexts({ varying, groups, metric: name, target }: CompareTable): {
	header: string[];
	rows: string[][];
} {
	const header = [...varying, "runs", `${metric(name).label}`, "±", "best", "diverged", `epochs to ${percent(target)}`];
	const rows = groups.map((group) => [
		...group.values.map(showValue),
		String(group.runs.length),
		formatValue(name, group.sample.mean),
		formatValue(name, group.sample.deviation),
		formatValue(name, group.best),
		percent(group.diverged),
		group.reached === 0 ? "never" : `${group.reached < 1 ? "≥" : ""}${group.epochsTo.toFixed(1)}`,
	]);
	return { header, rows };
}

function percent(share: number): string {
	return `${Number((100 * share).toFixed(1))}%`;
}

/** One row a run: its options, every metric that it has, and the hash of its weights. Numbers are exact. */
export function resultsCsv(results: readonly CellResult[], target: number): string {
	const used = optionNames.filter((name) => results.some(({ options }) => options[name] !== undefined));
	const measured = metricNames.filter((name) => results.some((result) => figureOf(name, result, target) !== null));
	const rows = results.map((result) => [
		...used.map((name) => result.options[name] ?? ""),
		...measured.map((name) => figureOf(name, result, target) ?? ""),
		result.weights,
	]);
	return [[...used, ...measured, "weights"], ...rows].map((row) => `${row.map(csvField).join(",")}\n`).join("");
}

/** A field of RFC 4180. */
function csvField(value: OptionValue): string {
	const text = String(value);
	return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** One JSON object a line, one line a run: everything that is known of it. */
export function resultsJsonl(results: readonly CellResult[]): string {
	return results.map((result) => `${JSON.stringify(result)}\n`).join("");
}
