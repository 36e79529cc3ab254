// evenkeel export: a network or its weights as a file that other programs load.

import { type Command, InvalidArgumentError } from "commander";
import { init } from "../../backend/init.ts";
import { manualSeed } from "../../random/generator.ts";
import { type WeightsOptions, weightTypes } from "../../train/weights-file.ts";
import type { CliCommand } from "../command.ts";
import { checkUsage } from "../errors.ts";
import { formatOf } from "../export/formats.ts";
import { withExportSource } from "../export/source.ts";
import type { NetworkFlags } from "../inspect/load-network.ts";
import { checkWritable } from "../train/outputs.ts";
import { formatBytes, formatCount } from "../ui/format.ts";
import { wholeNumber } from "../ui/options.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";

interface Flags extends NetworkFlags {
	dtype?: WeightsOptions["dtype"];
	opset?: number;
	json?: boolean;
}

export const exportCommand: CliCommand = {
	name: "export",
	examples: [
		["evenkeel export runs/lenet-bn lenet-bn.safetensors", "a run's weights, for PyTorch's load_state_dict"],
		["evenkeel export model.safetensors half.safetensors --dtype f16", "weights as half-precision floats"],
		["evenkeel export runs/lenet-bn lenet-bn.onnx", "the network with its weights, for onnxruntime"],
		["evenkeel export model.keras mlp.safetensors --preset keras-mlp-bn", "weights that Keras wrote"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("write a network as a file that PyTorch or onnxruntime loads")
			.description(
				"Write a network to a file whose extension names the format: .safetensors holds its weights, with PyTorch's names\n" +
					"and types; .onnx the whole of it, for onnxruntime and others. What Keras wrote (.keras, .weights.h5, .h5) is\n" +
					"converted for the network that --preset names.",
			)
			.argument("<network>", "a run's folder, a file of weights, a preset, or a file of your own")
			.argument("<out>", "the file to write")
			.option("--preset <name>", "the network that a file of weights is of")
			.option("--norm <name>", "the normalization it is built with (default: the preset's, or the checkpoint's)")
			.option("--groups <n>", "groups of --norm group", wholeNumber(1))
			.option("--dtype <type>", "f32, f16 or bf16 for all floats (default: what they are)", dtypeNamed)
			.option("--opset <n>", "version of ONNX's operators, 13 to 22 (default: 17)", wholeNumber(13, 22))
			.option("--json", "print what was written as one JSON object")
			.action((name: string, out: string, flags: Flags) => run(name, out, flags, terminal));
	},
};

async function run(name: string, out: string, flags: Flags, terminal: Terminal): Promise<void> {
	const format = formatOf(out);
	checkUsage(flags.opset === undefined || format.name === "onnx", "--opset: only .onnx has versions of its operators");
	checkWritable("export to", out);
	await init({ threads: 1 });
	manualSeed(0);
	await withExportSource(name, flags, async (source) => {
		const result = await format.write(source, out, { dtype: flags.dtype, opset: flags.opset });
		const { hint, ...figures } = result;
		if (flags.json) {
			const dtype = flags.dtype ?? null;
			printJson(terminal, {
				event: "export",
				source: source.description,
				file: out,
				format: format.name,
				dtype,
				...figures,
			});
			return;
		}
		const { tensors, values, bytes } = figures;
		terminal.out.write(
			`${source.description}\n${out}: ${formatCount(tensors)} tensors, ${formatCount(values)} values, ${formatBytes(bytes)}\n${hint}\n`,
		);
	});
}

function dtypeNamed(text: string): keyof typeof weightTypes {
	if (isWeightType(text)) return text;
	throw new InvalidArgumentError(`It must be one of ${Object.keys(weightTypes).join(", ")}.`);
}

function isWeightType(text: string): text is keyof typeof weightTypes {
	return Object.hasOwn(weightTypes, text);
}
