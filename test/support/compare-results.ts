// Results of runs that were never run, for tests of what is made of them.

import type { CellOptions } from "../../src/compare/options.ts";
import type { CellResult } from "../../src/compare/result.ts";

/** A run that ended at `accuracy`, reached in even steps; `changes` overrides anything. */
export function resultOf(
	options: Partial<CellOptions>,
	accuracy: number,
	changes: Partial<CellResult> = {},
): CellResult {
	const planned = options.epochs ?? 2;
	const epochs = Array.from({ length: planned }, (_, i) => {
		const share = (accuracy * (i + 1)) / planned;
		return { epoch: i + 1, loss: 1 - share / 2, trainAccuracy: share, testLoss: 1 - share / 2, testAccuracy: share };
	});
	return {
		options: { preset: "lenet", seed: 0, ...options },
		plannedEpochs: planned,
		classes: 10,
		epochs,
		problem: null,
		cleanTrainAccuracy: accuracy,
		measured: {},
		weights: "0".repeat(64),
		...changes,
	};
}

/** One run a value, seeds 0, 1, 2, … */
export function resultsOf(options: Partial<CellOptions>, accuracies: readonly number[]): CellResult[] {
	return accuracies.map((accuracy, seed) => resultOf({ ...options, seed }, accuracy));
}
