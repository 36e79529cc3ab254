// What `compare` says in the end: the table, the claims with their evidence, the files.

import { tableTexts, tabulate } from "../../compare/table.ts";
import { judge, type Verdict } from "../../compare/verdict.ts";
import { tableLines } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";
import type { Comparison } from "./comparison.ts";

/** Prints the results: as a table and sentences, or as JSON lines. */
export function sayResults(comparison: Comparison, files: readonly string[], terminal: Terminal, json: boolean): void {
	const { spec, results } = comparison;
	const table = tabulate(results, spec.target);
	const judgements = spec.claims.map((claim) => judge(claim, results, spec.target));
	if (json) {
		for (const { values, runs, sample, best, diverged, epochsTo, reached } of table.groups) {
			const options = Object.fromEntries(table.varying.map((name, i) => [name, values[i] ?? null]));
			const { mean, deviation } = sample;
			printJson(terminal, {
				event: "row",
				...options,
				runs: runs.length,
				mean,
				deviation,
				best,
				diverged,
				epochsTo,
				reached,
			});
		}
		for (const { claim, verdict, evidence, difference } of judgements) {
			printJson(terminal, { event: "claim", id: claim.id, says: claim.says, verdict, ...difference, evidence });
		}
		printJson(terminal, { event: "end", files });
		return;
	}
	const { outColors: colors, out } = terminal;
	const { header, rows } = tableTexts(table);
	const align = header.map((_, i) => (i < table.varying.length ? "left" : "right"));
	const style = { header: colors.bold, rule: colors.dim };
	for (const line of tableLines(rows, { header, align: align as ("left" | "right")[], style })) out.write(`${line}\n`);
	const paint: Record<Verdict, (text: string) => string> = {
		shown: colors.green,
		"not shown": colors.yellow,
		"the opposite is shown": colors.red,
	};
	for (const { claim, verdict, evidence } of judgements) {
		out.write(`\n${paint[verdict](verdict.toUpperCase())}  ${claim.says}\n  ${colors.dim(evidence)}\n`);
	}
	out.write("\n");
	for (const file of files) out.write(`${colors.dim("written ")} ${file}\n`);
}
