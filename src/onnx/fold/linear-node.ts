// The nodes that can take a scale and a shift: those that are linear in their first input. Convolutions, and products
// with a constant matrix.

import {
	floatAttribute,
	intAttribute,
	intsAttribute,
	isOperator,
	makeAttribute,
	type NodeProto,
	nodeLabel,
	type OnnxGraph,
	type OnnxTensor,
	stringAttribute,
} from "../../model-files/onnx/index.ts";
import { demand, refuse } from "../../surgery/fold/refusal.ts";
import { channelsOf, tapsOf, type WeightLayout } from "../../surgery/fold/weights.ts";
import { numbersOf } from "../value.ts";
import { floatConstant, inType, optionalConstant } from "./constants.ts";

/** A node with `y = gain W x + bias`, W being a constant. */
export interface LinearNode {
	readonly node: NodeProto;
	readonly label: string;
	readonly weight: OnnxTensor;
	readonly layout: WeightLayout;
	readonly gain: number;
	/** One value an output channel; zeros where there is none. */
	readonly bias: Float64Array;
	/** Where the bias is: an input of the node itself, or of the Add behind a product. Null: it takes an Add of its own. */
	readonly biasAt: { readonly node: NodeProto; readonly input: number } | null;
	/** The value that is y: the output of the node, or of that Add. */
	readonly output: string;
}

/** The linear node that makes `value`; null for what is made by another operator. Throws a Refusal if its weight is no constant. */
export function linearMaking(graph: OnnxGraph, value: string): LinearNode | null {
	const node = graph.producer(value);
	if (!node) return null;
	if (isOperator(node, "Add")) return productWithAdd(graph, node);
	if (isOperator(node, "MatMul")) return product(graph, node);
	return convolutionOrGemm(graph, node);
}

/** As {@link linearMaking}: the linear node that `node` is, of which it is the part that reads x. */
export function linearReading(graph: OnnxGraph, node: NodeProto): LinearNode | null {
	if (!isOperator(node, "MatMul")) return convolutionOrGemm(graph, node);
	const [output] = node.output;
	const readers = graph.consumers(output);
	const next = readers.length === 1 && !graph.isOutput(output) ? readers[0].node : null;
	const together = next && isOperator(next, "Add") ? productWithAdd(graph, next) : null;
	return together ?? product(graph, node);
}

function convolutionOrGemm(graph: OnnxGraph, node: NodeProto): LinearNode | null {
	if (isOperator(node, "Conv")) return convolution(graph, node, "outputs");
	if (isOperator(node, "ConvTranspose")) return convolution(graph, node, "inputs");
	return isOperator(node, "Gemm") ? gemm(graph, node) : null;
}

function convolution(graph: OnnxGraph, node: NodeProto, first: WeightLayout["first"]): LinearNode {
	const label = nodeLabel(node);
	const weight = floatConstant(graph, node.input[1] ?? "", `the weight of ${label}`);
	const groups = intAttribute(node, "group", 1);
	demand(weight.shape.length > 2 && groups >= 1, () => `the weight of ${label} has only ${weight.shape.length} axes`);
	demand(weight.shape[0] % groups === 0, () => `${groups} groups do not divide the weight of ${label}`);
	const layout = { first, shape: weight.shape, groups };
	const { outputs } = channelsOf(layout);
	const bias = biasOf(graph, node, 2, label);
	demand(bias === null || bias.length === outputs, () => `the bias of ${label} has not one value a channel`);
	const biasAt = { node, input: 2 };
	return {
		node,
		label,
		weight,
		layout,
		gain: 1,
		bias: bias ?? new Float64Array(outputs),
		biasAt,
		output: node.output[0],
	};
}

/** An optional bias as numbers, flat. */
function biasOf(graph: OnnxGraph, node: NodeProto, input: number, label: string): Float64Array | null {
	const name = node.input[input] ?? "";
	return name === "" ? null : Float64Array.from(numbersOf(floatConstant(graph, name, `the bias of ${label}`)).data);
}

