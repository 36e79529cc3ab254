// docs/claims.md: what introductions to batch normalization say, what the runs show, and the command that shows it.

import { metric } from "./metrics.ts";
import type { CellResult, DataFacts } from "./result.ts";
import { type CompareSpec, cellsOf } from "./spec.ts";
import { type Judgement, judge, type Verdict } from "./verdict.ts";

/** A comparison, and what has been run of it. */
export interface DocumentedComparison {
	readonly spec: CompareSpec;
	/** Seeds a combination that were run. */
	readonly seeds: number;
	/** Null if it has not been run to its end. */
	readonly outcome: { readonly data: DataFacts; readonly results: readonly CellResult[] } | null;
}

/** The page, in Markdown. It states what it was made from; what has not been run has no verdict. */
export function claimsPage(comparisons: readonly DocumentedComparison[]): string {
	const judged = comparisons.flatMap((comparison) =>
		judgementsOf(comparison).map((judgement) => ({ comparison, judgement })),
	);
	const run = comparisons.filter(({ outcome }) => outcome !== null);
	return [
		intro,
		statement(comparisons, run),
		judged.length > 0 ? `## In short\n\n${overview(judged.map(({ judgement }) => judgement))}` : "",
		...comparisons.map(chapter),
		untested,
	]
		.filter((part) => part !== "")
		.join("\n\n")
		.concat("\n");
}

const intro = `# What is said of batch normalization, and what the runs show

<!-- Written by \`evenkeel compare --docs\` from the results of the comparisons; changes made by hand are lost. -->

Introductions to batch normalization say a lot of it, and not always the same. The claims below are those of five of them:
a class in NumPy (text 1), a model in Keras (2), an overview of normalizations in PyTorch (3), a derivation in NumPy (4)
and a LeNet from scratch in PyTorch (5). Each is put in a form that runs can decide, run with several seeds, and judged by
one rule:

- The **effect** is the difference between the two means over seeds; its 95% interval is that of Welch's t, which does not
  ask for equal variances. \`±\` is the standard deviation over seeds.
- **Shown**: the whole interval lies on the claim's side. **The opposite is shown**: it lies on the other side. **Not
  shown**: the spread over seeds covers the effect, if there is one.
- "The same" is shown where the interval lies within a margin that the claim names.
- The intervals are not corrected for their number: of twenty claims without any effect, one would come out as shown or
  as its opposite.

What holds for these small networks on Fashion-MNIST need not hold for large ones.`;

const untested = `## What is not tested here

- *Scale and shift can restore the identity* (text 4) is arithmetic: with weight = sqrt(var + eps) and bias = mean,
  y = x. \`evenkeel explain\` shows the steps.
- *In recurrent networks use layer norm* (text 3): evenkeel has no recurrent layers.
- *In transfer learning freeze some of the norms and re-estimate the statistics* (text 3): the tools are there
  (\`freezeNorms\`, \`evenkeel recalibrate\`), a second data set to transfer to is not.
- *It fits activations that are not S-shaped* (text 2) and *per channel after convolutions, per unit after linear layers*
  (text 3) say how to build a network; every network here is built so.`;

/** What the page was made from. */
function statement(all: readonly DocumentedComparison[], run: readonly DocumentedComparison[]): string {
	const names = (list: readonly DocumentedComparison[]): string =>
		list.map(({ spec }) => `\`${spec.name}\``).join(", ");
	const open = all.filter(({ outcome }) => outcome === null);
	const runs = run.reduce((sum, { outcome }) => sum + (outcome?.results.length ?? 0), 0);
	const sources = [...new Set(run.flatMap(({ outcome }) => (outcome ? [imagesOf(outcome.data)] : [])))];
	const parts = [
		run.length === 0
			? "Nothing has been run yet."
			: `Made from ${runs} runs on ${sources.join(" and ")}: the comparisons ${names(run)}.`,
		open.length === 0 ? "" : `Not run to their end yet, and therefore without an answer: ${names(open)}.`,
		run.length === 0
			? ""
			: "Results do not depend on the number of threads or processes, so the commands below give the same figures again.",
	];
	return parts.filter((part) => part !== "").join(" ");
}

function imagesOf({ trainExamples, testExamples }: DataFacts): string {
	return `${trainExamples.toLocaleString("en-US")} training and ${testExamples.toLocaleString("en-US")} test images`;
}

function judgementsOf({ spec, outcome }: DocumentedComparison): Judgement[] {
	return outcome ? spec.claims.map((claim) => judge(claim, outcome.results, spec.target)) : [];
}

const order: readonly Verdict[] = ["shown", "not shown", "the opposite is shown"];

/** The claims by verdict. */
function overview(judgements: readonly Judgement[]): string {
	return order
		.map((verdict) => {
			const own = judgements.filter((judgement) => judgement.verdict === verdict);
			const items = own.map(({ claim }) => `- ${markdown(claim.says)}`);
			return `### ${capitalized(verdict)}: ${own.length} of ${judgements.length}\n\n${items.join("\n") || "- none"}`;
		})
		.join("\n\n");
}

function chapter(comparison: DocumentedComparison): string {
	const { spec, seeds, outcome } = comparison;
	const command = `evenkeel compare ${spec.name}${seeds === spec.seeds ? "" : ` --seeds ${seeds}`}`;
	const count = cellsOf(spec, seeds).length;
	const state = outcome ? "" : "\n\nNot run to its end yet.";
	const head = `## ${markdown(spec.title)}\n\n${markdown(spec.description)}\n\n\`\`\`sh\n${command}    # ${count} runs\n\`\`\`${state}`;
	const judgements = judgementsOf(comparison);
	const rows = outcome
		? judgements.map(({ claim, verdict, evidence }) => {
				const note = claim.note === "" ? "" : ` *${markdown(claim.note)}*`;
				return `| ${markdown(claim.says)} (${markdown(claim.source)}) | ${capitalized(evidence)}.${note} | **${verdict}** |`;
			})
		: spec.claims.map((claim) => `| ${markdown(claim.says)} (${markdown(claim.source)}) | not run | |`);
	const table = ["| What is said | What was measured | Verdict |", "| --- | --- | --- |", ...rows].join("\n");
	return `${head}\n\n${table}\n\n${meanings(spec)}`;
}

/** What the figures of a chapter are. */
function meanings({ claims }: CompareSpec): string {
	const names = [...new Set(claims.map((claim) => claim.metric))];
	return names.map((name) => `${capitalized(metric(name).label)}: ${metric(name).meaning}.`).join(" ");
}

function capitalized(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Text that stands for itself in Markdown, tables included. */
function markdown(text: string): string {
	return text.replace(/[\\|*_`<>[\]]/g, (sign) => `\\${sign}`);
}
