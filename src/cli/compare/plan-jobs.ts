// How many processes run cells at a time, and in which order the cells go.

import { availableParallelism, freemem } from "node:os";
import { type CellPlan, planCell } from "../../compare/cell.ts";
import type { CellOptions } from "../../compare/options.ts";

/** What one process takes, about: the data, a network, Node itself. */
const bytesPerJob = 700e6;

/** Processes to start: one a core as far as memory goes, at least one, and no more than there are cells. */
export function jobCount(
	asked: number | undefined,
	cells: number,
	machine: { cores: number; free: number } = { cores: availableParallelism(), free: freemem() },
): number {
	const fits = Math.max(1, Math.floor(machine.free / bytesPerJob));
	return Math.max(1, Math.min(asked ?? Math.min(machine.cores, fits), cells));
}

/** Threads for each of them. They do not change results. */
export function threadsPerJob(jobs: number, cores = availableParallelism()): number {
	return Math.max(1, Math.floor(cores / jobs));
}

/** What a step costs beside its examples, in examples. */
const stepCost = 20;

/** The work of a cell, in examples: to put the longest first and to tell the time left. */
export function workOf(options: CellOptions, trainExamples: number): number {
	const { epochs, batchSize }: CellPlan = planCell(options);
	const examples = Math.min(options.limit ?? trainExamples, trainExamples);
	return epochs * (examples + stepCost * Math.ceil(examples / batchSize));
}
