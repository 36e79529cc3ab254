// What `fold` has to tell, and how it says it.

import type { Difference, FoldReport } from "../../surgery/index.ts";
import { formatBytes, formatCount } from "../ui/format.ts";
import { tableLines } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";
import { describeExamples, type ExampleFlags } from "./examples.ts";

/** Before and after. */
export interface Change {
	readonly before: number;
	readonly after: number;
}

/** A folded network or model, ready to be written. */
export interface Folded {
	/** What was folded, in words. */
	readonly source: string;
	/** What is counted: a model's nodes, a network's layers. */
	readonly counted: "nodes" | "layers";
	readonly count: Change;
	readonly report: FoldReport;
	/** How far the outputs moved; null if that could not be seen. */
	readonly difference: Difference | null;
	/** What the outputs are of; or why they could not be compared. */
	readonly compared: string;
	/** Bytes of the files that were read; those that are written follow from {@link Folded.write}. */
	readonly bytesBefore: number;
	/** Writes it, all or nothing. Returns the bytes of the file, and how to go on: a line for people. */
	write(): Promise<{ bytes: number; hint: string | null }>;
}

export type Comparison = Pick<Folded, "difference" | "compared">;

/** What outputs `difference` is of. Where none of them was finite, there is nothing to say of it. */
export function comparisonOf(difference: Difference, flags: ExampleFlags): Comparison {
	const on = describeExamples(flags);
	if (difference.finite > 0 || difference.largest > 0) return { difference, compared: on };
	const other = flags.input === undefined ? "an example" : "another example";
	return { difference: null, compared: `${on} not one of them is finite; give ${other} with --input FILE.npy` };
}

/** The outcome, with what was written; null if nothing was. */
export interface Outcome extends Omit<Folded, "write"> {
	readonly out: string;
	readonly tolerance: number;
	readonly written: { readonly bytes: number; readonly hint: string | null } | null;
}

/** One JSON object. */
export function printOutcomeJson(terminal: Terminal, outcome: Outcome): void {
	const { source, counted, count, report, difference, compared, bytesBefore, out, tolerance, written } = outcome;
	printJson(terminal, {
		event: "fold",
		source,
		file: out,
		written: written !== null,
		[counted]: count,
		norms: { before: report.folded.length + report.left.length, after: report.left.length },
		bytes: { before: bytesBefore, after: written?.bytes ?? null },
		difference: difference && { largest: finite(difference.largest), relative: finite(difference.relative) },
		tolerance,
		compared,
		folded: report.folded,
		left: report.left,
	});
}

/** JSON has no infinity. */
const finite = (value: number) => (Number.isFinite(value) ? value : null);

export function printOutcome(terminal: Terminal, outcome: Outcome): void {
	const { outColors: colors } = terminal;
	const { source, counted, count, report, bytesBefore, written, out } = outcome;
	const { folded, left } = report;
	const rows = [
		["norms", formatCount(folded.length + left.length), formatCount(left.length)],
		[counted, formatCount(count.before), formatCount(count.after)],
		["size", formatBytes(bytesBefore), written ? formatBytes(written.bytes) : "-"],
	];
	const style = { header: colors.bold, rule: colors.dim };
	const lines = [
		source,
		"",
		...tableLines(rows, { header: ["", "before", "after"], align: ["left", "right", "right"], style }),
		"",
		howLine(outcome),
		differenceLine(outcome),
		...left.flatMap(({ norm, reason }) => [`${colors.yellow("left")} ${colors.bold(norm)}`, `  ${reason}`]),
		written ? `written: ${out}` : "nothing was written",
		...(written?.hint ? [written.hint] : []),
	];
	terminal.out.write(lines.map((line) => `${line}\n`).join(""));
}

const places = {
	before: "into what they read",
	behind: "into what reads them",
	norm: "into another norm",
	"mul-add": "made a Mul and an Add",
} as const;

function howLine({ report: { folded } }: Outcome): string {
	if (folded.length === 0) return "Nothing was folded.";
	const counts = Object.entries(places).flatMap(([how, words]) => {
		const count = folded.filter((one) => one.how === how).length;
		return count > 0 ? [`${count} ${words}`] : [];
	});
	return `folded: ${counts.join(", ")}`;
}

/** `1.2e-6`; 0 as `0`. */
const short = (value: number) => (value === 0 ? "0" : value.toExponential(1));

function differenceLine({ difference, compared }: Outcome): string {
	if (!difference) return `outputs were not compared: ${compared}`;
	const { largest, relative } = difference;
	return `largest output difference: ${short(largest)}, ${short(relative)} of the largest output; ${compared}`;
}
