// What `convert` says: what each norm became, whether that is the same, and what is left to do.

import type { ConversionReport, Need } from "../../surgery/index.ts";
import type { Accuracy } from "../recalibrate/accuracy.ts";
import { movementLines } from "../recalibrate/report.ts";
import { formatCount, formatPercent } from "../ui/format.ts";
import { tableLines } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";

/** Everything there is to tell. */
export interface Conversion {
	readonly source: string;
	readonly report: ConversionReport;
	readonly accuracy: Accuracy | null;
	readonly files: readonly string[];
	/** Command lines to go on with, and what each is for. */
	readonly next: readonly string[];
}

const needs: Readonly<Record<Need, string>> = {
	nothing: "It computes the same as before in evaluation.",
	"fine-tuning": "It computes something else now, and needs fine-tuning.",
	recalibration: "Its running statistics are not those of its data: it needs recalibration, then fine-tuning.",
};

/** One JSON object a line: start, norm, skipped, end. */
export function printConversionJson(terminal: Terminal, { source, report, accuracy, files }: Conversion): void {
	const { converted, skipped, to, recalibration, ...outcome } = report;
	printJson(terminal, { event: "start", source, to });
	for (const norm of converted) printJson(terminal, { event: "norm", ...norm });
	for (const norm of skipped) printJson(terminal, { event: "skipped", ...norm });
	printJson(terminal, { event: "end", ...outcome, recalibrated: recalibration?.layers.length ?? 0, accuracy, files });
}

export function printConversion(terminal: Terminal, { source, report, accuracy, files, next }: Conversion): void {
	const { outColors: colors } = terminal;
	const rows = report.converted.map(({ layer, from, to, exact, note }) => [
		layer,
		from,
		to,
		exact ? "the same" : "another",
		note ?? "",
	]);
	const style = { header: colors.bold, rule: colors.dim };
	const lines = [source, "", ...tableLines(rows, { header: ["norm", "was", "is", "in evaluation", ""], style }), ""];
	for (const { layer, type, reason } of report.skipped) lines.push(`left alone: ${type} "${layer}": ${reason}`);
	if (report.recalibration) {
		const { examples } = report.recalibration;
		lines.push(`statistics of ${formatCount(examples)} examples:`, ...movementLines(report.recalibration, colors), "");
	}
	lines.push(needs[report.needs]);
	if (accuracy) {
		const { before, after, examples } = accuracy;
		lines.push(
			`test accuracy ${formatPercent(before)} before, ${formatPercent(after)} after, on ${formatCount(examples)} examples`,
		);
	}
	lines.push(`written: ${files.join(", ")}`, ...next.map((line) => colors.dim(line)));
	terminal.out.write(lines.map((line) => `${line}\n`).join(""));
}
