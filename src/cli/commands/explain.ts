// evenkeel explain: each step of batch normalization on real numbers.

import type { Command } from "commander";
import { nestValues } from "../../ops/norm/batch-norm/explain-values.ts";
import type { CliCommand } from "../command.ts";
import { batchFromFile, channelValues, cotangentFromFile, defaultBatch, defaultCotangent } from "../explain/data.ts";
import { computeLesson, type Lesson, type LessonInput } from "../explain/lesson.ts";
import { renderSections } from "../explain/render.ts";
import { lessonSections } from "../explain/report.ts";
import { numberBetween, numberList, wholeNumber } from "../ui/options.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";

interface Flags {
	gamma?: number[];
	beta?: number[];
	eps: number;
	decay?: number;
	momentum?: number;
	unbiased?: boolean;
	dy?: string;
	backward: boolean;
	digits: number;
	rows: number;
	json?: boolean;
}

export const explain: CliCommand = {
	name: "explain",
	examples: [
		["evenkeel explain", "10 samples x 5 features, forward, backward, then inference"],
		["evenkeel explain batch.csv --no-backward", "your own numbers, forward only"],
		["evenkeel explain activations.npy --rows 4", "[N, C] or [N, C, H, W], four rows of each step"],
		["evenkeel explain --gamma 2 --beta 0.5", "another scale and shift"],
		["evenkeel explain --momentum 0.1 --unbiased", "running averages as PyTorch keeps them"],
		["evenkeel explain --json", "every intermediate, for programs"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("show each step of the algorithm on real numbers, forward and backward")
			.description(
				"Show each step of batch normalization on real numbers: training forward and backward, then inference.",
			)
			.argument("[file]", "a batch to explain, .npy or .csv: [samples, features], .npy also [N, C, ...]")
			.option("--gamma <list>", "the scale: one value a feature, or one for all (default: 1)", numberList)
			.option("--beta <list>", "the shift: one value a feature, or one for all (default: 0)", numberList)
			.addOption(
				command
					.createOption("--eps <x>", "added to the variance under the root")
					.default(1e-5, "1e-5")
					.argParser(numberBetween(0)),
			)
			.option("--decay <x>", "weight of the OLD running average (default: 0.9)", numberBetween(0, 1))
			.addOption(
				command
					.createOption("--momentum <x>", "weight of the NEW batch in the running average, 1 - decay")
					.argParser(numberBetween(0, 1))
					.conflicts("decay"),
			)
			.option("--unbiased", "running variance with m - 1, as PyTorch has it (default: biased)")
			.option("--dy <file>", "gradient by the output, .npy or .csv of x's shape (default: random, seed 43)")
			.option("--no-backward", "leave the backward pass out")
			.option("--digits <n>", "decimals", wholeNumber(0, 15), 4)
			.option("--rows <n>", "rows shown of each table", wholeNumber(1), 10)
			.option("--json", "one JSON object a line: data, forward, backward, running, inference")
			.action((file: string | undefined, flags: Flags) => run(file, flags, terminal));
	},
};

async function run(file: string | undefined, flags: Flags, terminal: Terminal): Promise<void> {
	const { x, columns, source } = file === undefined ? defaultBatch() : await batchFromFile(file);
	const cotangent = flags.dy === undefined ? defaultCotangent(x.shape) : await cotangentFromFile(flags.dy, x.shape);
	const input: LessonInput = {
		x,
		gamma: channelValues("--gamma", flags.gamma, x.shape[1], 1),
		beta: channelValues("--beta", flags.beta, x.shape[1], 0),
		eps: flags.eps,
		decay: flags.momentum === undefined ? (flags.decay ?? 0.9) : Number((1 - flags.momentum).toPrecision(15)),
		runningVariance: flags.unbiased ? "unbiased" : "biased",
		dy: flags.backward ? cotangent.dy : null,
	};
	const lesson = computeLesson(input);
	if (flags.json) {
		printLessonJson(terminal, input, lesson, source);
		return;
	}
	const sections = lessonSections(input, lesson, source, cotangent.source);
	const { digits, rows } = flags;
	const width = terminal.out.columns ?? 120;
	terminal.out.write(renderSections(sections, { columns, digits, rows, width, colors: terminal.outColors }));
}

/** One line each: data, forward, backward (unless left out), running, inference. */
function printLessonJson(terminal: Terminal, input: LessonInput, lesson: Lesson, source: string): void {
	const { x, gamma, beta, eps, decay, runningVariance, dy } = input;
	const { mu, xmu, sq, var: variance, sqrtvar, ivar, xhat, gammax, out, ...backward } = lesson.stages;
	const values = nestValues(x.data, x.shape);
	printJson(terminal, { event: "data", source, shape: x.shape, eps, decay, runningVariance, gamma, beta, x: values });
	printJson(terminal, { event: "forward", mu, xmu, sq, var: variance, sqrtvar, ivar, xhat, gammax, out });
	if (dy) printJson(terminal, { event: "backward", dy: nestValues(dy.data, dy.shape), ...backward });
	printJson(terminal, { event: "running", ...lesson.running });
	printJson(terminal, { event: "inference", ...lesson.inference });
}
