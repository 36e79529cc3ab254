// The norms of an ONNX model that cannot be run: its nodes of that kind, with what they hold.

import { nameOfCode } from "../../model-files/onnx/data-types.ts";
import { floatAttribute, isOperator, type NodeProto, OnnxGraph, type OnnxModel } from "../../model-files/onnx/index.ts";
import { BatchNorm2d } from "../../nn/layers/batch-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import type { Module } from "../../nn/module.ts";
import { Names, pathOfNode } from "../../onnx/names.ts";
import type { InspectedTensor } from "../../surgery/index.ts";
import { Norms } from "./norms-from-state.ts";

/** Where a node has its numbers: names of a state dict, by input. */
const affine = { weight: 1, bias: 2 };
const inputs: Readonly<Record<string, Readonly<Record<string, number>>>> = {
	BatchNormalization: { ...affine, running_mean: 3, running_var: 4 },
	InstanceNormalization: affine,
	LayerNormalization: affine,
	GroupNormalization: affine,
};

/** The norms among a model's nodes, whatever the others are. Norms other than batch norm are shown as LayerNorm. */
export function normsFromGraph(model: OnnxModel): Module {
	const graph = new OnnxGraph(model);
	const names = new Names();
	const found = graph.nodes().flatMap((node): [string, Module][] => {
		const made = Object.hasOwn(inputs, node.opType) && isOperator(node, node.opType) ? makeNorm(node, graph) : null;
		return made ? [[names.claim(pathOfNode(node)), made]] : [];
	});
	return new Norms(found);
}

/** Null where its scale is not in the file. */
function makeNorm(node: NodeProto, graph: OnnxGraph): Module | null {
	const held = Object.entries(inputs[node.opType]).flatMap(([name, index]): [string, Float32Array][] => {
		const found = graph.constant(node.input[index] ?? "");
		return found ? [[name, Float32Array.from(found.data as Float32Array, Number)]] : [];
	});
	const state = Object.fromEntries(held.map(([name, data]) => [name, { shape: [data.length], numbers: () => data }]));
	if (!state.weight) return null;
	const eps = floatAttribute(node, "epsilon", 1e-5);
	const [size] = state.weight.shape;
	const isBatch = node.opType === "BatchNormalization";
	const norm = isBatch ? new BatchNorm2d(size, { eps }) : new LayerNorm(size, { eps });
	norm.loadStateDict(state, { strict: false });
	return norm;
}

/** What a model holds. */
export function tensorsOf(model: OnnxModel): InspectedTensor[] {
	return model.graph.initializer.map(({ name, dataType, dims }) => ({
		name,
		dtype: nameOfCode(dataType),
		shape: dims.map(Number),
	}));
}
