// What the runs say to a claim: the effect, its 95% interval over the seeds, and a verdict that follows from the two.

import type { Claim } from "./claim.ts";
import { figureOf, formatDifference, formatValue, metric } from "./metrics.ts";
import { type OptionValue, optionLabel } from "./options.ts";
import type { OptionSet } from "./parse.ts";
import type { CellResult } from "./result.ts";
import { matches } from "./spec.ts";
import { type Difference, type Sample, sampleOf, welch } from "./statistics.ts";

/** The answer to a claim. */
export type Verdict = "shown" | "not shown" | "the opposite is shown";

/** A claim, judged. */
export interface Judgement {
	readonly claim: Claim;
	readonly verdict: Verdict;
	/** Of the figure on either side, over the seeds. */
	readonly a: Sample;
	readonly b: Sample;
	/** mean(a) - mean(b) with its 95% interval (Welch's t). */
	readonly difference: Difference;
	/** The evidence in one sentence. */
	readonly evidence: string;
}

/** Judges `claim` by the runs at hand; runs without the figure do not count. `target` is for `epochsTo`. */
export function judge(claim: Claim, results: readonly CellResult[], target: number): Judgement {
	const a = sideValues(claim, claim.a, results, target);
	const b = sideValues(claim, claim.b, results, target);
	const difference = welch(a, b);
	const samples = { a: sampleOf(a), b: sampleOf(b) };
	const judged = a.length > 0 && b.length > 0;
	const verdict = judged ? verdictOf(claim, difference) : "not shown";
	const evidence = judged ? describe(claim, samples, difference) : "there are no runs to tell";
	return { claim, verdict, ...samples, difference, evidence };
}

/**
 * The verdict on an effect: a direction is shown where the whole interval lies beyond the margin on the claim's side, and
 * the opposite where it lies beyond it on the other; "same" is shown where the interval lies within the margin, and the
 * opposite where it lies outside. What the interval leaves open is not shown.
 */
export function verdictOf({ expect, margin }: Pick<Claim, "expect" | "margin">, difference: Difference): Verdict {
	const { low, high } = difference;
	if (Number.isNaN(low) || Number.isNaN(high)) return "not shown";
	if (expect === "same") {
		if (low >= -margin && high <= margin) return "shown";
		return low > margin || high < -margin ? "the opposite is shown" : "not shown";
	}
	const [above, below] = [low > margin, high < -margin];
	const [shown, opposite] = expect === "higher" ? [above, below] : [below, above];
	return shown ? "shown" : opposite ? "the opposite is shown" : "not shown";
}

/** One number a seed: the figure of one side. */
function sideValues(claim: Claim, side: OptionSet, results: readonly CellResult[], target: number): number[] {
	const own = results.filter(({ options }) => matches(options, side));
	const runs = own.flatMap(({ options, ...rest }): Run[] => {
		const value = figureOf(claim.metric, { options, ...rest }, target);
		const at = claim.over === undefined ? undefined : options[claim.over];
		return value === null ? [] : [{ seed: options.seed, at, value }];
	});
	const best = claim.reduce === "best" ? bestPlace(claim, runs) : undefined;
	const seeds = [...new Set(runs.map(({ seed }) => seed))];
	return seeds
		.map((seed) =>
			reduce(
				claim,
				runs.filter((run) => run.seed === seed),
				best,
			),
		)
		.filter(Number.isFinite);
}

interface Run {
	readonly seed: number;
	/** The value of `over`. */
	readonly at: OptionValue | undefined;
	readonly value: number;
}

function reduce(claim: Claim, runs: readonly Run[], best: OptionValue | undefined): number {
	const values = runs.map(({ value }) => value);
	const at = (place: OptionValue | undefined): number =>
		sampleOf(runs.filter((run) => run.at === place).map(({ value }) => value)).mean;
	const working = runs.filter(({ value }) => reaches(claim, value));
	switch (claim.reduce) {
		case "mean":
			return sampleOf(values).mean;
		case "best":
			return at(best);
		case "range":
			return Math.max(...values) - Math.min(...values);
		case "change":
			return at(claim.to) - at(claim.from);
		case "works":
			return working.length / runs.length;
		case "largest": {
			const places = (list: readonly Run[]): number[] => list.map((run) => Math.log10(Number(run.at)));
			return working.length > 0 ? Math.max(...places(working)) : Math.min(...places(runs)) - 1;
		}
	}
}

function reaches({ metric: name, threshold = 0 }: Claim, value: number): boolean {
	return metric(name).better === "higher" ? value >= threshold : value <= threshold;
}

/** The value of `over` whose figure is best on average over the seeds; the first of equals. */
function bestPlace(claim: Claim, runs: readonly Run[]): OptionValue | undefined {
	const sign = metric(claim.metric).better === "higher" ? 1 : -1;
	const places = [...new Set(runs.map(({ at }) => at))];
	const score = (place: OptionValue | undefined): number =>
		sign * sampleOf(runs.filter(({ at }) => at === place).map(({ value }) => value)).mean;
	return places.reduce((best, place) => (score(place) > score(best) ? place : best), places[0]);
}

/** How the figures of a claim are written: those of its metric, or powers of ten and shares where it makes such. */
function formats({ metric: name, reduce: how }: Claim): {
	value: (n: number) => string;
	change: (n: number) => string;
} {
	if (how === "largest") {
		const power = (n: number): string => Number((10 ** n).toPrecision(2)).toString();
		return { value: power, change: (n) => `a factor of ${power(n)}` };
	}
	if (how === "works") {
		const share = (n: number): string => `${(100 * n).toFixed(0)}%`;
		return { value: share, change: (n) => `${n < 0 ? "−" : "+"}${(100 * Math.abs(n)).toFixed(0)} points` };
	}
	return { value: (n) => formatValue(name, n), change: (n) => formatDifference(name, n) };
}

function describe(claim: Claim, { a, b }: Pick<Judgement, "a" | "b">, { effect, low, high }: Difference): string {
	const { value, change } = formats(claim);
	const side = ({ mean, deviation }: Sample): string =>
		claim.reduce === "largest" ? value(mean) : `${value(mean)} ± ${value(deviation).replace("%", "")}`;
	const seeds =
		a.count !== b.count ? `${a.count} and ${b.count} seeds` : a.count === 1 ? "one seed" : `${a.count} seeds`;
	const range = !Number.isFinite(low)
		? `no interval from ${seeds}: run more`
		: low === high
			? `the same for each of ${seeds}`
			: `95% interval ${change(low)} to ${change(high)}, ${seeds}`;
	return `${figureName(claim)}: ${side(a)} against ${side(b)}, ${change(effect)} (${range})`;
}

/** What is compared: `test accuracy at the best learning rate`. */
function figureName({ metric: name, reduce: how, over, threshold, from, to }: Claim): string {
	const { label, better } = metric(name);
	const along = over === undefined ? "" : optionLabel(over);
	const reached = `${label} of ${formatValue(name, threshold ?? null)} or ${better === "higher" ? "more" : "less"}`;
	switch (how) {
		case "mean":
			return label;
		case "best":
			return `${label} at the best ${along}`;
		case "range":
			return `range of the ${label} over the ${along}`;
		case "change":
			return `change of the ${label} from ${along} ${from} to ${to}`;
		case "largest":
			return `largest ${along} with a ${reached}`;
		case "works":
			return `share of the values of the ${along} with a ${reached}`;
	}
}
