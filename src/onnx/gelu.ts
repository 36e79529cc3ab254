// GELU as exporters wrote it before it was an operator: x / sqrt(2), Erf, Add 1, and products with x and 1/2 in some
// order. Found before the nodes are read one by one, and then read as one layer.

import type { NodeProto, OnnxGraph } from "../model-files/onnx/index.ts";
import { isOperator } from "../model-files/onnx/index.ts";
import type { Importer } from "./importer.ts";

/** A GELU that is written out. */
export interface WrittenGelu {
	/** The value that goes in. */
	readonly x: string;
	/** The node that makes what comes out. */
	readonly last: NodeProto;
	/** All others of its nodes, but for the Erf. */
	readonly rest: readonly NodeProto[];
}

/** The GELU that the Erf node `erf` is the middle of; null if it is another thing. */
export function geluAround(importer: Importer, erf: NodeProto): WrittenGelu | null {
	const { graph } = importer;
	const scaling = graph.producer(erf.input[0]);
	const x = scaling && operandScaled(importer, scaling, Math.SQRT1_2);
	const plus = onlyReader(graph, erf);
	if (!x || !plus || !isOperator(plus, "Add") || onlyReader(graph, scaling) !== erf) return null;
	if (numberBeside(importer, plus, erf.output[0]) !== 1) return null;
	const product = onlyReader(graph, plus);
	if (!product || !isOperator(product, "Mul")) return null;
	const other = beside(product, plus.output[0]);
	const halfBefore = graph.producer(other);
	// (x / 2) (1 + erf)
	if (halfBefore && operandScaled(importer, halfBefore, 0.5) === x) {
		const rest = onlyReader(graph, halfBefore) === product ? [scaling, plus, halfBefore] : [scaling, plus];
		return { x, last: product, rest };
	}
	const next = onlyReader(graph, product);
	if (!next || !isOperator(next, "Mul")) return null;
	// x (1 + erf) / 2, or x ((1 + erf) / 2)
	const whole = other === x && numberBeside(importer, next, product.output[0]) === 0.5;
	const halved = numberOf(importer, other) === 0.5 && beside(next, product.output[0]) === x;
	return whole || halved ? { x, last: next, rest: [scaling, plus, product] } : null;
}

/** The node that alone reads what `node` makes; null if there are others, or the graph returns it. */
function onlyReader(graph: OnnxGraph, node: NodeProto): NodeProto | null {
	const [output] = node.output;
	const uses = graph.consumers(output);
	return uses.length === 1 && !graph.isOutput(output) ? uses[0].node : null;
}

/** The other input of a node that has two. */
function beside(node: NodeProto, value: string): string {
	return node.input[0] === value ? node.input[1] : node.input[0];
}

function numberOf(importer: Importer, value: string): number | null {
	const data = importer.constant(value)?.data;
	return data?.length === 1 ? Number(data[0]) : null;
}

function numberBeside(importer: Importer, node: NodeProto, value: string): number | null {
	return numberOf(importer, beside(node, value));
}

/** What a node multiplies by `factor`, or divides by its inverse; null if it does another thing. */
function operandScaled(importer: Importer, node: NodeProto, factor: number): string | null {
	const [first, second] = node.input;
	const close = (number: number | null, wanted: number) => number !== null && Math.abs(number / wanted - 1) < 1e-4;
	if (isOperator(node, "Div")) return close(numberOf(importer, second), 1 / factor) ? first : null;
	if (!isOperator(node, "Mul")) return null;
	if (close(numberOf(importer, second), factor)) return first;
	return close(numberOf(importer, first), factor) ? second : null;
}
