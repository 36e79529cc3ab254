// What training came to, epoch by epoch, and the sums from which an epoch's figures are made.

import { check } from "../errors.ts";
import type { Metric } from "./objective.ts";

/** The figures of one epoch. */
export interface EpochRecord {
	/** From 1. */
	epoch: number;
	/** The mean training loss over the epoch's examples, each as it was when its batch was trained on. */
	loss: number;
	/** In [0, 1], measured as the loss is: while training, before each update. With the metric "accuracy". */
	trainAccuracy?: number;
	/** On the validation set, at the end of the epoch, in evaluation mode. */
	testLoss?: number;
	/** In [0, 1], as `testLoss`. */
	testAccuracy?: number;
	/** The metrics given as functions, by name, over the training examples. */
	trainMetrics?: Record<string, number>;
	/** The same over the validation set. */
	testMetrics?: Record<string, number>;
	/** Training alone: without evaluation and checkpoints. */
	examplesPerSecond: number;
	/** Wall time of the epoch, evaluation and checkpoints included. */
	seconds: number;
}

/** What `fit()` resolves to. */
export interface History {
	epochs: EpochRecord[];
	/** Why training ended before the last epoch, if it did. */
	stopped?: "aborted" | "early";
}

/** The sums over the examples seen so far: plain data, fit for JSON. */
export interface Totals {
	loss: number;
	/** One a metric. */
	metrics: number[];
	seen: number;
}

export function emptyTotals(metrics: readonly Metric[]): Totals {
	return { loss: 0, metrics: metrics.map(() => 0), seen: 0 };
}

/** What {@link Totals} come to on average. */
export interface Averages {
	loss: number;
	accuracy?: number;
	/** The metrics given as functions, by name. */
	metrics?: Record<string, number>;
}

export function averages(totals: Totals, metrics: readonly Metric[]): Averages {
	const named: Record<string, number> = {};
	metrics.forEach(({ name }, i) => {
		named[name] = totals.metrics[i] / totals.seen;
	});
	const { accuracy, ...others } = named;
	return {
		loss: totals.loss / totals.seen,
		...(accuracy === undefined ? {} : { accuracy }),
		...(Object.keys(others).length === 0 ? {} : { metrics: others }),
	};
}

/** When to stop before the last epoch. */
export interface EarlyStopping {
	/** How many epochs in a row may pass without a better figure. */
	patience: number;
	/** By how much a figure must be better to count. Default 0. */
	minDelta?: number;
	/**
	 * Which figure: `"loss"`, `"testLoss"`, `"trainAccuracy"`, `"testAccuracy"`, or the name of a metric function.
	 * Default `"testLoss"`, or `"loss"` without a validation set.
	 */
	metric?: string;
	/** Whether smaller is better. Default: `"max"` for accuracies, else `"min"`. */
	mode?: "min" | "max";
}

/**
 * Throws unless `rule` can be followed, by figures that the epochs will have.
 *
 * @throws EvenkeelError naming the option and what it may be
 */
export function checkEarlyStopping(
	{ patience, minDelta = 0, metric, mode }: EarlyStopping,
	{ metrics, validated }: { metrics: readonly Metric[]; validated: boolean },
): void {
	check(
		Number.isInteger(patience) && patience >= 1,
		() => `earlyStopping: patience must be a whole number of at least 1, got ${patience}`,
	);
	check(
		minDelta >= 0 && minDelta < Infinity,
		() => `earlyStopping: minDelta must be a number of at least 0, got ${minDelta}`,
	);
	check(
		mode === undefined || mode === "min" || mode === "max",
		() => `earlyStopping: mode is "min" or "max", got ${JSON.stringify(mode)}`,
	);
	const named = metrics.map(({ name }) => name);
	const sets = validated ? ["train", "test"] : ["train"];
	const known = [
		"loss",
		...(validated ? ["testLoss"] : []),
		...(named.includes("accuracy") ? sets.map((set) => `${set}Accuracy`) : []),
		...named.filter((name) => name !== "accuracy"),
	];
	check(
		metric === undefined || known.includes(metric),
		() => `earlyStopping: the epochs have no figure ${JSON.stringify(metric)}; there are ${known.join(", ")}`,
	);
}

/** Whether the figures have stopped getting better. It is a function of the history, so resuming needs no more. */
export function shouldStop(epochs: readonly EpochRecord[], rule: EarlyStopping): boolean {
	const { patience, minDelta = 0 } = rule;
	const last = epochs.at(-1);
	if (!last) return false;
	const metric = rule.metric ?? (last.testLoss === undefined ? "loss" : "testLoss");
	const sign = (rule.mode ?? (metric.endsWith("Accuracy") ? "max" : "min")) === "max" ? -1 : 1;
	let best = Infinity;
	let since = 0;
	for (const record of epochs) {
		const value = sign * figure(record, metric);
		since = value < best - minDelta ? 0 : since + 1;
		best = Math.min(best, since === 0 ? value : best);
	}
	return since >= patience;
}

function figure(record: EpochRecord, metric: string): number {
	const known: Record<string, number | undefined> = {
		loss: record.loss,
		trainAccuracy: record.trainAccuracy,
		testLoss: record.testLoss,
		testAccuracy: record.testAccuracy,
		...record.trainMetrics,
		...record.testMetrics,
	};
	const value = known[metric];
	check(
		value !== undefined,
		() =>
			`earlyStopping: the epochs have no figure "${metric}"; there are ` +
			`${Object.keys(known)
				.filter((name) => known[name] !== undefined)
				.join(", ")}`,
	);
	return value;
}
