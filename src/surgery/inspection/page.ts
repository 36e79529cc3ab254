// An inspection as HTML: a page of its own, or the parts of one. Functions of the data alone, which run anywhere.

import { escapeHtml } from "../../plot/escape.ts";
import { histogramSvg } from "../../plot/histogram.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Finding } from "../inspect.ts";
import type { Distribution } from "./distribution.ts";
import { factsOf, formatCount, formatFlops, formatNumber, quantities, withUnit } from "./format.ts";
import type { InspectedLayer, InspectedNorm, InspectedTensor, Inspection } from "./inspection.ts";
import { inspectionStyle, pageStyle } from "./style.ts";

/**
 * An inspection as one self-contained page: no scripts, no external fonts or files, light or dark as the reader's system
 * is. Names and texts of a file are shown as they are and never taken for markup.
 */
export function inspectionPage(inspection: Inspection): string {
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(inspection.source)}</title>
<style>
${pageStyle}
${inspectionStyle}
</style>
</head>
<body>
<main>
${inspectionHtml(inspection)}
</main>
</body>
</html>
`;
}

/** The contents of {@link inspectionPage}, for a page that has {@link inspectionStyle}. */
export function inspectionHtml(inspection: Inspection): string {
	const { norms, layers, tensors, findings, notes } = inspection;
	return [
		'<div class="evenkeel-inspection">',
		"<header>",
		`<h1>${escapeHtml(inspection.source)}</h1>`,
		`<p class="facts">${factsLine(inspection)}</p>`,
		...notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`),
		"</header>",
		section("findings", "Findings", findingsHtml(findings)),
		section("norms", "Norms", norms.length > 0 ? normsHtml(norms) : "<p>There is no norm to show.</p>"),
		layers.length > 0 ? section("layers", "Layers", layersHtml(layers, inspection)) : "",
		tensors.length > 0 ? section("tensors", "Tensors", tensorsHtml(tensors)) : "",
		"</div>",
	]
		.filter((part) => part !== "")
		.join("\n");
}

function section(id: string, title: string, contents: string): string {
	return `<section aria-labelledby="${id}">\n<h2 id="${id}">${title}</h2>\n${contents}\n</section>`;
}

function factsLine({ batchSize, replicas, data, totals, layers, norms, inputShape }: Inspection): string {
	const over = replicas > 1 ? ` over ${replicas} replicas` : "";
	const facts = [
		...(layers.length > 0 ? [countOf(layers, "layer")] : []),
		countOf(norms, "norm"),
		...(layers.length > 0 ? [`${formatCount(totals.parameters)} parameters`] : []),
		...(totals.flops === null || inputShape === null
			? []
			: [`${withUnit(totals.flops).replace(" ", "\u00A0")} for ${formatShape(inputShape)}`]),
		`batch size ${batchSize}${over}`,
		...(data === null ? [] : [`run on ${data}`]),
	];
	return facts.map(escapeHtml).join(" · ");
}

function countOf(list: readonly unknown[], what: string): string {
	return `${formatCount(list.length)} ${what}${list.length === 1 ? "" : "s"}`;
}

/** Findings, each with what was seen and what to do. */
export function findingsHtml(findings: readonly Finding[]): string {
	if (findings.length === 0) return "<p>Nothing was found.</p>";
	const items = findings.map(
		({ layer, kind, evidence, remedy, severity }) =>
			`<li class="${severity}"><p class="what"><span class="severity">${severity}</span> ` +
			`<strong>${escapeHtml(kind)}</strong> in <code>${escapeHtml(layer)}</code></p>` +
			`<p>${escapeHtml(evidence)}</p><p class="remedy">${escapeHtml(remedy)}</p></li>`,
	);
	return `<ul class="findings">\n${items.join("\n")}\n</ul>`;
}

