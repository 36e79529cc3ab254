// What one run of a comparison came to: plain data, the same bits wherever and however often it is run. Nothing in it
// depends on time.

import type { CellOptions } from "./options.ts";

/** The figures of one epoch. A loss that is not finite is null. */
export interface CellEpoch {
	readonly epoch: number;
	readonly loss: number | null;
	readonly trainAccuracy: number | null;
	readonly testLoss: number | null;
	readonly testAccuracy: number | null;
}

/** One run's outcome. */
export interface CellResult {
	readonly options: CellOptions;
	/** How many epochs it was to have; fewer are listed where it broke off. */
	readonly plannedEpochs: number;
	/** How many classes the data has. */
	readonly classes: number;
	readonly epochs: readonly CellEpoch[];
	/** Why training broke off, where a loss or an activation was no longer finite. */
	readonly problem: string | null;
	/** The trained network's accuracy on (at most 10,000 of) its training examples, in evaluation mode; null if it broke off. */
	readonly cleanTrainAccuracy: number | null;
	/** What was measured on the way, by name. */
	readonly measured: Readonly<Record<string, number | null>>;
	/** SHA-256 of the final weights. */
	readonly weights: string;
}

/** What a comparison was run on. */
export interface DataFacts {
	readonly trainExamples: number;
	readonly testExamples: number;
	/** Sentences on where the data comes from. */
	readonly sources: readonly string[];
	/** SHA-256 of the training images and labels. */
	readonly hash: string;
}

/**
 * Whether a run diverged: it broke off, or the last epoch's training loss is 10% above that of guessing, ln(classes).
 * A run that stays at the loss of guessing has stalled, which is something else.
 */
export function hasDiverged({ problem, epochs, classes }: CellResult): boolean {
	const loss = epochs.at(-1)?.loss;
	return problem !== null || loss === null || loss === undefined || loss > 1.1 * Math.log(classes);
}
