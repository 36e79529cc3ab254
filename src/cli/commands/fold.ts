// evenkeel fold: batch normalizations into the weights next to them, in a model or a network.

import { extname } from "node:path";
import type { Command } from "commander";
import { init } from "../../backend/init.ts";
import { EvenkeelError } from "../../errors.ts";
import { manualSeed } from "../../random/generator.ts";
import type { CliCommand } from "../command.ts";
import { checkUsage } from "../errors.ts";
import { type FoldNetworkFlags, foldNetwork } from "../fold/network.ts";
import type { FoldOnnxFlags } from "../fold/onnx.ts";
import { type Folded, printOutcome, printOutcomeJson } from "../fold/outcome.ts";
import { checkWritable } from "../train/outputs.ts";
import { numberBetween, wholeNumber } from "../ui/options.ts";
import type { Terminal } from "../ui/terminal.ts";

interface Flags extends FoldNetworkFlags, FoldOnnxFlags {
	tolerance: number;
	json?: boolean;
}

export const foldCommand: CliCommand = {
	name: "fold",
	examples: [
		["evenkeel fold model.onnx folded.onnx", "an ONNX model, for any runtime"],
		["evenkeel fold model.onnx folded.onnx --input images.npy", "compared on inputs of your own"],
		["evenkeel fold runs/lenet-bn lenet.onnx", "a run, as a network to deploy"],
		["evenkeel fold model.safetensors plain.safetensors --preset lenet-bn", "weights, for the network without norms"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("fold batch norms into the convolutions and linear layers next to them")
			.description(
				"Fold batch normalizations into the convolutions and linear layers next to them: the same\n" +
					"outputs, with fewer nodes. A norm that cannot be folded stays, and the reason is printed.\n" +
					"Outputs are compared on random inputs, or those of --input; if they move by more than\n" +
					"--tolerance, nothing is written (exit code 1).",
			)
			.argument("<in>", "an .onnx file, a run's folder, or a file of weights (with --preset)")
			.argument("<out>", "the file to write: .onnx, or .safetensors for a network of evenkeel's")
			.option(
				"--input <file>",
				"compare on this .npy instead of random numbers (NAME=FILE where there are several)",
				collect,
			)
			.option("--seed <n>", "of the random inputs", wholeNumber(0), 0)
			.option("--tolerance <x>", "how far outputs may move, as a share of the largest", numberBetween(0), 1e-3)
			.option("--fix-inputs", "ONNX: initializers that are also inputs are constants from now on")
			.option("--mul-add", "ONNX: norms that nothing takes become a Mul and an Add")
			.option("--preset <name>", "the network that a file of weights is of")
			.option("--norm <name>", "the normalization it is built with (default: the preset's, or the checkpoint's)")
			.option("--groups <n>", "groups of --norm group", wholeNumber(1))
			.option("--keep-names", "leave an Identity in each norm's place, so that other layers keep their names")
			.option("--json", "print one JSON object")
			.action((from: string, out: string, flags: Flags) => run(from, out, flags, terminal));
	},
};

function collect(text: string, before: readonly string[] = []): string[] {
	return [...before, text];
}

async function run(from: string, out: string, flags: Flags, terminal: Terminal): Promise<void> {
	const isModel = extname(from).toLowerCase() === ".onnx";
	checkFlags(isModel, from, out, flags);
	checkWritable("fold to", out);
	await init({ threads: 1 });
	manualSeed(0);
	const { write, ...folded } = await load(isModel, from, out, flags);
	const { tolerance } = flags;
	const moved = folded.difference !== null && !(folded.difference.relative <= tolerance);
	const outcome = { ...folded, out, tolerance, written: moved ? null : await write() };
	(flags.json ? printOutcomeJson : printOutcome)(terminal, outcome);
	if (!moved) return;
	throw new EvenkeelError(
		`the outputs move by ${folded.difference?.relative.toExponential(1)} of the largest, more than --tolerance ${tolerance}; ` +
			`nothing was written to ${out}`,
	);
}

async function load(isModel: boolean, from: string, out: string, flags: Flags): Promise<Folded> {
	if (!isModel) return await foldNetwork(from, out, flags);
	// Loaded only now: nothing else needs protobuf.
	const { foldModel } = await import("../fold/onnx.ts");
	return await foldModel(from, out, flags);
}

/** Refuses options that mean nothing for what is folded. */
function checkFlags(isModel: boolean, from: string, out: string, flags: Flags): void {
	checkUsage(
		!isModel || extname(out).toLowerCase() === ".onnx",
		() => `${out}: ${from} is an ONNX model, and is written as one; name a file that ends with .onnx`,
	);
	const others = isModel
		? { "--preset": flags.preset, "--norm": flags.norm, "--groups": flags.groups, "--keep-names": flags.keepNames }
		: { "--fix-inputs": flags.fixInputs, "--mul-add": flags.mulAdd };
	const [wrong] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
	checkUsage(wrong === undefined, () => `${wrong}: that is for ${isModel ? "networks of evenkeel's" : "ONNX models"}`);
}
