// What a run looks at before it starts, so that it does not end in the middle.

import { DataLoader, shareOf } from "../data/data-loader.ts";
import { subset } from "../data/dataset.ts";
import { check, EvenkeelError } from "../errors.ts";
import { runObserved } from "../nn/summary.ts";
import { scope } from "../tensor/scope.ts";
import { partsOf } from "./accumulate.ts";
import { withoutTraces } from "./diagnose.ts";
import { asDataset, type Objective } from "./evaluate.ts";
import type { FitOptions } from "./fit.ts";
import { checkEarlyStopping } from "./history.ts";

/** @throws EvenkeelError for options that are not possible */
export function checkOptions(options: FitOptions, { metrics }: Pick<Objective, "metrics">): void {
	check(
		typeof options === "object" && options !== null,
		() => `fit: the second argument is its options, such as { epochs: 10 }, got ${String(options)}`,
	);
	const { epochs, checkpoint, validation, earlyStopping } = options;
	check(
		Number.isInteger(epochs) && epochs >= 1,
		() => `fit: epochs must be a whole number of at least 1, got ${epochs}`,
	);
	const every = checkpoint?.everySteps;
	check(
		every === undefined || (Number.isInteger(every) && every >= 1),
		() => `fit: checkpoint.everySteps must be a whole number of at least 1, got ${every}`,
	);
	check(
		validation === undefined || asDataset(validation).length > 0,
		"fit: the validation set has no examples; give it some, or leave validation out",
	);
	if (earlyStopping) checkEarlyStopping(earlyStopping, { metrics, validated: validation !== undefined });
}

/**
 * A last batch of one example, or a part of one, would end the epoch with an error where a norm needs more than one value
 * a channel: better to say so before it starts. The same holds for a process's share of a batch. `steps` is that of
 * accumulate.
 */
export function checkSmallBatches({ net }: Objective, loader: DataLoader, steps = 1): void {
	const { dataset, batchSize, transform, shard } = loader;
	const { size } = shard;
	const { whole, parts, rows } = smallestOf(loader, steps);
	if (rows >= 2 * size) return;
	const [begin, end] = shareOf(rows, shard);
	try {
		withoutTraces(net, () =>
			scope(() => {
				const like = { transform, shard, batchSize: Math.max(rows, size) };
				const [batch] = new DataLoader(subset(dataset, rows), like);
				runObserved(net, batch.x, () => {}, { training: true });
			}),
		);
	} catch (error) {
		if (!(error instanceof EvenkeelError)) throw error;
		const share = size === 1 || parts > 1 ? "" : `, of which this rank of ${size} has ${end - begin}`;
		const count = whole === 1 ? "one" : whole;
		const split = parts > 1 ? `, of which accumulate.steps ${steps} makes parts as small as one example` : "";
		const remedy = parts > 1 ? "; lower accumulate.steps, or pass another batchSize" : "";
		const why =
			batchSize === whole
				? `with a batchSize of ${batchSize}${share}${split}${remedy}`
				: `${dataset.length} examples in batches of ${batchSize} leave a last batch of ${count}${share}${split}` +
					(remedy || "; pass dropLast: true or another batchSize");
		throw new EvenkeelError(`fit: ${why}: ${error.message}`);
	}
}

/** The batch of an epoch that goes through the network in the smallest parts: its examples, and those of such a part on all ranks. */
function smallestOf(
	{ dataset, batchSize, dropLast, shard: { size } }: DataLoader,
	steps: number,
): { whole: number; parts: number; rows: number } {
	const rest = dataset.length % batchSize;
	const sizes = [...(dropLast || rest === 0 ? [] : [rest]), ...(dataset.length >= batchSize ? [batchSize] : [])];
	const candidates = sizes.map((whole) => {
		const parts = partsOf(whole, { steps, batchSize, size });
		const rows = parts === 1 ? whole : Math.max(1, Math.floor(Math.floor(whole / size) / parts)) * size;
		return { whole, parts, rows };
	});
	return candidates.reduce((smallest, other) => (other.rows < smallest.rows ? other : smallest));
}
