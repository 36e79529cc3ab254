// A comparison with its results, and how one is read back from its folder.

import type { CellResult, DataFacts } from "../../compare/result.ts";
import type { CompareSpec } from "../../compare/spec.ts";
import { ResultsFolder } from "./results-folder.ts";

/** A comparison with its results: what reports and docs/claims.md are made of. */
export interface Comparison {
	readonly spec: CompareSpec;
	readonly seeds: number;
	readonly data: DataFacts;
	/** In the order of the grid. */
	readonly results: readonly CellResult[];
}

/** The comparison in a folder, as an earlier command left it; null if there is none, or it is not finished. */
export function readComparison(dir: string): Comparison | null {
	const folder = new ResultsFolder(dir);
	const [facts, lines] = [folder.readFile("comparison.json"), folder.readFile("results.jsonl")];
	if (facts === null || lines === null) return null;
	const results = lines
		.trim()
		.split("\n")
		.map((line): CellResult => JSON.parse(line));
	return { ...JSON.parse(facts), results };
}
