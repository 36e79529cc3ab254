// What `train` says: for people, the layer table, a progress bar and a line an epoch; for programs, JSON lines.
// Results go to stdout, progress to stderr; with --json stdout belongs to the JSON, and with --quiet nobody is told.

import type { LayerRow } from "../../nn/summary.ts";
import type { EpochRecord } from "../../train/history.ts";
import type { StepReport } from "../../train/trainer.ts";
import { formatCount, formatDuration, formatMetric, formatPercent } from "../ui/format.ts";
import { epochLine, ProgressDisplay } from "../ui/progress.ts";
import { tableLines } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";

export interface ReportOptions {
	json: boolean;
	quiet: boolean;
}

/** The facts of a run that are known before it starts. */
export interface RunFacts {
	preset: string;
	/** Null if the network is a user's own, which lets nobody choose. */
	norm: string | null;
	optimizer: string;
	lr: number;
	batchSize: number;
	epochs: number;
	seed: number;
	device: string;
	threads: number;
	/** Of a run on several processes: how many, and on how many machines. */
	ranks?: number;
	machines?: number;
	parameters: number;
	trainExamples: number;
	testExamples: number;
	data: string[];
	out: string;
	/** The step at which a resumed run goes on, or 0. */
	step: number;
}

/** How a run ended. */
export interface RunResult {
	/** The last epoch, if any was finished. */
	last: EpochRecord | undefined;
	stopped: "aborted" | "early" | undefined;
	seconds: number;
	weights: string;
	files: string[];
	/** How to go on with a run that was stopped. */
	resume: string;
}

/** A learned scale and shift. */
export interface AffineRow {
	layer: string;
	weight: readonly number[] | null;
	bias: readonly number[] | null;
}

export class Reporter {
	readonly display: ProgressDisplay;
	readonly #terminal: Terminal;
	readonly #options: ReportOptions;

	constructor(terminal: Terminal, options: ReportOptions) {
		const silent = { ...terminal, err: { write: () => {}, isTTY: false } };
		this.#terminal = terminal;
		this.#options = options;
		this.display = new ProgressDisplay(options.quiet ? silent : terminal);
	}

	/** The network, the data and the plan. */
	start(facts: RunFacts, layers: readonly LayerRow[], notice: string): void {
		if (this.#options.json) {
			const { data, ...rest } = facts;
			printJson(this.#terminal, { event: "start", ...rest, data: data.join("; ") });
		}
		const colors = this.#colors();
		for (const source of facts.data) this.#say(`${colors.dim("data    ")} ${source}`);
		this.#say("");
		for (const line of layerTable(layers, facts.parameters)) this.#say(line);
		this.#say("");
		const threads = processorsText(facts);
		this.#say(
			`${colors.bold(facts.preset)}: ${formatCount(facts.trainExamples)} examples, ${facts.epochs} ` +
				`${facts.epochs === 1 ? "epoch" : "epochs"}, batch size ${facts.batchSize}, ${facts.optimizer}, learning rate ` +
				`${facts.lr}, seed ${facts.seed}, ${facts.device} on ${threads}`,
		);
		if (notice !== "") this.#say(colors.yellow(notice));
		if (facts.step > 0) this.#say(`going on after step ${formatCount(facts.step)}`);
	}

	step(report: StepReport): void {
		const { epoch, epochs, batch, batches, loss, accuracy, examplesPerSecond, secondsLeft } = report;
		this.display.update({ epoch, epochs, done: batch, total: batches, loss, accuracy, examplesPerSecond, secondsLeft });
	}

	/** Somebody pressed Ctrl-C. */
	stopping(): void {
		this.display.print("stopping after this step; once more to stop at once");
	}

