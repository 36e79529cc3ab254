// Evaluating a network with the wrong statistics: what happens when a network is left in training mode (or its norms
// are), so that each test batch is normalized by its own mean and variance instead of the running ones.

import { noGrad } from "../../autograd/tape.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { ImageTransform } from "../../data/transform.ts";
import { isBatchNorm } from "../../nn/is-norm.ts";
import type { Module } from "../../nn/module.ts";
import { countCorrect, crossEntropy } from "../../ops/loss/op.ts";
import { scope } from "../../tensor/scope.ts";
import { withoutTraces } from "../../train/diagnose.ts";
import { inMode } from "../../train/evaluate.ts";

/** How to evaluate by batch statistics. */
export interface BatchStatisticsOptions {
	/** Test examples a batch, all of which share their statistics. */
	readonly batchSize: number;
	/** Whether the examples come class by class, so that the batches are not like those of training. Default false. */
	readonly sorted?: boolean;
	readonly transform?: ImageTransform;
}

/**
 * Loss and accuracy over `dataset` with dropout off and every batch norm normalizing by the statistics of the batch at
 * hand,
 *
 *     y = (x - mean(batch)) / sqrt(var(batch) + eps) * weight + bias.
 *
 * The network stays as it was: running statistics and modes included. A last batch that is not full is left out, since
 * one of a single example has no variance.
 */
export function evaluateByBatchStatistics(
	net: Module,
	dataset: Dataset,
	options: BatchStatisticsOptions,
): { loss: number; accuracy: number } {
	const { batchSize, transform = {}, sorted = false } = options;
	const rows = sorted ? rowsByClass(dataset) : Int32Array.from({ length: dataset.length }, (_, i) => i);
	const { mean, std } = transform;
	let [loss, correct, seen] = [0, 0, 0];
	const run = (chosen: Int32Array): void =>
		scope(() => {
			const { x, y } = dataset.gather(chosen, dataset.imageShape ? { mean, std } : undefined);
			const output = net.forward(x);
			loss += crossEntropy(output, y).item() * chosen.length;
			correct += countCorrect(output, y);
			seen += chosen.length;
		});
	withoutTraces(net, () =>
		inMode(net, false, () => {
			for (const module of net.modules()) if (isBatchNorm(module)) module.training = true;
			noGrad(() => {
				for (let at = 0; at + batchSize <= rows.length; at += batchSize) run(rows.subarray(at, at + batchSize));
			});
		}),
	);
	return { loss: loss / seen, accuracy: correct / seen };
}

/** The rows' numbers, class by class, each class in its own order. */
function rowsByClass(dataset: Dataset): Int32Array {
	const rows = Int32Array.from({ length: dataset.length }, (_, i) => i);
	const labels = scope(() => Array.from(dataset.gather(rows).y.dataSync(), Number));
	return rows.sort((a, b) => labels[a] - labels[b] || a - b);
}
