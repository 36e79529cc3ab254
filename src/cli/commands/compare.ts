// evenkeel compare: claims about normalization, put to the test.

import type { Command } from "commander";
import { comparisonNamed, comparisonNames } from "../../compare/presets/index.ts";
import type { CliCommand } from "../command.ts";
import { type CompareFlags, runCompare } from "../compare/run.ts";
import { wholeNumber } from "../ui/options.ts";
import { tableLines } from "../ui/table.ts";
import type { Terminal } from "../ui/terminal.ts";

export const compareCommand: CliCommand = {
	name: "compare",
	examples: [
		["evenkeel compare learning-rate", "learning rates with and without batch normalization"],
		["evenkeel compare batch-size --jobs 4", "five normalizations at batch sizes from 2 to 256, four runs at a time"],
		["evenkeel compare placement --yaml > mine.yaml", "a comparison to start one's own from"],
		["evenkeel compare mine.yaml --seeds 5", "one's own, five seeds each"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("run a grid of trainings and say what they show")
			.description(
				"Train every combination of a grid of options with several seeds, and say what the runs show: a table, the claims\n" +
					"with their evidence, and in the folder --out results.jsonl, results.csv and report.html. Finished runs are kept:\n" +
					"the same command goes on where an earlier one was stopped, and ends with the same results.",
			)
			.argument("[name|file]", "a comparison (below), or a YAML file; left out with --docs")
			.option("--out <dir>", "the folder to write to (default: runs/compare/<name>); with --docs, to read from")
			.option("--jobs <n>", "runs at a time (default: one a core, as far as memory goes)", wholeNumber(1, 256))
			.option("--seeds <n>", "seeds of each combination (default: the comparison's)", wholeNumber(1, 1000))
			.option("--data <source>", "fashion-mnist, mnist, or a folder (default: the comparison's)")
			.option("--no-download", "do not fetch data that is not on this machine")
			.option("--yaml", "print the comparison as YAML and run nothing")
			.option("--docs <file>", "run nothing, and write what all finished comparisons show as Markdown")
			.option("--json", "one JSON object a line: start, run, row, claim, end")
			.addHelpText("after", () => comparisonsText(terminal))
			.action((name: string | undefined, flags: CompareFlags) => runCompare(name, flags, terminal));
	},
};

function comparisonsText({ outColors: colors }: Terminal): string {
	const rows = comparisonNames.map((name) => [name, colors.dim(comparisonNamed(name).title)]);
	return ["", colors.bold("Comparisons:"), ...tableLines(rows, { indent: 2, gap: 3 }), ""].join("\n");
}
