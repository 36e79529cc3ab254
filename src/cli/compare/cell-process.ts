// A process that runs cells, one after another, as the command that started it asks. It ends when that command does.

import { startBackend } from "../backend.ts";
import "../../autograd/backward.ts";
import { type CellContext, runCell } from "../../compare/cell.ts";
import type { DataFacts } from "../../compare/result.ts";
import type { ImageDataset } from "../../data/index.ts";
import { EvenkeelError } from "../../errors.ts";
import { describeError } from "../errors.ts";
import { hashOf, imageSplit } from "../train/load-data.ts";
import { ProgressDisplay } from "../ui/progress.ts";
import { openTerminal } from "../ui/terminal.ts";
import type { CellMessage, FromProcess, StartMessage, ToProcess } from "./messages.ts";

let context: CellContext | null = null;

function say(message: FromProcess): void {
	process.send?.(message);
}

async function start({ data, download, threads, measure }: StartMessage): Promise<void> {
	await startBackend({ threads });
	const display = new ProgressDisplay(openTerminal(process.stdout, process.stderr, process.env));
	const [train, test] = [
		await imageSplit("train", { from: data, download }, display),
		await imageSplit("test", { from: data, download }, display),
	];
	display.clear();
	context = { train, test, classes: train.classes.length, measure };
	say({ type: "ready", data: factsOf(train, test) });
}

function factsOf(train: ImageDataset, test: ImageDataset): DataFacts {
	return {
		trainExamples: train.length,
		testExamples: test.length,
		sources: [...new Set([train.source, test.source])],
		hash: hashOf(train),
	};
}

async function run({ key, options }: CellMessage): Promise<void> {
	if (!context) throw new EvenkeelError("compare: a cell arrived before the data was loaded");
	const started = performance.now();
	const result = await runCell(options, context);
	say({ type: "done", key, result, seconds: (performance.now() - started) / 1000 });
}

process.on("message", (message: ToProcess) => {
	const job = message.type === "start" ? start(message) : run(message);
	job.catch((error: unknown) => {
		const key = message.type === "cell" ? message.key : null;
		const known = error instanceof EvenkeelError;
		say({ type: "failed", key, message: known ? error.message : describeError(error), known });
	});
});
// Ctrl-C reaches every process of the terminal; the command decides what it means.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
