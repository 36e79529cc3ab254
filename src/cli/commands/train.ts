// evenkeel train: a network, data, an optimizer, and everything around them.

import type { Command } from "commander";
import { normDescriptions, normNames, presets } from "../../presets/index.ts";
import type { CliCommand } from "../command.ts";
import type { TrainFlags } from "../train/plan.ts";
import { runTraining } from "../train/run.ts";
import { numberBetween, threadCount, wholeNumber } from "../ui/options.ts";
import { tableLines } from "../ui/table.ts";
import type { Terminal } from "../ui/terminal.ts";

export const train: CliCommand = {
	name: "train",
	examples: [
		["evenkeel train lenet-bn", "LeNet with batch normalization on Fashion-MNIST, 10 epochs"],
		["evenkeel train lenet-bn --plot curves.svg --show-affine", "curves, and what the norms have learned"],
		["evenkeel train lenet-bn --norm none", "the same network without batch normalization"],
		["evenkeel train resnet-mini --norm group --groups 8", "another normalization in its place"],
		["evenkeel train resnet-mini --epochs 3 --limit 6000", "a quick look at a deeper network"],
		["evenkeel train mlp-bn --data ./images", "images of your own, in the four files of MNIST"],
		["evenkeel train ./net.mjs --json", "a network of your own, reported as JSON lines"],
		["mpirun -n 4 npx evenkeel train resnet-mini --distributed --sync-bn", "four processes, on one machine or several"],
		["evenkeel train --resume runs/lenet-bn", "go on with a run that was stopped"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("train a network and write its weights, a checkpoint and its curves")
			.description(
				"Train a network. Weights (model.safetensors) and a checkpoint to go on from (checkpoint.safetensors)\n" +
					"are written to the folder --out. Ctrl-C finishes the step, writes the checkpoint and stops.",
			)
			.argument("[preset|file]", "a preset (below), or a file of your own; left out with --resume")
			.option(
				"--data <source>",
				"fashion-mnist, mnist, or a folder with the four files of MNIST (default: fashion-mnist)",
			)
			.option("--no-download", "do not fetch data that is not on this machine")
			.option("--limit <n>", "use only the first n training examples", wholeNumber(1))
			.option("--epochs <n>", "how often to go through the examples (default: the preset's)", wholeNumber(1))
			.option("--batch-size <n>", "examples a step, of all ranks together (default: the preset's)", wholeNumber(1))
			.option("--drop-last", "leave out a last batch that is not full")
			.option("--lr <x>", "the learning rate (default: the preset's)", numberBetween(0))
			.option("--norm <name>", `the normalization: ${normNames.join(", ")} (default: the preset's)`)
			.option(
				"--groups <n>",
				"groups of --norm group; fewer where n does not divide the channels (default: 4)",
				wholeNumber(1),
			)
			.option("--seed <n>", "of the weights and the order of the examples (default: 0)", wholeNumber(0))
			.option("--threads <n>", "threads that share the work; they do not change the result", threadCount, "auto")
			.option("--distributed", "train on all processes (ranks) that mpirun or srun has started; see below")
			.option("--sync-bn", "with --distributed: batch norm averages over all ranks' examples, not each over its own")
			.option("--out <dir>", "the folder to write to (default: runs/<preset>)")
			.option("--resume <dir>", "go on from the checkpoint in this folder, as if the run had never stopped")
			.option("--checkpoint-every <n>", "steps between checkpoints", wholeNumber(1), 50)
			.option("--plot <file>", "write loss and accuracy curves as an SVG")
			.option("--trace <file>", "write where the time of one step goes, for chrome://tracing or ui.perfetto.dev")
			.option("--show-affine", "print the learned scale and shift of every norm at the end")
			.option("--quiet", "print nothing but errors")
			.option("--json", "one JSON object a line: start, epoch, end")
			.addHelpText("after", () => presetsText(terminal))
			.action((name: string | undefined, flags: TrainFlags) => runTraining(name, flags, terminal));
	},
};

function presetsText({ outColors: colors }: Terminal): string {
	const rows = presets.map(({ name, description = "" }) => [name, colors.dim(description)]);
	const normRows = normDescriptions.map(([name, averages]) => [name, colors.dim(averages)]);
	const file = [
		"export default ({ nn, optim }) => ({",
		"  inputShape: [1, 28, 28], batchSize: 64, epochs: 5, lr: 0.001,",
		"  build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10)),",
		"  optimizer: (net, lr) => new optim.Adam(net.parameters(), { lr }),",
		"});",
	];
	return [
		"",
		colors.bold("Presets:"),
		...tableLines(rows, { indent: 2, gap: 3 }),
		"",
		colors.bold("Normalizations (--norm), and what each averages over:"),
		...tableLines(normRows, { indent: 2, gap: 3 }),
		"",
		colors.bold("A file of your own:"),
		"  A module whose default export is such an object, or a function that makes one from the evenkeel module.",
		"  It may also have name, classes, norm, loss, transform, schedule(optimizer, { lr, epochs, steps }), and",
		"  data(), which returns { train: [x, y], test: [x, y] } instead of --data.",
		"",
		...file.map((line) => colors.dim(`    ${line}`)),
		"",
		colors.bold("Several processes (--distributed):"),
		"  mpirun -n N starts N ranks, on one machine or many; koffi (npm install koffi) and an MPI library are needed. The",
		"  ranks share every batch: --batch-size 256 on 4 ranks is 64 examples on each, and the gradient is that of the 256. A",
		"  run means the same on any number of ranks, so --lr, schedules and checkpoints need no change, and --resume",
		"  goes on with any other number, in the middle of an epoch too. To give more machines enough to do,",
		"  raise --batch-size, and --lr with it (in proportion, as a first try). Without --sync-bn each rank's batch norm",
		"  averages over its own examples. Rank 0 prints and writes the files; threads default to a rank's share of the cores.",
		"",
	].join("\n");
}
