// What `inspect` prints: the layers, each norm's numbers as ranges with small histograms, and the findings.

import type { Finding, Inspection } from "../../surgery/index.ts";
import { factsOf, formatFlops, formatNumber, quantities, withUnit } from "../../surgery/inspection/format.ts";
import { formatShape } from "../../tensor/shape.ts";
import { formatCount } from "../ui/format.ts";
import { tableLines } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";
import { barsOf, toAscii } from "./bars.ts";
import { printable, printableName } from "./printable.ts";

/** One JSON object: the whole inspection. */
export function printInspectionJson(terminal: Terminal, inspection: Inspection): void {
	printJson(terminal, { event: "inspection", ...inspection });
}

export function printInspection(terminal: Terminal, inspection: Inspection): void {
	const parts = [
		headLines(inspection),
		layerLines(inspection, terminal),
		tensorLines(inspection, terminal),
		normLines(inspection, terminal),
		findingLines(inspection.findings, terminal),
	];
	const text = parts
		.filter((lines) => lines.length > 0)
		.map((lines) => lines.map((line) => `${line}\n`).join(""))
		.join("\n");
	terminal.out.write(terminal.unicode ? text : toAscii(text));
}

const right = "right" as const;
const styleOf = ({ outColors: colors }: Terminal) => ({ header: colors.bold, rule: colors.dim, footer: colors.bold });

function headLines({ source, batchSize, replicas, data, notes }: Inspection): string[] {
	const over = replicas > 1 ? ` over ${replicas} replicas` : "";
	const facts = `${printable(source)}; batch size ${batchSize}${over}${data === null ? "" : `; data: ${data}`}`;
	return [facts, ...notes.map(printable)];
}

function layerLines({ layers, totals, inputShape }: Inspection, terminal: Terminal): string[] {
	if (layers.length === 0) return [];
	const rows = layers.map(({ name, type, outputShape, parameters, flops }) => [
		printableName(name),
		type,
		outputShape ? formatShape(outputShape) : "-",
		formatCount(parameters),
		formatFlops(flops),
	]);
	const lines = tableLines(rows, {
		header: ["layer", "type", "output", "learns", "FLOPs"],
		align: ["left", "left", "left", right, right],
		footer: ["sum", "", "", formatCount(totals.parameters), formatFlops(totals.flops)],
		style: styleOf(terminal),
	});
	if (inputShape === null || totals.flops === null) return lines;
	const { dim } = terminal.outColors;
	return [
		...lines,
		dim(`for an input ${formatShape(inputShape)}: ${withUnit(totals.flops)}, a multiply-add being two`),
	];
}

function tensorLines({ tensors }: Inspection, terminal: Terminal): string[] {
	if (tensors.length === 0) return [];
	const rows = tensors.map(({ name, dtype, shape }) => [
		printableName(name),
		dtype,
		formatShape(shape),
		formatCount(shape.reduce((product, length) => product * length, 1)),
	]);
	const align = ["left", "left", "left", right] as const;
	return tableLines(rows, { header: ["tensor", "type", "shape", "values"], align, style: styleOf(terminal) });
}

/** Each norm under a line of its own; the columns of all are aligned. */
function normLines({ norms }: Inspection, terminal: Terminal): string[] {
	if (norms.length === 0) return ["There is no norm to show."];
	const { bold, dim, cyan, red } = terminal.outColors;
	const groups = norms.map((norm) => {
		const rows = quantities.flatMap(([key, name]) => {
			const spread = norm[key];
			if (!spread) return [];
			const { min, median, max, notFinite, histogram } = spread;
			const bad = notFinite > 0 ? red(` ${formatCount(notFinite)} not finite`) : "";
			const picture = terminal.unicode ? barsOf(histogram) : toAscii(barsOf(histogram));
			return [[`  ${name}`, ...[min, median, max].map(formatNumber), cyan(picture) + bad]];
		});
		return { title: `${bold(printableName(norm.layer))} ${norm.type}${dim(`, ${factsOf(norm)}`)}`, rows };
	});
	const header = ["norm", "min", "median", "max", ""];
	const align = ["left", right, right, right, "left"] as const;
	const [head, rule, ...lines] = tableLines(
		groups.flatMap(({ rows }) => rows),
		{ header, align, style: styleOf(terminal) },
	);
	return [head, rule, ...groups.flatMap(({ title, rows }) => [title, ...lines.splice(0, rows.length)])];
}

function findingLines(findings: readonly Finding[], { outColors: colors }: Terminal): string[] {
	if (findings.length === 0) return ["No findings."];
	const paint = { error: colors.red, warning: colors.yellow, info: colors.dim };
	const count = `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
	return [
		colors.bold(count),
		...findings.flatMap(({ layer, kind, evidence, remedy, severity }) => [
			`${paint[severity](severity)} ${colors.bold(kind)} in "${printableName(layer)}": ${printable(evidence)}`,
			`  → ${printable(remedy)}`,
		]),
	];
}
