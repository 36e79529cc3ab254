// What `inspect` prints: the layers, each norm's numbers as ranges, and the findings.

import { isBatchNorm, isNorm } from "../../nn/is-norm.ts";
import type { Module } from "../../nn/module.ts";
import type { LayerRow } from "../../nn/summary.ts";
import type { Finding } from "../../surgery/index.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { formatCount, formatMetric } from "../ui/format.ts";
import { tableLines } from "../ui/table.ts";
import { printJson, type Terminal } from "../ui/terminal.ts";

/** The smallest, mean and largest of what a norm learned or tracked. */
export interface Range {
	readonly min: number;
	readonly mean: number;
	readonly max: number;
}

/** A norm's numbers; null where it has none. */
export interface NormRow {
	readonly layer: string;
	readonly type: string;
	readonly channels: number;
	readonly scale: Range | null;
	readonly shift: Range | null;
	readonly runningMean: Range | null;
	readonly runningVar: Range | null;
	readonly batches: number | null;
}

/** What was found out. */
export interface Inspection {
	readonly source: string;
	readonly batchSize: number;
	readonly replicas: number;
	readonly data: string | null;
	readonly layers: readonly LayerRow[];
	readonly norms: readonly NormRow[];
	readonly findings: readonly Finding[];
}

/** Each norm of `net`. */
export function normRows(net: Module): NormRow[] {
	return [...net.namedModules()].flatMap(([layer, module]): NormRow[] => {
		if (!isNorm(module)) return [];
		const property = (name: string): Tensor | null => Reflect.get(module, name) ?? null;
		const tracked = isBatchNorm(module) ? module.numBatchesTracked : null;
		return [
			{
				layer,
				type: module.constructor.name,
				channels: property("weight")?.size ?? property("runningMean")?.size ?? 0,
				scale: rangeOf(property("weight")),
				shift: rangeOf(property("bias")),
				runningMean: rangeOf(property("runningMean")),
				runningVar: rangeOf(property("runningVar")),
				batches: tracked ? tracked.item() : null,
			},
		];
	});
}

function rangeOf(tensor: Tensor | null): Range | null {
	if (!tensor || tensor.size === 0) return null;
	let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
	for (const value of tensor.view().subarray(0, tensor.size)) {
		min = Math.min(min, value);
		max = Math.max(max, value);
		sum += value;
	}
	return { min, mean: sum / tensor.size, max };
}

/** One JSON object a line: start, layer, norm, finding, end. */
export function printInspectionJson(terminal: Terminal, inspection: Inspection): void {
	const { layers, norms, findings, ...start } = inspection;
	printJson(terminal, { event: "start", ...start });
	for (const layer of layers) printJson(terminal, { event: "layer", ...layer });
	for (const norm of norms) printJson(terminal, { event: "norm", ...norm });
	for (const finding of findings) printJson(terminal, { event: "finding", ...finding });
	printJson(terminal, { event: "end", layers: layers.length, norms: norms.length, findings: findings.length });
}

export function printInspection(terminal: Terminal, inspection: Inspection): void {
	const { outColors: colors } = terminal;
	const { layers, norms, findings, source, batchSize, replicas, data } = inspection;
	const style = { header: colors.bold, rule: colors.dim };
	const right = "right" as const;
	const over = replicas > 1 ? ` over ${replicas} replicas` : "";
	const lines = [`${source}; batch size ${batchSize}${over}${data === null ? "" : `; data: ${data}`}`, ""];
	if (layers.length > 0) {
		const rows = layers.map(({ name, type, outputShape, parameters }) => [
			name,
			type,
			formatShape(outputShape),
			formatCount(parameters),
		]);
		lines.push(
			...tableLines(rows, {
				header: ["layer", "type", "output", "learns"],
				align: ["left", "left", "left", right],
				style,
			}),
			"",
		);
	}
	if (norms.length > 0) {
		const rows = norms.map((norm) => [
			norm.layer,
			norm.type,
			...[norm.scale, norm.shift, norm.runningMean, norm.runningVar].map(rangeText),
			norm.batches === null ? "-" : formatCount(norm.batches),
		]);
		const header = ["norm", "type", "scale", "shift", "running mean", "running variance", "batches"];
		lines.push(...tableLines(rows, { header, align: ["left", "left", right, right, right, right, right], style }), "");
	} else lines.push("There is no norm in this network.", "");
	lines.push(...findingLines(findings, terminal));
	terminal.out.write(lines.map((line) => `${line}\n`).join(""));
}

function rangeText(range: Range | null): string {
	return range ? `${formatMetric(range.min, 3)} … ${formatMetric(range.max, 3)}` : "-";
}

function findingLines(findings: readonly Finding[], { outColors: colors }: Terminal): string[] {
	if (findings.length === 0) return ["No findings."];
	const paint = { error: colors.red, warning: colors.yellow, info: colors.dim };
	const count = `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
	return [
		colors.bold(count),
		...findings.flatMap(({ layer, kind, evidence, remedy, severity }) => [
			`${paint[severity](severity)} ${colors.bold(kind)} in "${layer}": ${evidence}`,
			`  → ${remedy}`,
		]),
	];
}
