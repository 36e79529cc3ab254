// A network as an ONNX model, written byte by byte: the little of protobuf that https://onnx.ai/onnx/intro/concepts
// needs is a tag, a variable-length integer and a length before a message.

import { paddingOf } from "./networks.mjs";

/** @typedef {Uint8Array} Bytes */

const text = (/** @type {string} */ value) => new TextEncoder().encode(value);

/** @param {number} value a whole number @returns {Bytes} */
function varint(value) {
	const bytes = [];
	let rest = value;
	while (rest > 127) {
		bytes.push((rest % 128) + 128);
		rest = Math.floor(rest / 128);
	}
	bytes.push(rest);
	return Uint8Array.from(bytes);
}

/** @param {Bytes[]} parts @returns {Bytes} */
function join(...parts) {
	const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}

const number = (/** @type {number} */ field, /** @type {number} */ value) => join(varint(field * 8), varint(value));
const bytes = (/** @type {number} */ field, /** @type {Bytes} */ value) =>
	join(varint(field * 8 + 2), varint(value.length), value);
const string = (/** @type {number} */ field, /** @type {string} */ value) => bytes(field, text(value));

/** TensorProto, float32. @param {string} name @param {number[]} shape @param {Float32Array} values */
function tensor(name, shape, values) {
	const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
	return join(...shape.map((length) => number(1, length)), number(2, 1), string(8, name), bytes(9, raw));
}

/** ValueInfoProto of a float tensor; -1 is any length. @param {string} name @param {number[]} shape */
function valueInfo(name, shape) {
	const dims = shape.map((length) => bytes(1, length < 0 ? string(2, "batch") : number(1, length)));
	const tensorType = join(number(1, 1), bytes(2, join(...dims)));
	return join(string(1, name), bytes(2, bytes(1, tensorType)));
}

/** AttributeProto: a whole number or several. @param {string} name @param {number | number[]} value */
function attribute(name, value) {
	const body = Array.isArray(value)
		? join(...value.map((each) => number(8, each)), number(20, 7))
		: join(number(3, value), number(20, 2));
	return join(string(1, name), body);
}

/** @param {string} op @param {string[]} inputs @param {string} output @param {Record<string, number | number[]>} attributes */
function node(op, inputs, output, attributes = {}) {
	return join(
		...inputs.map((input) => string(1, input)),
		string(2, output),
		string(4, op),
		...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
	);
}

/** What stands in a graph so far; weights are random, which does not matter to the speed. */
class Graph {
	/** @type {Bytes[]} */
	nodes = [];
	/** @type {Bytes[]} */
	initializers = [];
	#count = 0;

	/** @param {string} op @param {string[]} inputs @param {Record<string, number | number[]>} [attributes] */
	add(op, inputs, attributes) {
		const output = `v${this.#count++}`;
		this.nodes.push(node(op, inputs, output, attributes));
		return output;
	}

	/** @param {number[]} shape @param {(i: number) => number} [value] */
	weight(shape, value = () => (2 * Math.random() - 1) * 0.1) {
		const name = `w${this.#count++}`;
		const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i));
		this.initializers.push(tensor(name, shape, values));
		return name;
	}
}

/** @param {Graph} graph @param {import("./networks.mjs").Layer} layer @param {string} x @returns {string} */
function addLayer(graph, layer, x) {
	const [kind, from, to, options] = layer;
	if (kind === "conv") {
		const { kernel, stride = 1 } = options;
		const padding = paddingOf(kernel);
		const inputs = [x, graph.weight([to, from, kernel, kernel]), graph.weight([to])];
		return graph.add("Conv", inputs, { strides: [stride, stride], pads: Array(4).fill(padding) });
	}
	if (kind === "linear") return graph.add("Gemm", [x, graph.weight([to, from]), graph.weight([to])], { transB: 1 });
	if (kind === "norm") {
		const one = () => graph.weight([from], () => 1);
		return graph.add("BatchNormalization", [x, one(), graph.weight([from]), graph.weight([from]), one()]);
	}
	if (kind === "sigmoid") return graph.add("Sigmoid", [x]);
	if (kind === "relu") return graph.add("Relu", [x]);
	if (kind === "avgPool") return graph.add("AveragePool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
	if (kind === "globalPool") return graph.add("GlobalAveragePool", [x]);
	if (kind === "flatten") return graph.add("Flatten", [x]);
	const sum = graph.add("Add", [addLayers(graph, from, x), addLayers(graph, to, x)]);
	return graph.add("Relu", [sum]);
}

/** @param {Graph} graph @param {import("./networks.mjs").Layer[]} layers @param {string} x */
function addLayers(graph, layers, x) {
	return layers.reduce((value, layer) => addLayer(graph, layer, value), x);
}

/** The model's bytes: images [batch, 1, 28, 28] named `x` in, logits out. @param {import("./networks.mjs").Layer[]} layers */
export function onnxModel(layers) {
	const graph = new Graph();
	const output = addLayers(graph, layers, "x");
	const graphProto = join(
		...graph.nodes.map((each) => bytes(1, each)),
		string(2, "bench"),
		...graph.initializers.map((each) => bytes(5, each)),
		bytes(11, valueInfo("x", [-1, 1, 28, 28])),
		bytes(12, valueInfo(output, [-1, 10])),
	);
	const opset = join(string(1, ""), number(2, 17));
	return { model: join(number(1, 8), bytes(7, graphProto), bytes(8, opset)), output };
}
