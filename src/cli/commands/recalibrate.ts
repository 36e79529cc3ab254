// evenkeel recalibrate: running statistics estimated anew, from data the network is to be used on.

import { type Command, InvalidArgumentError } from "commander";
import type { Dataset } from "../../data/index.ts";
import { EvenkeelError } from "../../errors.ts";
import { manualSeed } from "../../random/generator.ts";
import { type RecalibrationMode, recalibrate } from "../../surgery/index.ts";
import { startBackend } from "../backend.ts";
import type { CliCommand } from "../command.ts";
import { checkUsage } from "../errors.ts";
import type { NetworkFlags } from "../inspect/load-network.ts";
import { accuracyOf } from "../recalibrate/accuracy.ts";
import { type DataFlags, loadInputs, type RecalibrationInputs } from "../recalibrate/data.ts";
import { modes, type Outcome, printOutcome, printOutcomeJson, progressText } from "../recalibrate/report.ts";
import { openSubject, type Subject } from "../recalibrate/subject.ts";
import { interrupted, stoppable } from "../train/stop-on-signal.ts";
import { numberList, wholeNumber } from "../ui/options.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import type { Terminal } from "../ui/terminal.ts";

interface Flags extends NetworkFlags, DataFlags {
	out: string;
	mode: RecalibrationMode;
	batchSize?: number;
	mean?: number[];
	std?: number[];
	threads?: number;
	json?: boolean;
}

export const recalibrateCommand: CliCommand = {
	name: "recalibrate",
	examples: [
		[
			"evenkeel recalibrate runs/lenet-bn --data ./dark-images --out runs/dark",
			"a run, for images that look otherwise",
		],
		[
			"evenkeel recalibrate averaged.safetensors --preset lenet-bn --data fashion-mnist --out lenet.safetensors",
			"weights after averaging",
		],
		[
			"evenkeel recalibrate model.onnx --data inputs.npy --out new.onnx",
			"an ONNX model; all but its statistics stays as it is",
		],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("re-estimate the running statistics of batch norms on data, without labels")
			.description(
				"Re-estimate the running mean and variance of every batch norm over the training images of --data, exactly: as\n" +
					"the mean and variance of all of them, however they are split into batches. No weight changes. Prints how far\n" +
					"the statistics moved and the accuracy on the test images of --data, before and after.",
			)
			.argument("<network>", "a run's folder, a file of weights (with --preset), or an .onnx file")
			.requiredOption(
				"--data <source>",
				"fashion-mnist, mnist, a folder with the four files of MNIST, or inputs as .npy",
			)
			.requiredOption("--out <path>", "the folder, .safetensors or .onnx file to write")
			.option("--mode <mode>", `${Object.keys(modes).join(", ")} (see below)`, modeNamed, "per-layer")
			.option("--preset <name>", "the network that a file of weights is of")
			.option("--norm <name>", "the normalization it is built with (default: the preset's, or the checkpoint's)")
			.option("--groups <n>", "groups of --norm group", wholeNumber(1))
			.option("--batch-size <n>", "images that go through the network together (default: 256)", wholeNumber(1))
			.option("--limit <n>", "use only the first n training images", wholeNumber(1))
			.option(
				"--mean <list>",
				"of the pixels, as x / 255, to be taken out first (default: the preset's, or 0)",
				numberList,
			)
			.option("--std <list>", "of the pixels, to be divided by (default: the preset's, or 1)", numberList)
			.option("--no-download", "do not fetch data that is not on this machine")
			.option("--threads <n>", "threads that share the work", wholeNumber(1, 64))
			.option("--json", "one JSON object a line: start, layer, skipped, end")
			.addHelpText("after", () => modesText())
			.action((name: string, flags: Flags) => run(name, flags, terminal));
	},
};

async function run(name: string, flags: Flags, terminal: Terminal): Promise<void> {
	await startBackend({ threads: flags.threads });
	manualSeed(0);
	const subject = withTransform(await openSubject(name, flags.out, flags), flags);
	checkUsage(
		subject.batchSize === null || flags.batchSize === undefined || flags.batchSize === subject.batchSize,
		() => `--batch-size ${flags.batchSize}: ${name} takes batches of ${subject.batchSize} only; leave it out`,
	);
	const display = new ProgressDisplay(terminal);
	const data = await loadInputs(subject, flags, display);
	let stopped = false;
	const outcome = await stoppable(
		(signal) =>
			estimate(subject, data, flags, display, terminal, signal).catch((error: unknown) => {
				if (!signal.aborted) throw error;
				return null;
			}),
		() => {
			stopped = true;
		},
	);
	display.clear();
	if (outcome === null || stopped) {
		terminal.err.write("stopped; nothing was written\n");
		terminal.exitCode = interrupted;
		return;
	}
	const files = await subject.write(outcome.report);
	(flags.json ? printOutcomeJson : printOutcome)(terminal, { ...outcome, files });
}

async function estimate(
	subject: Subject,
	{ inputs, labeled, sources, notes }: RecalibrationInputs,
	flags: Flags,
	display: ProgressDisplay,
	terminal: Terminal,
	signal: AbortSignal,
): Promise<Omit<Outcome, "files">> {
	const { net, transform, source } = subject;
	const measure = () => labeled && measuredOn(subject, labeled, signal);
	const before = await measure();
	const started = performance.now();
	const report = await recalibrate(net, inputs, {
		mode: flags.mode,
		batchSize: subject.batchSize ?? flags.batchSize,
		transform,
		signal,
		progress: (state) => display.redraw((width) => progressText(state, width, terminal)),
	});
	const seconds = (performance.now() - started) / 1000;
	const after = await measure();
	const accuracy = labeled && before !== null && after !== null ? { before, after, examples: labeled.length } : null;
	return { source, data: sources, report, seconds, accuracy, notes: [...subject.notes, ...notes] };
}

/** The accuracy; null for an ONNX model whose output is no score a class. */
async function measuredOn(subject: Subject, labeled: Dataset, signal: AbortSignal): Promise<number | null> {
	try {
		return await accuracyOf(subject, labeled, signal);
	} catch (error) {
		if (subject.preset === null && error instanceof EvenkeelError) return null;
		throw error;
	}
}

function withTransform(subject: Subject, { mean, std }: Flags): Subject {
	const { transform } = subject;
	return { ...subject, transform: { mean: mean ?? transform.mean, std: std ?? transform.std } };
}

function modeNamed(text: string): RecalibrationMode {
	if (isMode(text)) return text;
	throw new InvalidArgumentError(`It must be one of ${Object.keys(modes).join(", ")}.`);
}

function isMode(text: string): text is RecalibrationMode {
	return Object.hasOwn(modes, text);
}

function modesText(): string {
	const width = Math.max(...Object.keys(modes).map((name) => name.length));
	const lines = Object.entries(modes).map(([name, what]) => `  ${name.padEnd(width)}   ${what}`);
	return ["", "Modes:", ...lines, ""].join("\n");
}
