// `compare --docs FILE`: the page of claims, from the results that are there.

import { join } from "node:path";
import { claimsPage, type DocumentedComparison } from "../../compare/docs.ts";
import { comparisonNamed, comparisonNames } from "../../compare/presets/index.ts";
import { type CompareSpec, cellsOf } from "../../compare/spec.ts";
import { writeFileAtomicSync } from "../../model-files/atomic-write.ts";
import { checkWritable } from "../train/outputs.ts";
import type { Terminal } from "../ui/terminal.ts";
import { readComparison } from "./comparison.ts";

/** Writes the page to `file` from the folders of all comparisons below `dir`. */
export function writeClaims(file: string, dir: string, terminal: Terminal): void {
	checkWritable("--docs", file);
	const comparisons = comparisonNames.map((name) => documented(comparisonNamed(name), dir));
	writeFileAtomicSync(file, claimsPage(comparisons));
	const run = comparisons.filter(({ outcome }) => outcome !== null).length;
	terminal.out.write(`written  ${file}, from ${run} of ${comparisons.length} comparisons\n`);
}

/** What is known of a comparison: results of another grid than today's are not its own. */
function documented(spec: CompareSpec, dir: string): DocumentedComparison {
	const found = readComparison(join(dir, spec.name));
	if (!found) return { spec, seeds: spec.seeds, outcome: null };
	const wanted = cellsOf(spec, found.seeds).map((options) => JSON.stringify(options));
	const own = new Set(found.results.map(({ options }) => JSON.stringify(options)));
	const whole = wanted.length === own.size && wanted.every((options) => own.has(options));
	return { spec, seeds: found.seeds, outcome: whole ? { data: found.data, results: found.results } : null };
}
