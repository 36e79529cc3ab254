// A claim, in a form that runs can decide: which runs are compared, in which figure, and what is expected.

import { check } from "../errors.ts";
import { isMetric, metricNames } from "./metrics.ts";
import { isOptionName, type OptionName, type OptionValue, show } from "./options.ts";
import { asObject, number, type OptionSet, oneOf, parseSet, text } from "./parse.ts";

/** How the runs of one side and seed, which differ in the option `over`, become one number. */
export const reductions = ["mean", "best", "range", "change", "largest", "works"] as const;

/**
 * - `mean`: their mean (default).
 * - `best`: the figure at the value of `over` that is best on average over the seeds.
 * - `range`: the largest less the smallest.
 * - `change`: the figure at `to` less that at `from`.
 * - `largest`: log10 of the largest value of `over` whose figure reaches `threshold`; a decade below the smallest value
 *   if none does.
 * - `works`: the share of values of `over` whose figure reaches `threshold`.
 */
export type Reduction = (typeof reductions)[number];

/** A claim and how it is tested: side a against side b. */
export interface Claim {
	/** A short name, unique in its comparison. */
	readonly id: string;
	/** What is claimed, in a sentence. */
	readonly says: string;
	/** Who says so. Default: "". */
	readonly source: string;
	/** The figure compared. */
	readonly metric: string;
	/** The runs of either side: all that have these values. */
	readonly a: OptionSet;
	readonly b: OptionSet;
	/** What the claim says of a's figure compared with b's. */
	readonly expect: "higher" | "lower" | "same";
	/** Differences up to here do not count. Default 0; must be given with `same`. */
	readonly margin: number;
	readonly reduce: Reduction;
	/** The option over whose values `reduce` goes. */
	readonly over?: OptionName;
	/** For `largest` and `works`: what the figure must reach. */
	readonly threshold?: number;
	/** For `change`. */
	readonly from?: OptionValue;
	readonly to?: OptionValue;
	/** What to keep in mind when reading the answer. Default: "". */
	readonly note: string;
}

const keys = [
	...[
		"id",
		"says",
		"source",
		"metric",
		"a",
		"b",
		"expect",
		"margin",
		"reduce",
		"over",
		"threshold",
		"from",
		"to",
		"note",
	],
];

/** A claim from plain data. `where` names it in errors. */
export function parseClaim(value: unknown, where: string): Claim {
	const claim = asObject(value, where, keys);
	const metric = text(claim.metric, `${where}.metric`);
	check(isMetric(metric), () => `${where}.metric: expected one of ${metricNames.join(", ")}, got ${show(metric)}`);
	const expect = oneOf(claim.expect, ["higher", "lower", "same"], `${where}.expect`);
	const margin = number(claim.margin, 0, `${where}.margin`, "a number of at least 0", (n) => n >= 0);
	check(
		expect !== "same" || margin > 0,
		() =>
			`${where}.margin: with expect: same, give the largest difference that counts as none, got ${show(claim.margin)}`,
	);
	return {
		id: text(claim.id, `${where}.id`),
		says: text(claim.says, `${where}.says`),
		source: text(claim.source, `${where}.source`, ""),
		metric,
		a: parseSet(claim.a, `${where}.a`),
		b: parseSet(claim.b, `${where}.b`),
		expect,
		margin,
		...parseReduction(claim, where),
		note: text(claim.note, `${where}.note`, ""),
	};
}

function parseReduction(
	claim: Record<string, unknown>,
	where: string,
): Pick<Claim, "reduce" | "over" | "threshold" | "from" | "to"> {
	const reduce = oneOf(claim.reduce, reductions, `${where}.reduce`, "mean");
	if (reduce === "mean") return { reduce };
	const over = text(claim.over, `${where}.over`);
	check(isOptionName(over), () => `${where}.over: expected an option, got ${show(over)}`);
	if (reduce === "largest" || reduce === "works") {
		const threshold = number(claim.threshold, Number.NaN, `${where}.threshold`, "a number", () => true);
		check(!Number.isNaN(threshold), () => `${where}.threshold: it is missing; reduce: ${reduce} needs it`);
		return { reduce, over, threshold };
	}
	if (reduce !== "change") return { reduce, over };
	const ends = parseSet({ [over]: claim.from }, `${where}.from`);
	const last = parseSet({ [over]: claim.to }, `${where}.to`);
	return { reduce, over, from: ends[over], to: last[over] };
}