	epoch(record: EpochRecord, epochs: number): void {
		if (this.#options.json) printJson(this.#terminal, { event: "epoch", ...record });
		this.display.clear();
		this.#say(epochLine({ ...record, epochs }, this.#colors()));
	}

	/** What did not work, and does not end the run. */
	notice(text: string): void {
		this.display.clear();
		this.#say(this.#colors().yellow(text));
	}

	/** The learned scale and shift of every norm. */
	affine(rows: readonly AffineRow[]): void {
		if (this.#options.json) {
			printJson(this.#terminal, { event: "affine", layers: rows });
			return;
		}
		this.#say("");
		for (const line of affineTable(rows)) this.#say(line);
	}

	end(result: RunResult): void {
		this.display.clear();
		const { last, stopped, seconds, weights, files } = result;
		if (this.#options.json) {
			printJson(this.#terminal, {
				event: "end",
				...(stopped ? { stopped } : {}),
				...(last ? figures(last) : {}),
				seconds,
				files,
				weights,
			});
		}
		const colors = this.#colors();
		const how = { aborted: "stopped", early: "stopped early, as it no longer got better," }[stopped ?? "early"];
		this.#say("");
		this.#say(`${stopped ? how : "done"} after ${formatDuration(seconds)}${last ? `: ${summaryOf(last)}` : ""}`);
		for (const file of files) this.#say(`${colors.dim("written ")} ${file}`);
		this.#say(`${colors.dim("weights ")} ${weights}`);
		if (stopped === "aborted") this.#say(`go on with: ${result.resume}`);
	}

	#say(line: string): void {
		if (this.#options.quiet) return;
		(this.#options.json ? this.#terminal.err : this.#terminal.out).write(`${line}\n`);
	}

	#colors() {
		return this.#options.json ? this.#terminal.errColors : this.#terminal.outColors;
	}
}

/** `2 threads`, `4 ranks on 2 machines, 1 thread each`. */
function processorsText({ threads, ranks, machines }: RunFacts): string {
	const count = (n: number, one: string) => `${n} ${n === 1 ? one : `${one}s`}`;
	if (ranks === undefined || machines === undefined) return count(threads, "thread");
	return `${count(ranks, "rank")} on ${count(machines, "machine")}, ${count(threads, "thread")} each`;
}

function figures({ epoch, loss, trainAccuracy, testLoss, testAccuracy, examplesPerSecond }: EpochRecord) {
	return { epochs: epoch, loss, trainAccuracy, testLoss, testAccuracy, examplesPerSecond };
}

function summaryOf({ loss, trainAccuracy, testAccuracy, examplesPerSecond }: EpochRecord): string {
	return [
		`loss ${formatMetric(loss)}`,
		trainAccuracy === undefined ? "" : `train accuracy ${formatPercent(trainAccuracy)}`,
		testAccuracy === undefined ? "" : `test accuracy ${formatPercent(testAccuracy)}`,
		`${formatCount(examplesPerSecond)} examples/s`,
	]
		.filter((part) => part !== "")
		.join(", ");
}

function layerTable(layers: readonly LayerRow[], parameters: number): string[] {
	const rows = layers.map(({ name, type, outputShape, parameters: own }) => [
		name,
		type,
		// The number of rows is the batch's.
		`[${["N", ...outputShape.slice(1)].join(", ")}]`,
		own === 0 ? "" : formatCount(own),
	]);
	return tableLines(rows, {
		header: ["", "layer", "output", "parameters"],
		align: ["right", "left", "left", "right"],
		footer: ["", "", "", formatCount(parameters)],
	});
}

const shown = 6;

/** Up to six channels of each norm; the smallest, the mean and the largest of all of them. */
function affineTable(layers: readonly AffineRow[]): string[] {
	const rows = layers.flatMap(({ layer, weight, bias }) =>
		(
			[
				["scale", weight],
				["shift", bias],
			] as const
		).flatMap(([what, values], i) => {
			if (!values) return [];
			const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
			const first = values
				.slice(0, shown)
				.map((value) => value.toFixed(3).padStart(7))
				.join(" ");
			return [
				[
					i === 0 ? layer : "",
					what,
					...[Math.min(...values), mean, Math.max(...values)].map((value) => value.toFixed(3)),
					first + (values.length > shown ? `  … ${values.length - shown} more` : ""),
				],
			];
		}),
	);
	return tableLines(rows, {
		header: ["norm", "", "smallest", "mean", "largest", "channels"],
		align: ["left", "left", "right", "right", "right", "left"],
	});
}
