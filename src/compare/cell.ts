// One run of a comparison: build the network, train it, evaluate it as asked, measure what is to be measured. What comes
// of it is a function of its options and the data alone.

import type { Dataset } from "../data/dataset.ts";
import { subset } from "../data/dataset.ts";
import { check, NotFiniteError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { buildNetwork, type NetworkChoice, type Preset, presetNamed } from "../presets/index.ts";
import { manualSeed } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import type { EpochRecord } from "../train/history.ts";
import { Trainer } from "../train/trainer.ts";
import { weightsHash } from "../train/weights-hash.ts";
import { evaluateByBatchStatistics } from "./measure/batch-statistics.ts";
import { DynamicsLog } from "./measure/log.ts";
import type { CellOptions } from "./options.ts";
import type { CellEpoch, CellResult } from "./result.ts";
import type { MeasurementName } from "./spec.ts";

/** What a run needs beside its options. */
export interface CellContext {
	readonly train: Dataset;
	readonly test: Dataset;
	readonly classes: number;
	readonly measure: readonly MeasurementName[];
	/** Ends the run early: `runCell` then rejects with the signal's reason. */
	readonly signal?: AbortSignal;
}

/** At most so many training examples are looked at for the accuracy on them. */
const cleanExamples = 10_000;

/** The run's length and step, from its options and its preset's. */
export interface CellPlan {
	readonly preset: Preset;
	readonly epochs: number;
	readonly batchSize: number;
	readonly lr: number;
}

/** What `options` come to. */
export function planCell(options: CellOptions): CellPlan {
	const preset = presetNamed(options.preset);
	const { epochs = preset.epochs, batchSize = preset.batchSize, lr = preset.lr, lrBatch } = options;
	return { preset, epochs, batchSize, lr: lrBatch === undefined ? lr : (lr * batchSize) / lrBatch };
}

/**
 * Runs one cell. A loss or an activation that is no longer finite ends it, as the result then says; any other error is
 * thrown.
 */
export async function runCell(options: CellOptions, context: CellContext): Promise<CellResult> {
	const { preset, epochs, batchSize, lr } = planCell(options);
	const { classes = context.classes } = preset;
	check(
		context.classes <= classes,
		() =>
			`the preset ${preset.name} tells ${classes} classes apart, and the data has ${context.classes}; compare on other data`,
	);
	const train =
		options.limit === undefined || options.limit >= context.train.length
			? context.train
			: subset(context.train, options.limit);
	manualSeed(options.seed);
	const net = buildNetwork(preset, choiceOf(options, preset));
	const optimizer = preset.optimizer(net, lr);
	const stepsPerEpoch = (options.dropLast ? Math.floor : Math.ceil)(train.length / batchSize);
	const schedule = preset.schedule?.(optimizer, { lr, epochs, steps: epochs * stepsPerEpoch });
	const trainer = new Trainer(net, { optimizer, schedule, loss: "crossEntropy", metrics: ["accuracy"] });
	const log = context.measure.includes("dynamics")
		? new DynamicsLog(net, train, { batchSize, lr, seed: options.seed, transform: preset.transform, stepsPerEpoch })
		: null;
	const records: CellEpoch[] = [];
	const byRunning = (options.evalStatistics ?? "running") === "running";
	try {
		const problem = await problemOf(async () => {
			log?.measure(0);
			const history = await trainer.fit(train, {
				epochs,
				batchSize,
				seed: options.seed,
				dropLast: options.dropLast,
				transform: preset.transform,
				validation: byRunning ? context.test : undefined,
				signal: context.signal,
				onStep: ({ step }) => log?.measure(step),
				onEpoch: (record) =>
					void records.push(epochOf(record, byRunning ? null : evaluate(net, options, preset, context))),
			});
			if (history.stopped === "aborted") context.signal?.throwIfAborted();
		});
		const clean =
			problem === null
				? await trainer.evaluate(train.length > cleanExamples ? subset(train, cleanExamples) : train, {
						transform: preset.transform,
					})
				: null;
		return {
			options,
			plannedEpochs: epochs,
			classes: context.classes,
			epochs: records,
			problem,
			cleanTrainAccuracy: clean?.accuracy ?? null,
			measured: log?.means() ?? {},
			weights: await weightsHash(net),
		};
	} finally {
		release(net, optimizer);
	}
}

/** The part of the options that shapes the network. */
function choiceOf(options: CellOptions, preset: Preset): NetworkChoice {
	const {
		norm = preset.norm ?? "batch",
		groups,
		place,
		dropout,
		depth,
		width,
		initialScale,
		momentum,
		decay,
	} = options;
	const activation = options.activation as NetworkChoice["activation"];
	return { norm, groups, place, activation, dropout, depth, width, initialScale, momentum, decay };
}

/** Runs `body`; resolves to why it broke off, if numbers were no longer finite, else to null. */
async function problemOf(body: () => Promise<void>): Promise<string | null> {
	try {
		await body();
		return null;
	} catch (error) {
		// The trainer refuses a loss that is not finite, and a batch norm such an input.
		if (error instanceof NotFiniteError) return error.message;
		throw error;
	}
}

function evaluate(
	net: Module,
	{ evalStatistics, evalBatchSize = 256 }: CellOptions,
	{ transform }: Preset,
	{ test }: CellContext,
): { loss: number; accuracy: number } {
	check(
		evalBatchSize <= test.length,
		() => `evalBatchSize: ${evalBatchSize} is more than the ${test.length} test examples; give a smaller one`,
	);
	return evaluateByBatchStatistics(net, test, {
		batchSize: evalBatchSize,
		sorted: evalStatistics === "sorted-batch",
		transform,
	});
}

function epochOf(record: EpochRecord, own: { loss: number; accuracy: number } | null): CellEpoch {
	return {
		epoch: record.epoch,
		loss: finite(record.loss),
		trainAccuracy: finite(record.trainAccuracy),
		testLoss: finite(own ? own.loss : record.testLoss),
		testAccuracy: finite(own ? own.accuracy : record.testAccuracy),
	};
}

function finite(value: number | undefined): number | null {
	return value !== undefined && Number.isFinite(value) ? value : null;
}

/** Frees what the run made: the next one, in the same process, starts with the same memory. */
function release(net: Module, optimizer: object): void {
	net.zeroGrad();
	if ("dispose" in optimizer && typeof optimizer.dispose === "function") optimizer.dispose();
	scope(() => {
		for (const parameter of net.parameters()) parameter.dispose();
		for (const [, buffer] of net.namedBuffers()) buffer.dispose();
	});
}
