// Gemm and MatMul. By a constant matrix, both are a Linear layer.

import { isOperator, type NodeProto } from "../../model-files/onnx/index.ts";
import { Linear } from "../../nn/layers/linear.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { add, mul } from "../../ops/elementwise/op.ts";
import { matmul } from "../../ops/matmul/op.ts";
import { transpose } from "../../ops/shape/op.ts";
import { Generator } from "../../random/generator.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { LayerSlot } from "../graph-module.ts";
import type { Change } from "../importer.ts";
import { pathOfEntry } from "../names.ts";
import type { NodeContext, Operator } from "../node-context.ts";
import type { Dims } from "../value.ts";

/** y = alpha A' B' + beta C, where A' and B' may be transposed. */
export const gemm: Operator = (node) => {
	const alpha = node.float("alpha", 1);
	const beta = node.float("beta", 1);
	const [transA, transB] = [node.flag("transA", false), node.flag("transB", false)];
	const weight = node.constant(1);
	const outputs = weight ? weight.shape[transB ? 0 : 1] : null;
	node.setDims([node.dims(0)?.[transA ? 1 : 0] ?? null, outputs]);
	const biased = node.has(2) && beta !== 0;
	const bias = biased ? node.constant(2) : null;
	const asLayer = alpha !== 0 && weight?.shape.length === 2 && (!biased || (bias && isRow(bias.shape, outputs ?? 0)));
	const a = node.input(0);
	if (asLayer && outputs !== null) {
		const layer = linearLayer(node, { weight: 1, ...(biased ? { bias: 2 } : {}) }, { transB, alpha, beta, outputs });
		node.layerInput = transA ? undefined : a;
		return (env) => layer.forward(transA ? transpose(a.tensor(env)) : a.tensor(env));
	}
	const b = node.input(1);
	const c = biased ? node.input(2) : null;
	return (env) => {
		const [left, right] = [a.tensor(env), b.tensor(env)];
		const product = matmul(transA ? transpose(left) : left, transB ? transpose(right) : right);
		const scaled = alpha === 1 ? product : mul(product, alpha);
		const shift = c?.tensor(env);
		return shift ? add(scaled, beta === 1 ? shift : mul(shift, beta)) : scaled;
	};
};

/** Whether a bias is one row of `outputs` numbers. */
function isRow(shape: readonly number[], outputs: number): boolean {
	return sizeOf(shape) === outputs && (shape.length === 1 || (shape.length === 2 && shape[0] === 1));
}

/** y = A B, batches broadcast. A constant matrix B is a Linear layer, with a constant row that is added behind it. */
export const matrixProduct: Operator = (node) => {
	const weight = node.constant(1);
	const left = node.dims(0);
	const x = node.input(0);
	if (weight?.shape.length !== 2) {
		const b = node.input(1);
		node.setDims(productDims(left, node.dims(1)));
		return (env) => matmul(x.tensor(env), b.tensor(env));
	}
	const outputs = weight.shape[1];
	const follower = addedRow(node, outputs);
	if (follower) node.absorb(follower.add);
	node.setDims(left && [...left.slice(0, -1), outputs]);
	const parts = { transB: false, alpha: 1, beta: 1, outputs, row: follower?.row };
	const layer = linearLayer(node, { weight: 1 }, parts);
	node.layerInput = x;
	return (env) => layer.forward(x.tensor(env));
};

/** How many axes a product of matrices has; with vectors, or unknown, nothing is said. */
function productDims(a: Dims, b: Dims): Dims {
	if (!a || !b || a.length < 2 || b.length < 2) return undefined;
	return new Array<null>(Math.max(a.length, b.length)).fill(null);
}

/** The Add that alone reads the product, if what it adds is a constant row. */
function addedRow(node: NodeContext, outputs: number): { add: NodeProto; row: string } | null {
	const { importer, proto } = node;
	const [product] = proto.output;
	const uses = importer.graph.consumers(product);
	if (uses.length !== 1 || importer.graph.isOutput(product) || !isOperator(uses[0].node, "Add")) return null;
	const row = uses[0].node.input[1 - uses[0].input] ?? "";
	const constant = row === "" ? null : importer.constant(row);
	return constant && constant.shape.length === 1 && constant.shape[0] === outputs ? { add: uses[0].node, row } : null;
}

interface LinearParts {
	readonly transB: boolean;
	readonly alpha: number;
	readonly beta: number;
	readonly outputs: number;
	/** The bias, where it is no input of the node. */
	readonly row?: string;
}

function linearLayer(
	node: NodeContext,
	entries: Readonly<Record<string, number>>,
	parts: LinearParts,
): LayerSlot<Linear> {
	const { transB, alpha, beta, outputs, row } = parts;
	const name = row ?? ("bias" in entries ? node.proto.input[entries.bias] : undefined);
	const path = (row && !pathOfEntry(node.proto.input[1], "weight") && pathOfEntry(row, "bias")) || undefined;
	return node.weighted(
		"Linear",
		parts,
		entries,
		() => {
			const [rows, columns] = node.constant(1)?.shape ?? [];
			const made = new Linear(transB ? columns : rows, outputs, {
				bias: name !== undefined,
				generator: new Generator(0),
			});
			made.weight = weightOf(node, rows, columns, transB, alpha);
			if (name !== undefined) made.bias = scaledBias(node, name, outputs, beta);
			return made;
		},
		path,
	);
}

/** The weight of the layer, `[outputs, inputs]`, from a matrix of `rows` x `columns`. */
function weightOf(node: NodeContext, rows: number, columns: number, transB: boolean, alpha: number): Parameter {
	const name = node.proto.input[1];
	if (transB) return node.importer.parameter(name, [rows, columns], times(alpha));
	return node.importer.parameter(name, [columns, rows], {
		label: `transposed ${alpha}`,
		apply: (data) => transposed(data, rows, columns, alpha),
		restore: (values) => transposed(values, columns, rows, 1 / alpha),
	});
}

/** `factor` times a matrix, its rows and columns exchanged. */
function transposed(data: ArrayLike<number>, rows: number, columns: number, factor: number): Float32Array {
	const out = new Float32Array(data.length);
	for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = factor * data[i * columns + j];
	return out;
}

function scaledBias(node: NodeContext, name: string, outputs: number, beta: number): Parameter {
	return node.importer.parameter(name, [outputs], times(beta));
}

function times(factor: number): Change | undefined {
	if (factor === 1) return undefined;
	const scaled = (by: number) => (data: ArrayLike<number>) => Float32Array.from(data, (value) => by * value);
	return { label: `times ${factor}`, apply: scaled(factor), restore: scaled(1 / factor) };
}
