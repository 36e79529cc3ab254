// What is the same in every run, and so can be folded; and what the graph says of shapes.

import { formats, type OnnxDataType } from "../../model-files/onnx/data-types.ts";
import {
	intAttribute,
	intsAttribute,
	isOperator,
	type NodeProto,
	nodeLabel,
	type OnnxGraph,
	type OnnxTensor,
	type ValueInfoProto,
} from "../../model-files/onnx/index.ts";
import { refuse } from "../../surgery/fold/refusal.ts";
import { isFloatType, numbersOf } from "../value.ts";

/** How many nodes may lie between a constant and who reads it, or be asked for their number of axes. */
const DEPTH = 100;

/**
 * The floating tensor behind `value`: an initializer or Constant, also through Identity, Cast and Transpose nodes.
 *
 * @param what the value's part in its node, for the reason: `"its scale"`
 * @throws Refusal
 */
export function floatConstant(graph: OnnxGraph, value: string, what: string): OnnxTensor {
	const found = constantOf(graph, value, DEPTH) ?? refuse(`${what} ${whyNot(graph, value)}`);
	if (!isFloatType(found)) refuse(`${what} is of type ${found.type}, not a floating one`);
	return found;
}

/** As {@link floatConstant}, null where it is not one. */
export function optionalConstant(graph: OnnxGraph, value: string): OnnxTensor | null {
	const found = value === "" ? null : constantOf(graph, value, DEPTH);
	return found && isFloatType(found) ? found : null;
}

/** The whole numbers of a constant list, such as a shape. */
export function integerList(graph: OnnxGraph, value: string): number[] | null {
	const found = value === "" ? undefined : graph.constant(value);
	return found && !isFloatType(found) ? Array.from(numbersOf(found).data) : null;
}

function constantOf(graph: OnnxGraph, value: string, depth: number): OnnxTensor | null {
	const found = graph.constant(value);
	if (found) return found;
	const node = graph.producer(value);
	if (!node || depth === 0) return null;
	const inner = () => constantOf(graph, node.input[0] ?? "", depth - 1);
	if (isOperator(node, "Identity")) return inner();
	if (isOperator(node, "Cast")) return cast(inner(), intAttribute(node, "to", 0));
	return isOperator(node, "Transpose") ? transpose(inner(), intsAttribute(node, "perm")) : null;
}

/** Between floating types. */
function cast(tensor: OnnxTensor | null, code: number): OnnxTensor | null {
	if (!tensor || !isFloatType(tensor)) return null;
	const type = (["float", "double", "float16", "bfloat16"] as const).find((name) => formats[name].code === code);
	return type ? inType(type, tensor.shape, numbersOf(tensor).data) : null;
}

/** Numbers as a tensor of a floating type, rounded to it. */
export function inType(type: OnnxDataType, shape: readonly number[], values: ArrayLike<number>): OnnxTensor {
	if (type === "double") return { type, shape, data: Float64Array.from(values) };
	const { pack, unpack } = formats[type];
	const data = Float32Array.from(values);
	return { type, shape, data: pack && unpack ? data.map((value) => unpack(pack(value))) : data };
}

function transpose(tensor: OnnxTensor | null, perm: readonly number[] | undefined): OnnxTensor | null {
	if (!tensor || !isFloatType(tensor)) return null;
	const rank = tensor.shape.length;
	const axes = perm ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
	if (axes.length !== rank || [...axes].sort((a, b) => a - b).some((axis, i) => axis !== i)) return null;
	const strides = tensor.shape.map((_, axis) =>
		tensor.shape.slice(axis + 1).reduce((size, length) => size * length, 1),
	);
	const shape = axes.map((axis) => tensor.shape[axis]);
	const source = numbersOf(tensor).data;
	const index = new Array<number>(rank).fill(0);
	const values = Float64Array.from({ length: source.length }, () => {
		const value = source[axes.reduce((at, axis, i) => at + index[i] * strides[axis], 0)];
		for (let i = rank - 1; i >= 0 && ++index[i] === shape[i]; i--) index[i] = 0;
		return value;
	});
	return inType(tensor.type, shape, values);
}

/** Why a value is no constant. */
function whyNot(graph: OnnxGraph, value: string): string {
	if (value === "") return "is missing";
	const node = graph.producer(value);
	if (node) return `is computed, by ${nodeLabel(node)}`;
	if (graph.isOverridable(value)) {
		return "is also an input of the graph, which whoever runs the model may replace; option fixInputs (--fix-inputs) forbids that";
	}
	return graph.isInput(value) ? "is an input of the graph" : "is no dense tensor";
}