/** y = alpha x B + beta C. */
function gemm(graph: OnnxGraph, node: NodeProto): LinearNode {
	const label = nodeLabel(node);
	demand(graph.model.opset() >= 7, () => `${label} is of a version before 7, with its own kind of broadcasting`);
	const weight = floatConstant(graph, node.input[1] ?? "", `the weight of ${label}`);
	demand(weight.shape.length === 2, () => `the weight of ${label} is no matrix`);
	const transposed = intAttribute(node, "transB", 0) !== 0;
	const layout = { first: transposed ? "outputs" : "inputs", shape: weight.shape, groups: 1 } as const;
	const { outputs } = channelsOf(layout);
	const row = gemmBias(graph, node, label, outputs);
	const beta = floatAttribute(node, "beta", 1);
	return {
		...{ node, label, weight, layout, output: node.output[0] },
		gain: floatAttribute(node, "alpha", 1),
		bias: Float64Array.from({ length: outputs }, (_, o) =>
			row && beta !== 0 ? beta * row[row.length === 1 ? 0 : o] : 0,
		),
		biasAt: { node, input: 2 },
	};
}

/** C, if it is the same for all rows: one value, or one a column. */
function gemmBias(graph: OnnxGraph, node: NodeProto, label: string, outputs: number): Float64Array | null {
	const name = node.input[2] ?? "";
	if (name === "") return null;
	const { shape, data } = floatConstant(graph, name, `the bias of ${label}`);
	const rows = shape.slice(0, -1).every((length) => length === 1);
	demand(rows && (data.length === 1 || data.length === outputs), () => `the bias of ${label} is not one row`);
	return Float64Array.from(data, Number);
}

/** x B. */
function product(graph: OnnxGraph, node: NodeProto): LinearNode {
	const label = nodeLabel(node);
	const weight = floatConstant(graph, node.input[1] ?? "", `the second factor of ${label}`);
	demand(weight.shape.length === 2, () => `the second factor of ${label} is no matrix`);
	const layout = { first: "inputs", shape: weight.shape, groups: 1 } as const;
	const bias = new Float64Array(weight.shape[1]);
	return { node, label, weight, layout, gain: 1, bias, biasAt: null, output: node.output[0] };
}

/** x B + b, with an Add that alone reads the product and adds a constant row. Null if `add` is another. */
function productWithAdd(graph: OnnxGraph, add: NodeProto): LinearNode | null {
	for (const input of [0, 1]) {
		const node = graph.producer(add.input[1 - input] ?? "");
		const row = optionalConstant(graph, add.input[input] ?? "");
		if (!node || !isOperator(node, "MatMul") || !row || row.shape.length !== 1) continue;
		if (graph.consumers(node.output[0]).length !== 1 || graph.isOutput(node.output[0])) continue;
		const made = product(graph, node);
		if (row.data.length !== made.bias.length) continue;
		const bias = Float64Array.from(numbersOf(row).data);
		return { ...made, bias, biasAt: { node: add, input }, output: add.output[0] };
	}
	return null;
}

/** Why a shift of what the node reads does not come out the same everywhere; null if it does. */
export function shiftProblem({ node, layout }: LinearNode): string | null {
	if (isOperator(node, "Gemm") || isOperator(node, "MatMul")) return null;
	const pads = intsAttribute(node, "pads") ?? [];
	const auto = stringAttribute(node, "auto_pad", "NOTSET");
	if (isOperator(node, "ConvTranspose")) {
		const strides = intsAttribute(node, "strides") ?? [];
		const plain = auto === "NOTSET" && !intsAttribute(node, "output_shape") && strides.every((stride) => stride === 1);
		return plain && tapsOf(layout) === 1
			? null
			: "it is transposed, so a shift of its input reaches each pixel through another number of weights";
	}
	// A kernel of one pixel needs no padding to keep the size.
	const same = auto.startsWith("SAME") && tapsOf(layout) > 1;
	const padded = same || (auto === "NOTSET" && pads.some((zeros) => zeros !== 0));
	return padded ? "it pads with zeros, which the norm's shift would have to reach" : null;
}

