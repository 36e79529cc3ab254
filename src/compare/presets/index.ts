// The comparisons that come with evenkeel: together they test what introductions to batch normalization claim.

import { check } from "../../errors.ts";
import { type CompareSpec, parseSpec } from "../spec.ts";
import { convergence, depth, dynamics, initialScale, learningRate } from "./optimization.ts";
import { batchSize, dropout, evaluationStatistics, momentumConvention, placement, smallData } from "./practice.ts";

/** As plain data, as a file would have it. */
const plain = [
	...[learningRate, initialScale, convergence, batchSize, placement, dropout, smallData],
	...[evaluationStatistics, momentumConvention, depth, dynamics],
];

/** The names of the comparisons, in the order of docs/claims.md. */
export const comparisonNames: readonly string[] = plain.map(({ name }) => name);

/** The comparison called `name` as plain data, which is what a file holds. */
export function plainComparison(name: string): Readonly<Record<string, unknown>> {
	const found = plain.find((entry) => entry.name === name);
	check(found, () => `there is no comparison "${name}"; there are ${comparisonNames.join(", ")}`);
	return found;
}

/** The comparison called `name`. */
export function comparisonNamed(name: string): CompareSpec {
	return parseSpec(plainComparison(name), name);
}
