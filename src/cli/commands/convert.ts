// evenkeel convert: a trained network with other norms, ready to be fine-tuned, inspected or exported.

import { statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { init } from "../../backend/init.ts";
import type { Dataset } from "../../data/index.ts";
import { SafetensorsFile } from "../../model-files/safetensors.ts";
import type { NormChoice, Preset } from "../../presets/index.ts";
import { manualSeed } from "../../random/generator.ts";
import type { NormTarget } from "../../surgery/index.ts";
import { type CheckpointState, checkpointFile, readCheckpoint, saveWeights } from "../../train/index.ts";
import type { CliCommand } from "../command.ts";
import { convertCheckpoint } from "../convert/convert-checkpoint.ts";
import { type ConvertedNetwork, convertNetwork, targets } from "../convert/convert-network.ts";
import { printConversion, printConversionJson } from "../convert/report.ts";
import { checkUsage } from "../errors.ts";
import { loadNetwork } from "../inspect/load-network.ts";
import { accuracyOf } from "../recalibrate/accuracy.ts";
import { loadInputs } from "../recalibrate/data.ts";
import { progressText } from "../recalibrate/report.ts";
import { checkNoPickle } from "../train/load-preset.ts";
import { checkFolder, checkWritable } from "../train/outputs.ts";
import { wholeNumber } from "../ui/options.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import type { Terminal } from "../ui/terminal.ts";

interface Flags {
	to: NormTarget;
	groups?: number;
	out: string;
	preset?: string;
	norm?: string;
	normGroups?: number;
	data?: string;
	download: boolean;
	limit?: number;
	json?: boolean;
}

const weightsFile = "model.safetensors";

export const convertCommand: CliCommand = {
	name: "convert",
	examples: [
		["evenkeel convert runs/lenet-bn --to group --groups 4 --out runs/lenet-gn", "group norm, for small batches"],
		["evenkeel convert runs/lenet-bn --to frozen-affine --out runs/frozen", "freeze the norms; --to batch undoes it"],
		[
			"evenkeel convert runs/lenet-gn --to batch --data fashion-mnist --out runs/lenet-bn",
			"and back, with statistics of data",
		],
		[
			"evenkeel convert model.safetensors --preset lenet-bn --to layer --out ln.safetensors",
			"weights of a network that is known",
		],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("exchange the norms of a trained network, keeping scale and shift")
			.description(
				"Exchange the norms of a trained network. Scale and shift are kept. To sync, batch-renorm and frozen-affine (and back)\n" +
					"is exact in evaluation; group, layer and instance norm need fine-tuning; batch norm made of those needs statistics,\n" +
					"which --data gives it. A run stays a run: evenkeel train --resume goes on with it.",
			)
			.argument("<network>", "a run's folder, or a file of weights (with --preset)")
			.requiredOption("--to <norm>", targets.join(", "), targetNamed)
			.requiredOption("--out <path>", "the folder or .safetensors file to write")
			.option(
				"--groups <n>",
				"groups of --to group; fewer where n does not divide the channels (default: 4)",
				wholeNumber(1),
			)
			.option("--preset <name>", "the network that a file of weights is of")
			.option("--norm <name>", "the normalization that it has now (default: the preset's, or the checkpoint's)")
			.option("--norm-groups <n>", "groups that it has now, with --norm group", wholeNumber(1))
			.option("--data <source>", "estimate running statistics on fashion-mnist, mnist, a folder, or a .npy file")
			.option("--limit <n>", "use only the first n images for that", wholeNumber(1))
			.option("--no-download", "do not fetch data that is not on this machine")
			.option("--json", "one JSON object a line: start, norm, skipped, end")
			.action((name: string, flags: Flags) => run(name, flags, terminal));
	},
};

async function run(given: string, flags: Flags, terminal: Terminal): Promise<void> {
	const name = basename(given) === checkpointFile ? dirname(given) : given;
	const isRun = statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
	checkFlags(name, isRun, flags);
	await init();
	manualSeed(0);
	const { to, groups, out, preset: known, norm, normGroups } = flags;
	const { net, preset, source } = await loadNetwork(name, { preset: known, norm, groups: normGroups });
	checkUsage(preset, () => `${name}: the network is not known; name it with --preset`);
	if (extname(out) === ".safetensors") checkWritable("--out", out);
	else checkFolder("--out", out);

	const display = new ProgressDisplay(terminal);
	const data = await dataFor(preset, source, flags, display);
	const transform = { mean: preset.transform?.mean, std: preset.transform?.std };
	const measure = async (one: ConvertedNetwork["net"], labeled: Dataset | null | undefined) =>
		labeled ? await accuracyOf({ net: one, transform, batchSize: null }, labeled) : null;
	const before = await measure(net, data?.labeled);
	const progress = (state: Parameters<typeof progressText>[0]) =>
		display.redraw((width) => progressText(state, width, terminal));
	const recalibrate = { transform, progress };
	const converted = await convertNetwork(net, preset, to, { groups, data: data?.inputs, recalibrate });
	const after = await measure(converted.net, data?.labeled);
	display.clear();

	const files = write(converted, preset, name, isRun, out);
	const examples = data?.labeled?.length ?? 0;
	const accuracy = before === null || after === null ? null : { before, after, examples };
	const next = nextSteps(converted, preset, isRun, name, out);
	(flags.json ? printConversionJson : printConversion)(terminal, { source, ...converted, accuracy, files, next });
}

function checkFlags(name: string, isRun: boolean, { to, groups, out }: Flags): void {
	checkUsage(
		groups === undefined || to === "group",
		() => `--groups ${groups}: ${to} has no groups; leave it out, or convert --to group`,
	);
	checkUsage(
		!name.endsWith(".onnx"),
		() =>
			`${name}: an ONNX model is converted in code, by importOnnx, convertNorms and exportOnnx; the commands for it are fold and recalibrate`,
	);
	if (!isRun) checkNoPickle(name);
	checkUsage(
		isRun || /\.(safetensors|keras|h5|hdf5)$/.test(name),
		() => `${name}: it has no weights to convert; name a run's folder, or a file of weights`,
	);
	checkUsage(
		isRun || extname(out) === ".safetensors",
		() => `--out ${out}: ${name} holds weights; name a file that ends with .safetensors`,
	);
}

async function dataFor(preset: Preset, source: string, { data, download, limit }: Flags, display: ProgressDisplay) {
	if (data === undefined) return null;
	const { inputShape } = preset;
	return await loadInputs({ source, preset, inputShape, batchSize: null }, { data, download, limit }, display);
}

/** A run as a run, with its checkpoint and its weights; else weights, in the type that they had. */
function write(converted: ConvertedNetwork, preset: Preset, name: string, isRun: boolean, out: string): string[] {
	if (extname(out) === ".safetensors") {
		saveWeights(converted.net, out, { dtype: isRun ? undefined : floatsOf(name) });
		return [out];
	}
	convertCheckpoint(name, out, preset, converted);
	saveWeights(converted.net, join(out, weightsFile));
	return [join(out, checkpointFile), join(out, weightsFile)];
}

/** f16 or bf16 if that is what the file's floats are. */
function floatsOf(file: string): "f16" | "bf16" | undefined {
	if (extname(file) !== ".safetensors") return undefined;
	using weights = new SafetensorsFile(file);
	const types = new Set(Object.values(weights.tensors()).map(({ dtype }) => dtype));
	if (types.has("F32")) return undefined;
	if (types.has("F16")) return "f16";
	return types.has("BF16") ? "bf16" : undefined;
}

function nextSteps(
	{ choice, report }: ConvertedNetwork,
	preset: Preset,
	isRun: boolean,
	name: string,
	out: string,
): string[] {
	const steps: string[] = [];
	const runs = isRun && extname(out) !== ".safetensors";
	const network = runs ? out : `${out} --preset ${preset.name} ${normFlags(choice)}`;
	if (report.needs === "recalibration") steps.push(`evenkeel recalibrate ${network} --data fashion-mnist --out ${out}`);
	if (report.needs === "nothing") steps.push(`evenkeel inspect ${network}`);
	else if (runs) steps.push(`evenkeel train --resume ${out}${moreEpochs(readCheckpoint(name).state)}`);
	else steps.push(`evenkeel inspect ${network}`);
	return steps;
}

/** A run that is finished needs some to go on. */
const moreEpochs = ({ epochs, loader }: CheckpointState) => (loader.epoch < epochs ? "" : ` --epochs ${epochs + 2}`);

const normFlags = ({ norm, groups }: NormChoice) =>
	`--norm ${norm}${groups === undefined ? "" : ` --groups ${groups}`}`;

function targetNamed(text: string): NormTarget {
	// What --norm calls it.
	const name = text === "renorm" ? "batch-renorm" : text;
	const found = targets.find((target) => target === name);
	if (found) return found;
	throw new InvalidArgumentError(`It must be one of ${targets.join(", ")}.`);
}