/** What a linear node becomes. */
export interface NewWeights {
	readonly linear: LinearNode;
	readonly weight: OnnxTensor;
	readonly bias: OnnxTensor;
}

/**
 * New numbers in the type that the node's weight has.
 *
 * @throws Refusal if that cannot hold them
 */
export function newWeights(linear: LinearNode, weight: Float64Array, bias: Float64Array): NewWeights {
	const { type, shape } = linear.weight;
	const stored = { linear, weight: inType(type, shape, weight), bias: inType(type, [bias.length], bias) };
	for (const { data } of [stored.weight, stored.bias]) {
		demand(
			Array.prototype.every.call(data, Number.isFinite),
			() => `weights of ${linear.label} would be too large for ${type}`,
		);
	}
	if (type === "float16") checkHalves(linear, weight);
	return stored;
}

/** Below this, halves have fewer digits the smaller they are. */
const SMALLEST_NORMAL_HALF = 2 ** -14;

/** A channel whose weights are all so small would lose its digits. */
function checkHalves({ layout, label }: LinearNode, weight: Float64Array): void {
	const rows = layout.shape[0];
	const length = weight.length / rows;
	for (let row = 0; row < rows; row++) {
		const largest = weight
			.subarray(row * length, (row + 1) * length)
			.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
		if (largest > 0 && largest < SMALLEST_NORMAL_HALF) refuse(`weights of ${label} would be too small for float16`);
	}
}

/** Puts new weights into the graph. Tensors that others read too stay as they are, and the node gets its own. */
export function storeWeights(graph: OnnxGraph, { linear, weight, bias }: NewWeights): void {
	const { node, biasAt } = linear;
	const base = node.input[1];
	storeInput(graph, node, 1, weight, base);
	if (isOperator(node, "Gemm")) setBeta(node);
	const isZero = Array.prototype.every.call(bias.data, (value: number) => value === 0);
	const biasName = /\.weight$/.test(base) ? base.replace(/weight$/, "bias") : `${base}_bias`;
	if (biasAt) {
		if (!isZero || (biasAt.node.input[biasAt.input] ?? "") !== "")
			storeInput(graph, biasAt.node, biasAt.input, bias, biasName);
	} else if (!isZero) insertAdd(graph, node, bias, biasName);
}

/** Gives input number `index` of `node` other numbers. */
export function storeInput(graph: OnnxGraph, node: NodeProto, index: number, tensor: OnnxTensor, base: string): void {
	const old = node.input[index] ?? "";
	const there = graph.initializer(old);
	const own = there && graph.consumers(old).length === 1 && !graph.isOutput(old) && !graph.isOverridable(old);
	const sameShape =
		there && there.dims.length === tensor.shape.length && there.dims.every((n, i) => Number(n) === tensor.shape[i]);
	if (own && sameShape) {
		graph.replaceInitializer(old, tensor);
		return;
	}
	const made = graph.addInitializer(base, tensor);
	graph.setInput(node, index, made.name);
	graph.removeUnread(old);
}

/** The new bias is added as it is. */
function setBeta(node: NodeProto): void {
	node.attribute = node.attribute.filter(({ name }) => name !== "beta");
	node.attribute.push(makeAttribute("beta", 1));
}

/** Adds `bias` to what a product makes, under the product's name. */
function insertAdd(graph: OnnxGraph, node: NodeProto, bias: OnnxTensor, biasName: string): void {
	const [output] = node.output;
	const made = graph.freshName(`${output}_product`);
	graph.setOutput(node, 0, made);
	const row = graph.addInitializer(biasName, bias);
	const nodes = graph.proto.node;
	const name = node.name === "" ? "" : `${node.name}_bias`;
	graph.addNode({ opType: "Add", name, input: [made, row.name], output: [output] }, nodes[nodes.indexOf(node) + 1]);
}
