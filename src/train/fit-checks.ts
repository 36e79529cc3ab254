// What a run looks at before it starts, so that it does not end in the middle.

import { DataLoader, shareOf } from "../data/data-loader.ts";
import { type Dataset, subset } from "../data/dataset.ts";
import { check, EvenkeelError } from "../errors.ts";
import { runObserved } from "../nn/summary.ts";
import { scope } from "../tensor/scope.ts";
import { withoutTraces } from "./diagnose.ts";
import type { Objective } from "./evaluate.ts";
import type { FitOptions } from "./fit.ts";

/** @throws EvenkeelError for options that are not possible */
export function checkOptions({ epochs, checkpoint }: FitOptions): void {
	check(
		Number.isInteger(epochs) && epochs >= 1,
		() => `fit: epochs must be a whole number of at least 1, got ${epochs}`,
	);
	const every = checkpoint?.everySteps;
	check(
		every === undefined || (Number.isInteger(every) && every >= 1),
		() => `fit: checkpoint.everySteps must be a whole number of at least 1, got ${every}`,
	);
}

/**
 * A last batch of one example would end the epoch with an error where a norm needs more than one value a channel: better
 * to say so before it starts. The same holds for a process's share of a batch.
 */
export function checkSmallBatches({ net }: Objective, dataset: Dataset, loader: DataLoader): void {
	const { batchSize, dropLast, transform, shard } = loader;
	const rest = dataset.length % batchSize;
	const smallest = dropLast || rest === 0 ? batchSize : rest;
	if (smallest >= 2 * shard.size) return;
	const [begin, end] = shareOf(smallest, shard);
	try {
		withoutTraces(net, () =>
			scope(() => {
				const like = { transform, shard, batchSize: Math.max(smallest, shard.size) };
				const [batch] = new DataLoader(subset(dataset, smallest), like);
				runObserved(net, batch.x, () => {}, { training: true });
			}),
		);
	} catch (error) {
		if (!(error instanceof EvenkeelError)) throw error;
		const { size } = shard;
		const share = size === 1 ? "" : `, of which this rank of ${size} has ${end - begin}`;
		const why =
			batchSize === smallest
				? `with a batchSize of ${batchSize}${share}`
				: `${dataset.length} examples in batches of ${batchSize} leave a last batch of ` +
					`${smallest === 1 ? "one" : smallest}${share}; pass dropLast: true or another batchSize`;
		throw new EvenkeelError(`fit: ${why}: ${error.message}`);
	}
}
