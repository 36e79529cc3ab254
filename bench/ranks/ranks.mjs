// Training on several ranks: messages and training over shared memory and over TCP between network namespaces; what a model of
// latency and bandwidth, fitted to the messages, says of a step, beside what a step took.

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { machine } from "../machine.mjs";
import { figure, markdownTable } from "../table.mjs";
import { fit, stepMessages } from "./model.mjs";
import { openNetwork } from "./network.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const local = (/** @type {number} */ ranks) => [
	...["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", String(ranks)],
];

/**
 * Networks, and examples of a rank in a step: as many on each number of ranks, so that what a step takes longer on more of
 * them is what they say to each other.
 */
const workloads = [
	{ preset: "lenet-bn", batch: 64 },
	{ preset: "resnet-mini", batch: 32 },
];

/** @typedef {import("./model.mjs").Messages} Messages */
/** @typedef {import("./model.mjs").Step} Step */

/** @param {{ seconds: number, out?: string, json: boolean }} options */
export async function benchRanks({ seconds, out = "runs/bench", json }) {
	const say = json ? () => {} : (/** @type {string} */ line) => void process.stdout.write(`${line}\n`);
	say(machine());
	/** @type {{ network: string, messages: Messages[], steps: Step[] }[]} */
	const results = [measure("shared memory", local, [1, 2, 4], seconds, say)];
	try {
		const network = openNetwork(4);
		try {
			results.push(measure("TCP", network.launch, [2, 4], seconds, say));
		} finally {
			network.close();
		}
	} catch (error) {
		say(`no measurements over TCP: ${error instanceof Error ? error.message : error}`);
	}
	const text = results.map((result) => tables(result, results[0].steps)).join("\n\n");
	say(text);
	mkdirSync(out, { recursive: true });
	writeFileSync(join(out, "ranks.md"), `${machine()}\n\n${text}\n`);
	writeFileSync(join(out, "ranks.json"), JSON.stringify({ machine: machine(), results }, null, "\t"));
	if (json) process.stdout.write(`${JSON.stringify({ machine: machine(), results })}\n`);
}

/**
 * @param {string} network @param {(ranks: number) => string[]} launch @param {number[]} sizes @param {number} seconds
 * @param {(line: string) => void} say
 */
function measure(network, launch, sizes, seconds, say) {
	/** @type {Messages[]} */
	const messages = [];
	/** @type {Step[]} */
	const steps = [];
	for (const ranks of sizes) {
		if (ranks > 1) messages.push(run(launch(ranks), ["messages.mjs", String(seconds / 10)]));
		for (const { preset, batch } of workloads) {
			for (const sync of ranks > 1 ? [[], ["sync"]] : [[]]) {
				const args = ["training.mjs", preset, String(batch * ranks), String(seconds), ...sync];
				/** @type {Step} */
				const step = run(launch(ranks), args);
				say(`${network}, ${ranks} ranks, ${args.slice(1).join(" ")}: ${figure(step.milliseconds)} ms a step`);
				steps.push(step);
			}
		}
	}
	return { network, messages, steps };
}

/** Runs a program of this folder. EVENKEEL_BENCH_WITH is put before it: nice, taskset, … @param {string[]} launch @param {string[]} args */
function run(launch, [program, ...args]) {
	const before = process.env.EVENKEEL_BENCH_WITH?.split(" ") ?? [];
	const [command, ...rest] = [...before, ...launch, process.execPath, join(here, program), ...args];
	const { status, stdout, stderr, error } = spawnSync(command, rest, { encoding: "utf8" });
	const line = stdout?.split("\n").find((text) => text.startsWith("{"));
	if (status !== 0 || !line) throw new Error(`${command} ${rest.join(" ")} failed: ${error?.message ?? stderr}`);
	return JSON.parse(line);
}

/** @param {{ network: string, messages: Messages[], steps: Step[] }} result @param {Step[]} baseline */
function tables({ network, messages, steps }, baseline) {
	const sizes = messages[0].allreduce.map(({ bytes }) => bytes);
	const fits = messages.map((of) => ({ ranks: of.ranks, ...fit(of) }));
	const head = ["bytes", ...messages.map(({ ranks }) => `${ranks} ranks, µs`), ...fits.map(({ ranks }) => `model, ${ranks}`)];
	const rows = sizes.map((bytes, i) => [
		String(bytes),
		...messages.map(({ allreduce }) => figure(allreduce[i].microseconds)),
		...fits.map(({ allreduce }) => figure(allreduce(bytes))),
	]);
	const stepRows = steps
		.filter(({ ranks }) => ranks > 1)
		.map((step) => {
			const alone = baseline.find(({ ranks, preset }) => ranks === 1 && preset === step.preset);
			const own = fits.find(({ ranks }) => ranks === step.ranks);
			if (!alone || !own) throw new Error(`ranks: there is no baseline for ${step.preset}`);
			const said = stepMessages(step, own);
			return [
				`${step.preset}${step.sync ? ", sync BN" : ""}`,
				String(step.ranks),
				String(said.messages),
				figure(said.bytes / 1024),
				figure(said.milliseconds),
				figure(alone.milliseconds),
				figure(step.milliseconds),
				figure(step.examplesPerSecond / alone.examplesPerSecond),
			];
		});
	const constants = fits.map(
		({ ranks, latency, bandwidth }) => `${ranks} ranks: latency ${figure(latency)} µs, ${figure(bandwidth)} MB/s`,
	);
	return [
		`allreduce, ${network} (${constants.join("; ")})`,
		"",
		markdownTable(head, rows),
		"",
		`a step, ${network}: what is said in it, what the model gives for that, and what a step took`,
		"",
		markdownTable(
			["", "ranks", "collectives", "KiB a rank", "model, ms", "alone, ms", "step, ms", "x examples/s"],
			stepRows,
		),
	].join("\n");
}
