// What `recalibrate` says: progress while it runs, how far each norm's statistics moved, and what that did to accuracy.

import type { RecalibrationMode, RecalibrationProgress, RecalibrationReport } from "../../surgery/index.ts";
import { formatCount, formatDuration, formatMetric, formatPercent } from "../ui/format.ts";
import { progressBar } from "../ui/progress.ts";
import { tableLines, visibleWidth } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";
import type { Accuracy } from "./accuracy.ts";

/** The words for what each mode does. */
export const modes: Readonly<Record<RecalibrationMode, string>> = {
	"per-layer": "a pass a norm, each exact for the new statistics before it",
	"one-pass": "one pass, all with the old statistics before them",
	"by-batch": "one pass, the norms before normalizing by each batch's own statistics",
};

/** Everything there is to tell. */
export interface Outcome {
	readonly source: string;
	readonly data: readonly string[];
	readonly report: RecalibrationReport;
	readonly seconds: number;
	/** On the test examples; null without labels. */
	readonly accuracy: Accuracy | null;
	readonly files: readonly string[];
	/** What must be known beside that. */
	readonly notes: readonly string[];
	/** How to go on, for people. */
	readonly hint?: string;
}

/** `2/4 BatchNorm "4" ━━━━╸─────  47%  12 s left`, at most `width` characters. */
export function progressText(progress: RecalibrationProgress, width: number, { errColors }: Terminal): string {
	const { pass, passes, layer, batch, batches, secondsLeft } = progress;
	const what = layer === null ? "all norms" : `norm "${layer}"`;
	const start = `${errColors.dim("pass")} ${pass}/${passes} ${what} `;
	if (batches === null) return `${start}${formatCount(batch)} batches`;
	const left = secondsLeft === null ? "" : `  ${formatDuration(secondsLeft)} ${errColors.dim("left")}`;
	const end = `${`${Math.floor((100 * batch) / batches)}%`.padStart(5)}${left}`;
	const spare = Math.min(24, width - visibleWidth(start) - visibleWidth(end));
	return start + (spare < 4 ? "" : progressBar(batch / batches, spare, errColors)) + end;
}

/** One JSON object a line: start, layer, skipped, end. */
export function printOutcomeJson(
	terminal: Terminal,
	{ source, data, report, seconds, accuracy, files, notes }: Outcome,
): void {
	const { layers, skipped, ...run } = report;
	printJson(terminal, { event: "start", source, data, ...run });
	for (const layer of layers) printJson(terminal, { event: "layer", ...layer });
	for (const layer of skipped) printJson(terminal, { event: "skipped", ...layer });
	printJson(terminal, { event: "end", seconds, accuracy, files, notes });
}

export function printOutcome(terminal: Terminal, outcome: Outcome): void {
	const { outColors: colors } = terminal;
	const { source, data, report, seconds, accuracy, files, notes, hint } = outcome;
	const { examples, passes, mode } = report;
	const lines = [
		source,
		`${formatCount(examples)} examples, ${passes} pass${passes === 1 ? "" : "es"} in ${formatDuration(seconds)}; ${data.join("; ")}`,
		`${mode}: ${modes[mode]}`,
		"",
		...movementLines(report, colors),
		"",
	];
	for (const { layer, type, reason } of report.skipped) lines.push(`left alone: ${type} "${layer}": ${reason}`);
	lines.push(...notes.map((note) => `note: ${note}`));
	if (accuracy) {
		const { before, after } = accuracy;
		lines.push(
			`test accuracy ${formatPercent(before)} before, ${formatPercent(after)} after, on ${formatCount(accuracy.examples)} examples`,
		);
	}
	lines.push(`written: ${files.join(", ")}`, ...(hint === undefined ? [] : [hint]));
	terminal.out.write(lines.map((line) => `${line}\n`).join(""));
}

/** How far each norm's statistics moved. */
export function movementLines({ layers }: RecalibrationReport, colors: Terminal["outColors"]): string[] {
	const number = (value: number) => formatMetric(value, 3);
	const rows = layers.map(({ layer, type, channels, count, calls, meanShift, varianceRatio }) => [
		layer,
		type + (calls === 1 ? "" : ` (${calls} times)`),
		formatCount(channels),
		formatCount(count),
		`${number(meanShift.median)} … ${number(meanShift.largest)}`,
		[varianceRatio.smallest, varianceRatio.median, varianceRatio.largest].map(number).join(" … "),
	]);
	const right = "right" as const;
	return tableLines(rows, {
		header: ["norm", "type", "channels", "values each", "mean moved (deviations)", "variance is now times"],
		align: ["left", "left", right, right, right, right],
		style: { header: colors.bold, rule: colors.dim },
	});
}
