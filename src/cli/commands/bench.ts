// evenkeel bench: how fast this machine trains.

import { type Command, InvalidArgumentError } from "commander";
import { normNames, type Preset, presets } from "../../presets/index.ts";
import { runBench } from "../bench/run.ts";
import type { CliCommand } from "../command.ts";
import { checkUsage } from "../errors.ts";
import { numberBetween, threadCount, wholeNumber } from "../ui/options.ts";
import type { Terminal } from "../ui/terminal.ts";

/** The name beside the presets that stands for batch normalization alone. */
const ALONE = "batch-norm";

interface Flags {
	norm?: string;
	groups?: number;
	batchSize?: number;
	threads: number | "auto";
	backend: "wasm" | "reference";
	seconds: number;
	windows: number;
	json?: boolean;
}

export const bench: CliCommand = {
	name: "bench",
	examples: [
		["evenkeel bench", "every preset, and batch normalization alone, on this machine"],
		["evenkeel bench lenet-bn --threads 1", "one of them, on one thread"],
		["evenkeel bench lenet-bn resnet-mini --norm group", "what another normalization costs"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("measure how fast this machine trains")
			.description(
				"Measure steps of training (forward, loss, backward, update) on random examples, and batch normalization alone.\n" +
					"The median over a few windows counts. Close what else the machine is busy with.",
			)
			.argument("[name...]", `presets (${presets.map(({ name }) => name).join(", ")}), ${ALONE} (default: all)`)
			.option("--norm <name>", `the normalization: ${normNames.join(", ")} (default: the preset's)`)
			.option("--groups <n>", "groups of --norm group (default: 4)", wholeNumber(1))
			.option("--batch-size <n>", "examples a step (default: the preset's)", wholeNumber(1))
			.option("--threads <n>", "threads that share the work", threadCount, "auto")
			.option("--backend <name>", "wasm, or reference: plain loops in float64", backendName, "wasm")
			.option("--seconds <x>", "length of a window", numberBetween(0.01, 60), 0.5)
			.option("--windows <n>", "how many windows", wholeNumber(1, 100), 5)
			.option("--json", "one JSON object a line: start, training, batch-norm, end")
			.action((names: string[], flags: Flags) => run(names, flags, terminal));
	},
};

async function run(names: readonly string[], flags: Flags, terminal: Terminal): Promise<void> {
	const all = names.length === 0;
	const chosen = all ? presets : names.filter((name) => name !== ALONE).map(presetCalled);
	checkUsage(
		all || chosen.length > 0 || [flags.norm, flags.groups, flags.batchSize].every((flag) => flag === undefined),
		`--norm, --groups and --batch-size are for presets; ${ALONE} alone has shapes of its own`,
	);
	await runBench(
		{ ...flags, presets: chosen, batchNorm: all || names.includes(ALONE), json: flags.json === true },
		terminal,
	);
}

function presetCalled(name: string): Preset {
	const preset = presets.find((candidate) => candidate.name === name);
	const there = [...presets.map((known) => known.name), ALONE].join(", ");
	checkUsage(preset, () => `unknown preset "${name}"; there are ${there}`);
	return preset;
}

function backendName(text: string): Flags["backend"] {
	if (text === "wasm" || text === "reference") return text;
	throw new InvalidArgumentError("It must be wasm or reference.");
}
