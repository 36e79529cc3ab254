// The report of a comparison: one HTML file that needs no other and asks for none, light or dark as the reader's system
// is, from the width of a telephone up.

import {
	comparisonChart,
	comparisonChartStyle,
	comparisonMark,
	comparisonPalettes,
	escapeText,
} from "../../plot/comparison-chart.ts";
import { metric } from "../metrics.ts";
import { type OptionName, showValue } from "../options.ts";
import type { CellResult, DataFacts } from "../result.ts";
import type { CompareSpec } from "../spec.ts";
import { type CompareTable, tableTexts } from "../table.ts";
import type { Judgement } from "../verdict.ts";
import { chartOf, type ReportChart } from "./charts.ts";
import { intervalPicture } from "./interval.ts";
import { reportStyle } from "./style.ts";

/** What a report is made of. */
export interface ReportParts {
	readonly spec: CompareSpec;
	/** Seeds a combination. */
	readonly seeds: number;
	readonly data: DataFacts;
	readonly results: readonly CellResult[];
	readonly judgements: readonly Judgement[];
	readonly table: CompareTable;
	/** The command line that makes these results. */
	readonly command: string;
}

/** The report as HTML. Every name and text in it is escaped. */
export function compareReport(parts: ReportParts): string {
	const { spec, results, judgements } = parts;
	const charts = spec.charts.flatMap((chart) => chartOf(chart, results, spec.target) ?? []);
	const body = [
		header(parts),
		judgements.length > 0 ? section("What the runs show", judgements.map(claimCard).join("\n"), "claims") : "",
		charts.length > 0 ? section("Charts", charts.map(figure).join("\n"), "charts") : "",
		section("All combinations", tableHtml(parts), "table"),
		section("How it was run", setup(parts), "setup"),
	];
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeText(spec.title)}</title>
<style>
:root { ${comparisonPalettes.light} }
@media (prefers-color-scheme: dark) { :root { ${comparisonPalettes.dark} } }
${reportStyle}
${comparisonChartStyle}
</style>
</head>
<body>
<main>
${body.filter((part) => part !== "").join("\n")}
</main>
</body>
</html>
`;
}

function header({ spec, results, seeds, data }: ReportParts): string {
	const facts = [
		`${results.length} runs`,
		`${seeds} ${seeds === 1 ? "seed" : "seeds"} each`,
		`${data.trainExamples.toLocaleString("en-US")} training images, ${data.testExamples.toLocaleString("en-US")} test images`,
	];
	const lead = spec.description === "" ? "" : `<p class="lead">${escapeText(spec.description)}</p>`;
	return `<header><h1>${escapeText(spec.title)}</h1>${lead}<p class="facts">${facts.map(escapeText).join(" · ")}</p></header>`;
}

function section(title: string, html: string, name: string): string {
	return `<section class="${name}"><h2>${escapeText(title)}</h2>\n${html}\n</section>`;
}

function claimCard(judgement: Judgement): string {
	const { claim, verdict, evidence } = judgement;
	const color = { shown: "yes", "not shown": "open", "the opposite is shown": "no" }[verdict];
	const source = claim.source === "" ? "" : `<span class="source">${escapeText(claim.source)}</span>`;
	const note = claim.note === "" ? "" : `<p class="note">${escapeText(claim.note)}</p>`;
	return (
		`<article class="claim ${color}"><p class="verdict">${escapeText(verdict)}${source}</p>` +
		`<h3>${escapeText(claim.says)}</h3>${intervalPicture(judgement)}` +
		`<p class="evidence">${escapeText(capitalized(evidence))}</p>${note}</article>`
	);
}

function figure({ heading, legend, data }: ReportChart): string {
	const entries = data.series.map(
		({ name }, index) => `<li>${comparisonMark(index)}${escapeText(name === "" ? "all runs" : name)}</li>`,
	);
	const list =
		data.series.length < 2 ? "" : `<ul class="legend" aria-label="${escapeText(legend)}">${entries.join("")}</ul>`;
	const [wide, narrow] = [720, 340].map((width) => comparisonChart(data, width));
	return (
		`<figure><figcaption>${escapeText(heading)}</figcaption>${list}` +
		`<div class="wide">${wide}</div><div class="narrow">${narrow}</div></figure>`
	);
}

function tableHtml({ table }: ReportParts): string {
	const { header: titles, rows } = tableTexts(table);
	const options = table.varying.length;
	const cell = (tag: "td" | "th") => (text: string, i: number) =>
		`<${tag}${i < options ? "" : ' class="number"'}${tag === "th" ? ' scope="col"' : ""}>${escapeText(text)}</${tag}>`;
	const head = `<tr>${titles.map(cell("th")).join("")}</tr>`;
	const body = rows.map((row) => `<tr>${row.map(cell("td")).join("")}</tr>`).join("\n");
	const note =
		`<p class="note">${escapeText(capitalized(metric(table.metric).meaning))}. “±” is the standard deviation over seeds. ` +
		"A run diverged if a loss was no longer finite, or ended 10% above that of guessing.</p>";
	return `<div class="scroll" tabindex="0"><table><thead>${head}</thead><tbody>\n${body}\n</tbody></table></div>\n${note}`;
}

function setup({ spec, data, command, judgements }: ReportParts): string {
	const base = Object.entries(spec.base).map(([name, value]) => `${name} ${showValue(value)}`);
	const grids = spec.grids.map((grid) =>
		Object.keys(grid)
			.map((name) => `${name}: ${(grid[name as OptionName] ?? []).map(showValue).join(", ")}`)
			.join(" × "),
	);
	const metrics = [...new Set(judgements.map(({ claim }) => claim.metric))].map(
		(name) => `<dt>${escapeText(metric(name).label)}</dt><dd>${escapeText(metric(name).meaning)}</dd>`,
	);
	const rows: [string, string][] = [
		["Command", `<code>${escapeText(command)}</code>`],
		["All runs", escapeText(base.join(", "))],
		["Grid", grids.map(escapeText).join("<br>")],
		["Data", data.sources.map(escapeText).join("<br>")],
		["Verdicts", verdictRule],
	];
	return `<dl>${rows.map(([name, html]) => `<dt>${name}</dt><dd>${html}</dd>`).join("\n")}${metrics.join("\n")}</dl>`;
}

const verdictRule =
	"The effect is the difference of the two means over seeds; its 95% interval is Welch’s, which does not ask for equal " +
	"variances. A claim is shown where the whole interval lies on its side of zero (beyond the margin, if one is drawn as a " +
	"band), the opposite where it lies on the other; what the interval leaves open is not shown.";

function capitalized(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
