// Nodes between a norm and what takes it, and what a scale and shift are on their other side.

import {
	intAttribute,
	intsAttribute,
	isOperator,
	type NodeProto,
	type OnnxGraph,
	stringAttribute,
} from "../../model-files/onnx/index.ts";
import type { Affine } from "../../surgery/fold/affine.ts";
import { numbersOf } from "../value.ts";
import { declaredDims, integerList, optionalConstant } from "./constants.ts";

/**
 * How a node leaves the channels at axis 1 apart: `"same"`; `"join"`, each channel's elements become channels of
 * their own; `"split"`, the other way round, channels in a row become one. Null: it does not, or that is not known.
 */
export function passageOf(graph: OnnxGraph, node: NodeProto): "same" | "join" | "split" | null {
	if (isOperator(node, "Identity") || isOperator(node, "GlobalAveragePool")) return "same";
	if (isOperator(node, "Dropout")) return isIdle(graph, node) ? "same" : null;
	if (isOperator(node, "AveragePool")) return isPlainAverage(node) ? "same" : null;
	if (isOperator(node, "Flatten")) return intAttribute(node, "axis", 1) === 1 ? "join" : null;
	return isOperator(node, "Reshape") ? reshapePassage(graph, node) : null;
}

/** Whether a Dropout passes its input on. */
function isIdle(graph: OnnxGraph, node: NodeProto): boolean {
	const version = graph.model.opset();
	if (version < 7) return intAttribute(node, "is_test", 0) !== 0;
	const flag = node.input[2] ?? "";
	if (version < 12 || flag === "") return true;
	const training = graph.constant(flag);
	return training !== undefined && numbersOf(training).data[0] === 0;
}

/** Whether a pool averages the input's own elements alone, no zeros around it. */
function isPlainAverage(node: NodeProto): boolean {
	if (intAttribute(node, "count_include_pad", 0) === 0) return true;
	const auto = stringAttribute(node, "auto_pad", "NOTSET");
	const pads = intsAttribute(node, "pads") ?? [];
	const none = auto === "VALID" || (auto === "NOTSET" && pads.every((zeros) => zeros === 0));
	return none && intAttribute(node, "ceil_mode", 0) === 0;
}

/** A Reshape that keeps the examples apart, as far as that can be seen. */
function reshapePassage(graph: OnnxGraph, node: NodeProto): "join" | "split" | null {
	const shape = integerList(graph, node.input[1] ?? "");
	if (!shape || intAttribute(node, "allowzero", 0) !== 0) return null;
	const [first, ...rest] = shape;
	if (rest.length === 1) {
		// [0, …] keeps the first axis, so that the second gets all else.
		if (first === 0) return rest[0] === 0 ? null : "join";
		const dims = declaredDims(graph, node.input[0])?.slice(1);
		const own = dims?.every((length) => length !== null) ? dims.reduce((size: number, n) => size * Number(n), 1) : null;
		return own !== null && rest[0] === own ? "join" : null;
	}
	// Which input it is a splitting of is for the caller to check: splitSize.
	return rest.length > 1 && rest.every((length) => length > 0) ? "split" : null;
}

/** The number of axes, the channels and the elements of an example of what a Reshape that splits makes. */
export function splitSize(graph: OnnxGraph, node: NodeProto): { rank: number; channels: number; elements: number } {
	const [, ...rest] = integerList(graph, node.input[1]) ?? [];
	const elements = rest.reduce((size, length) => size * length, 1);
	return { rank: rest.length + 1, channels: rest[0], elements };
}

/** Which input of a node is computed, the other being a constant of one value a channel. */
export interface ConstantStep {
	readonly node: NodeProto;
	readonly input: number;
	/** The constant as a vector. */
	readonly values: Float64Array;
}

/**
 * Add, Sub, Mul or Div by a constant that is the same at all positions of a channel. Null for others.
 *
 * @param rank how many axes the computed input has
 */
export function constantStep(graph: OnnxGraph, node: NodeProto, rank: number, channels: number): ConstantStep | null {
	const operator = ["Add", "Mul", "Sub", "Div"].find((name) => isOperator(node, name));
	if (!operator || graph.model.opset() < 7) return null;
	const found = constantInput(graph, node, operator === "Add" || operator === "Mul");
	if (!found || found.constant.shape.length > rank) return null;
	const { shape } = found.constant;
	const { data } = numbersOf(found.constant);
	const axis = shape.length - rank + 1;
	if (!shape.every((length, i) => length === 1 || (i === axis && length === channels))) return null;
	return {
		node,
		input: found.input,
		values: Float64Array.from({ length: channels }, (_, c) => data[data.length === 1 ? 0 : c]),
	};
}

function constantInput(graph: OnnxGraph, node: NodeProto, commutes: boolean) {
	for (const input of commutes ? [0, 1] : [0]) {
		const constant = optionalConstant(graph, node.input[1 - input] ?? "");
		if (constant && !optionalConstant(graph, node.input[input] ?? "")) return { constant, input };
	}
	return null;
}

/** The computed input of such a node, as far as its operator tells: for a walk that does not know channels yet. */
export function computedInput(graph: OnnxGraph, node: NodeProto): number | null {
	const operator = ["Add", "Mul", "Sub", "Div"].find((name) => isOperator(node, name));
	return operator ? (constantInput(graph, node, operator === "Add" || operator === "Mul")?.input ?? null) : null;
}

/** `outer` of what the step makes, as a scale and shift of what the step reads. */
export function throughStep({ node, values }: ConstantStep, outer: Affine): Affine {
	const { scale, shift } = outer;
	if (isOperator(node, "Add")) return { scale, shift: shift.map((t, c) => t + scale[c] * values[c]) };
	if (isOperator(node, "Sub")) return { scale, shift: shift.map((t, c) => t - scale[c] * values[c]) };
	const divides = isOperator(node, "Div");
	return { scale: scale.map((s, c) => (divides ? s / values[c] : s * values[c])), shift };
}
