// Gradient accumulation: a batch goes through the network in parts, and the optimizer takes one step with
// the gradients of all of them. What batch norm makes of that is a choice.

import { noGrad } from "../autograd/tape.ts";
import type { Batch, DataLoader } from "../data/data-loader.ts";
import { check } from "../errors.ts";
import { isBatchNorm } from "../nn/is-norm.ts";
import type { BatchNorm } from "../nn/layers/batch-norm.ts";
import { SyncBatchNorm } from "../nn/layers/sync-batch-norm.ts";
import type { Module } from "../nn/module.ts";
import { slice } from "../ops/shape/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type RunningAverages, statisticsCounter } from "./whole-statistics.ts";

/**
 * How a batch is split. `batchSize` stays the size of the whole: the gradients are the mean over all of its examples
 * whatever the number of parts, steps, schedules and checkpoints count whole batches.
 *
 * Every norm that averages over the batch normalizes each micro-batch by that micro-batch's own statistics, with either
 * choice: a network with batch norm trained in parts is not the network trained on whole batches, and micro-batches under
 * 16 are as noisy as batches under 16.
 */
export interface AccumulateOptions {
	/** In how many micro-batches, as equal as can be. A batch that is not full is split into fewer of about the same size. */
	steps: number;
	/**
	 * When running statistics move. `"micro"` (default; what other frameworks do): with each micro-batch, so `steps`
	 * times a step, by statistics of few examples; lower `momentum` makes up for it. `"whole"`: once a step, by the mean
	 * and variance of the whole batch, merged from those of its micro-batches (Chan et al. 1979), so that evaluation is as if
	 * `momentum` had been applied to whole batches.
	 */
	statistics?: "micro" | "whole";
}

/** @throws EvenkeelError if an option is not possible */
export function checkAccumulate({ steps, statistics = "micro" }: AccumulateOptions, net: Module): void {
	check(
		Number.isInteger(steps) && steps >= 1,
		() => `Trainer: accumulate.steps must be a whole number of at least 1, got ${steps}`,
	);
	check(
		statistics === "micro" || statistics === "whole",
		() => `Trainer: accumulate.statistics is "micro" or "whole", got ${JSON.stringify(statistics)}`,
	);
	if (statistics === "micro") return;
	const shared = net
		.modules()
		.find((module) => module instanceof SyncBatchNorm && (module.communicator?.size ?? 1) > 1);
	check(
		!shared,
		() =>
			`Trainer: ${shared?.label} has the statistics of several ranks, which are not merged over micro-batches; ` +
			'accumulate with statistics "micro"',
	);
	const ghost = net.modules().find((module) => isBatchNorm(module) && module.virtualBatchSize !== undefined);
	check(
		!ghost,
		() =>
			`Trainer: ${ghost?.label} has virtual batches, whose statistics move one after the other; ` +
			'accumulate with statistics "micro", or leave out virtualBatchSize',
	);
}

/** A part of a batch. */
export interface MicroBatch {
	readonly x: Tensor;
	readonly y: Tensor;
	/** Its share of the batch's examples: of the whole batch, where several processes share it. */
	readonly share: number;
	/** Whether it is the last of this process. */
	readonly last: boolean;
}

/** In how many parts a batch of `total` examples is passed by each of the `size` processes that share it. */
export function partsOf(
	total: number,
	{ steps, batchSize, size }: { steps: number; batchSize: number; size: number },
): number {
	const [most, full] = [total, batchSize].map((count) => Math.ceil(count / size));
	return Math.min(steps, Math.ceil(most / Math.ceil(full / steps)));
}

/**
 * Calls `body` with the parts of `batch`, one without options; the running statistics move as the options say.
 * Processes that share a batch have equally many parts, of which some may be empty: they may have to exchange statistics.
 */
export function inMicroBatches(
	net: Module,
	{ x, y, total }: Pick<Batch, "x" | "y" | "total">,
	{ steps, statistics }: AccumulateOptions,
	{ batchSize, shard: { size } }: Pick<DataLoader, "batchSize" | "shard">,
	body: (part: MicroBatch) => void,
): void {
	const rows = x.shape[0];
	const parts = partsOf(total, { steps, batchSize, size });
	const run = () => {
		for (let i = 0; i < parts; i++) {
			const [begin, end] = [i, i + 1].map((part) => Math.floor((part * rows) / parts));
			const cut = (tensor: Tensor) => (parts === 1 ? tensor : noGrad(() => slice(tensor, 0, begin, end)));
			body({ x: cut(x), y: cut(y), share: (end - begin) / total, last: i === parts - 1 });
		}
	};
	if (statistics === "whole") withWholeStatistics(net, run);
	else run();
}

/** Runs `body`; what it would do to running statistics in several forwards is done at its end, once. */
function withWholeStatistics(net: Module, body: () => void): void {
	const layers = net
		.modules()
		.filter((module): module is BatchNorm => isBatchNorm(module) && module.trackRunningStats && !module.frozen);
	const counters = layers.map((layer) => statisticsCounter(layer));
	let done: RunningAverages[] | null = null;
	try {
		body();
		done = counters.map((counter) => counter.merged());
	} finally {
		for (const counter of counters) counter.stop();
	}
	counters.forEach((counter, i) => {
		counter.apply(done[i]);
	});
}