/** Norms, each with a table of what it has learned and tracked. */
export function normsHtml(norms: readonly InspectedNorm[]): string {
	const cards = norms.map((norm) => {
		const rows = quantities.flatMap(([key, name]) => {
			const spread = norm[key];
			return spread ? [spreadRow(name, spread, norm)] : [];
		});
		const table =
			rows.length > 0
				? `<table><caption class="unseen">Numbers of ${escapeHtml(norm.layer)}</caption>` +
					'<thead><tr><th scope="col"><span class="unseen">Quantity</span></th><th scope="col">min</th>' +
					'<th scope="col">median</th><th scope="col">max</th><th scope="col"><span class="unseen">Distribution</span></th>' +
					`</tr></thead><tbody>${rows.join("")}</tbody></table>`
				: "<p>It has neither parameters nor statistics.</p>";
		return (
			`<article><h3><code>${escapeHtml(norm.layer)}</code> ${escapeHtml(norm.type)}</h3>` +
			`<p class="facts">${escapeHtml(factsOf(norm))}</p>${table}</article>`
		);
	});
	return `<div class="norms">\n${cards.join("\n")}\n</div>`;
}

function spreadRow(name: string, spread: Distribution, { layer }: InspectedNorm): string {
	const { min, median, max, notFinite, histogram } = spread;
	const numbers = [min, median, max].map((value) => `<td>${formatNumber(value)}</td>`).join("");
	const bad = notFinite > 0 ? `<span class="bad">${formatCount(notFinite)} not finite</span>` : "";
	const label = `${name} of ${layer}: ${describe(spread)}`;
	const picture = histogram.counts.length > 0 ? histogramSvg(histogram, { label, width: 96, height: 22 }) : "";
	return `<tr><th scope="row">${name}</th>${numbers}<td class="picture">${picture}${bad}</td></tr>`;
}

/** Where most of the numbers lie, in words. */
function describe({ count, min, median, max, histogram: { from, to, counts } }: Distribution): string {
	if (min === null || max === null) return "no finite numbers";
	const values = `${formatCount(count)} ${count === 1 ? "value" : "values"}`;
	if (min === max) return `${values}, all ${formatNumber(min)}`;
	const most = counts.indexOf(Math.max(...counts));
	const at = (i: number) => formatNumber(from + ((to - from) * i) / counts.length);
	return `${values} from ${formatNumber(min)} to ${formatNumber(max)}, median ${formatNumber(median)}, most between ${at(most)} and ${at(most + 1)}`;
}

/** Layers as a table with sums. */
export function layersHtml(layers: readonly InspectedLayer[], { totals }: Pick<Inspection, "totals">): string {
	const rows = layers.map(
		({ name, type, outputShape, parameters, flops }) =>
			`<tr><th scope="row"><code>${escapeHtml(name)}</code></th><td>${escapeHtml(type)}</td>` +
			`<td>${outputShape ? formatShape(outputShape) : "-"}</td><td class="number">${formatCount(parameters)}</td>` +
			`<td class="number">${formatFlops(flops)}</td></tr>`,
	);
	const sum =
		`<tr><th scope="row">sum</th><td></td><td></td><td class="number">${formatCount(totals.parameters)}</td>` +
		`<td class="number">${formatFlops(totals.flops)}</td></tr>`;
	const head = headOf([["layer"], ["type"], ["output"], ["parameters", true], ["FLOPs", true]]);
	return scrolling("layers", `<thead>${head}</thead><tbody>${rows.join("\n")}</tbody><tfoot>${sum}</tfoot>`);
}

/** Tensors of a file whose network is not known. */
export function tensorsHtml(tensors: readonly InspectedTensor[]): string {
	const rows = tensors.map(
		({ name, dtype, shape }) =>
			`<tr><th scope="row"><code>${escapeHtml(name)}</code></th><td>${escapeHtml(dtype)}</td><td>${formatShape(shape)}</td>` +
			`<td class="number">${formatCount(shape.reduce((product, length) => product * length, 1))}</td></tr>`,
	);
	const head = headOf([["name"], ["type"], ["shape"], ["values", true]]);
	return scrolling("tensors", `<thead>${head}</thead><tbody>${rows.join("\n")}</tbody>`);
}

function headOf(columns: readonly (readonly [title: string, isNumber?: boolean])[]): string {
	const cells = columns.map(([title, isNumber]) => `<th scope="col"${isNumber ? ' class="number"' : ""}>${title}</th>`);
	return `<tr>${cells.join("")}</tr>`;
}

/** A table that scrolls by itself where the page is narrow, with the keyboard too. */
function scrolling(id: string, contents: string): string {
	return `<div class="scroll" role="group" aria-labelledby="${id}" tabindex="0"><table>${contents}</table></div>`;
}