/** What the graph declares of a value. */
function declared({ proto }: OnnxGraph, value: string): ValueInfoProto | undefined {
	return [proto.valueInfo, proto.input, proto.output].flatMap(
		(list) => list.find(({ name }) => name === value) ?? [],
	)[0];
}

/** The lengths of a value's axes as the graph declares them, null for those that are open. */
export function declaredDims(graph: OnnxGraph, value: string): (number | null)[] | null {
	const type = declared(graph, value)?.type?.value;
	if (type?.case !== "tensorType" || !type.value.shape) return null;
	return type.value.shape.dim.map(({ value: length }) => (length.case === "dimValue" ? Number(length.value) : null));
}

/** A value's element type as the graph declares it. */
function declaredType(graph: OnnxGraph, value: string): OnnxDataType | null {
	const type = declared(graph, value)?.type?.value;
	if (type?.case !== "tensorType") return null;
	return typeOfCode(type.value.elemType);
}

function typeOfCode(wanted: number): OnnxDataType | null {
	const found = Object.entries(formats).find(([, { code }]) => code === wanted);
	return found ? (found[0] as OnnxDataType) : null;
}

const sameRank = new Set(
	"BatchNormalization Identity Dropout Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid Tanh Clip Gelu HardSwish Mish Softplus Softmax LogSoftmax Cast GlobalAveragePool GlobalMaxPool AveragePool MaxPool Neg Abs Exp Log Sqrt Pad".split(
		" ",
	),
);

/** How many axes a value has, null where neither the graph nor the node that makes it says. */
export function rankOf(graph: OnnxGraph, value: string): number | null {
	let name = value;
	for (let depth = 0; depth < DEPTH; depth++) {
		const dims = declaredDims(graph, name);
		if (dims) return dims.length;
		const node = graph.producer(name);
		if (!node) return null;
		if (isOperator(node, "Gemm") || isOperator(node, "Flatten")) return 2;
		const at = axesFrom(graph, node);
		if (typeof at === "number") return at;
		if (at === null) return null;
		name = at.like;
	}
	return null;
}

/** A node's output: its number of axes, or the value that has as many. */
function axesFrom(graph: OnnxGraph, node: NodeProto): number | { like: string } | null {
	if (node.domain !== "" && node.domain !== "ai.onnx") return null;
	if (node.opType === "Conv" || node.opType === "ConvTranspose") {
		return optionalConstant(graph, node.input[1] ?? "")?.shape.length ?? { like: node.input[0] };
	}
	if (node.opType === "Reshape") return integerList(graph, node.input[1] ?? "")?.length ?? null;
	if (sameRank.has(node.opType)) return { like: node.input[0] };
	const constants = node.input.slice(0, 2).map((name) => optionalConstant(graph, name)?.shape.length ?? null);
	if (node.opType === "MatMul" && constants[1] === 2) return { like: node.input[0] };
	if (["Add", "Sub", "Mul", "Div"].includes(node.opType)) {
		// A constant of one axis or none adds no axis to what it is added to, which has one at least.
		if (constants[1] !== null && constants[1] <= 1) return { like: node.input[0] };
		if (constants[0] !== null && constants[0] <= 1) return { like: node.input[1] };
	}
	return null;
}

/** Operators whose output is of the type of their first input, and which of their inputs all are. */
const sameType = new Set(
	"Reshape Flatten Transpose Squeeze Unsqueeze Concat Slice Gather Expand ReduceMean ReduceMax ReduceSum LayerNormalization InstanceNormalization GroupNormalization".split(
		" ",
	),
);
const oneType = new Set("Conv ConvTranspose Gemm MatMul Add Sub Mul Div Sum Max Min PRelu".split(" "));

/** A value's element type, null where neither the graph nor the nodes that make it say. */
export function typeOf(graph: OnnxGraph, value: string): OnnxDataType | null {
	const pending = [value];
	for (let depth = 0; depth < DEPTH; depth++) {
		const name = pending.pop();
		if (name === undefined) return null;
		const known = declaredType(graph, name) ?? graph.constant(name)?.type;
		if (known) return known;
		const node = graph.producer(name);
		if (!node || (node.domain !== "" && node.domain !== "ai.onnx")) continue;
		if (node.opType === "Cast") return typeOfCode(intAttribute(node, "to", 0));
		if (oneType.has(node.opType)) pending.push(...node.input.filter((input) => input !== ""));
		else if (sameType.has(node.opType) || sameRank.has(node.opType)) pending.push(node.input[0] ?? "");
	}
	return null;
}
