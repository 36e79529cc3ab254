// evenkeel inspect: a network's layers, its norms' numbers, and what is wrong with them.

import { type Command, InvalidArgumentError } from "commander";
import { init } from "../../backend/init.ts";
import { DataLoader } from "../../data/data-loader.ts";
import { subset } from "../../data/index.ts";
import { writeFileAtomic } from "../../model-files/atomic-write.ts";
import { manualSeed } from "../../random/generator.ts";
import { type Inspection, inspectionPage, inspectNetwork } from "../../surgery/index.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CliCommand } from "../command.ts";
import { checkUsage } from "../errors.ts";
import { type LoadedNetwork, loadNetwork, type NetworkFlags } from "../inspect/load-network.ts";
import { printInspection, printInspectionJson } from "../inspect/report.ts";
import { loadData, type RunData } from "../train/load-data.ts";
import { makeOptimizer } from "../train/optimizer.ts";
import { checkWritable } from "../train/outputs.ts";
import { numberList, wholeNumber } from "../ui/options.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import type { Terminal } from "../ui/terminal.ts";

interface Flags extends NetworkFlags {
	data?: string;
	download: boolean;
	limit: number;
	batchSize?: number;
	replicas: number;
	json?: boolean;
	html?: string;
}

/** Rows that go through the network together. */
const ROWS = 256;

export const inspect: CliCommand = {
	name: "inspect",
	examples: [
		["evenkeel inspect lenet-bn --batch-size 8", "a preset before it is trained, for such batches"],
		["evenkeel inspect runs/lenet-bn --data fashion-mnist", "a checkpoint, and whether its statistics fit the data"],
		["evenkeel inspect model.onnx --html model.html", "an ONNX model, as a page to look at"],
		["evenkeel inspect model.safetensors", "the norms in a file of weights, PyTorch's too"],
		["evenkeel inspect model.safetensors --preset lenet-bn", "weights of a network that is known"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("show a network's layers and norms, and what is wrong with its normalization")
			.description(
				"Show the layers of a network with their costs, the numbers of each norm as ranges and histograms, and findings:\n" +
					"batches too small, dropout beside norms, biases and weight decay in vain, statistics that were never updated or do\n" +
					"not fit the data, dead channels.",
			)
			.argument(
				"<network>",
				"a preset, a file of your own, a run's folder, checkpoint.safetensors, model.safetensors or model.onnx",
			)
			.option("--preset <name>", "the network that a file of weights is of")
			.option("--norm <name>", "the normalization it is built with (default: the preset's, or the checkpoint's)")
			.option("--groups <n>", "groups of --norm group", wholeNumber(1))
			.option("--data <source>", "run it on fashion-mnist, mnist, or a folder with the four files of MNIST")
			.option("--no-download", "do not fetch data that is not on this machine")
			.option("--limit <n>", "examples to run it on", wholeNumber(1), 1024)
			.option(
				"--batch-size <n>",
				"the batch size it is trained with (default: the checkpoint's, or preset's)",
				wholeNumber(1),
			)
			.option("--replicas <n>", "among how many replicas a batch is split", wholeNumber(1), 1)
			.option("--input-shape <n,…>", "of an ONNX model that leaves it open, the batch first: 1,3,224,224", shapeOf)
			.option("--html <file>", "write it as a page as well")
			.option("--json", "print all of it as one JSON object")
			.action((name: string, flags: Flags) => run(name, flags, terminal));
	},
};

async function run(name: string, flags: Flags, terminal: Terminal): Promise<void> {
	checkUsage(
		flags.inputShape === undefined || /\.onnx$/i.test(name),
		() => `--input-shape: it is for ONNX models; ${name} has its own`,
	);
	if (flags.html !== undefined) checkWritable("--html", flags.html);
	await init({ threads: 1 });
	manualSeed(0);
	const network = await loadNetwork(name, flags);
	const data = flags.data === undefined ? null : await loadExamples(network, flags.data, flags, terminal);
	const inspection = inspectionOf(network, data, flags);
	if (flags.html !== undefined) await writeFileAtomic(flags.html, inspectionPage(inspection));
	if (flags.json) printInspectionJson(terminal, inspection);
	else printInspection(terminal, inspection);
	if (flags.html !== undefined) terminal.err.write(`page: ${flags.html}\n`);
}

function inspectionOf(network: LoadedNetwork, data: RunData | null, flags: Flags): Inspection {
	const { net, preset, known, source, trained, tensors, notes } = network;
	const { findings: shown, ...inspection } = inspectNetwork(net, {
		source,
		batchSize: flags.batchSize ?? network.batchSize ?? preset?.batchSize ?? 32,
		replicas: flags.replicas,
		trained,
		optimizer: preset ? makeOptimizer(preset, net, preset.lr) : undefined,
		data: data ? inputs(data, network, flags.limit) : undefined,
		dataSource: data?.sources.join("; "),
		inputShape: network.inputShape ?? undefined,
	});
	const findings = [...(network.findings ?? []), ...shown];
	if (known) return { ...inspection, findings, notes: [...notes, ...inspection.notes] };
	return { ...inspection, findings, layers: [], totals: { parameters: 0, flops: null }, tensors, notes };
}

function shapeOf(text: string): Shape {
	const shape = numberList(text);
	if (shape.every((length) => Number.isInteger(length) && length >= 1)) return shape;
	throw new InvalidArgumentError("It must be whole numbers of at least 1 separated by commas, as in 1,3,224,224.");
}

function loadExamples({ preset }: LoadedNetwork, from: string, flags: Flags, terminal: Terminal): Promise<RunData> {
	checkUsage(preset, "--data: only the norms of these weights are known; name the network with --preset to run it");
	return loadData(preset, { from, download: flags.download, limit: undefined }, new ProgressDisplay(terminal));
}

/** Training examples, as they come into the network in evaluation. */
function* inputs({ train }: RunData, { preset }: LoadedNetwork, limit: number): Generator<Tensor> {
	const { mean, std } = preset?.transform ?? {};
	const rows = subset(train, Math.min(limit, train.length));
	for (const batch of new DataLoader(rows, { batchSize: ROWS, transform: { mean, std } })) {
		yield batch.x;
		batch.x.dispose();
		batch.y.dispose();
	}
}
