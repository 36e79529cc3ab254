// The norms of an ONNX model that cannot be run: its nodes of that kind, with what they hold.

import { nameOfCode } from "../../model-files/onnx/data-types.ts";
import {
	type GraphProto,
	isOperator,
	type NodeProto,
	nodeLabel,
	OnnxGraph,
	type OnnxModel,
	type OnnxTensor,
	tensorAttribute,
} from "../../model-files/onnx/index.ts";
import { subgraphs } from "../../model-files/onnx/walk.ts";
import { BatchNorm2d } from "../../nn/layers/batch-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import type { Module } from "../../nn/module.ts";
import { Names, pathOfNode } from "../../onnx/names.ts";
import type { Finding, InspectedTensor } from "../../surgery/index.ts";
import { Norms } from "./norms-from-state.ts";

/** Where a node has its numbers: names of a state dict, by input. */
const affine = { weight: 1, bias: 2 };
const inputs: Readonly<Record<string, Readonly<Record<string, number>>>> = {
	BatchNormalization: { ...affine, running_mean: 3, running_var: 4 },
	InstanceNormalization: affine,
	LayerNormalization: affine,
	GroupNormalization: affine,
};

/** What a value is in every run; undefined where that depends on the run. */
type Constants = (name: string) => OnnxTensor | undefined;
type Place = readonly [node: NodeProto, constants: Constants];

/** Norms, and what of them could not be seen. */
export interface FoundNorms {
	readonly net: Module;
	readonly notes: readonly string[];
	readonly findings: readonly Finding[];
}

/**
 * The norms among a model's nodes, whatever the others are, in branches, loops and functions too. Norms other than batch
 * norm are shown as LayerNorm.
 */
export function normsFromGraph(model: OnnxModel): FoundNorms {
	const names = new Names();
	const notes: string[] = [];
	const findings: Finding[] = [];
	const found = places(model).flatMap(([node, constants]): [string, Module][] => {
		const held = heldBy(node, constants);
		notes.push(...missingNote(node, held));
		const made = makeNorm(node, held);
		if (!made) return [];
		const layer = names.claim(pathOfNode(node));
		if (trains(node, model.opset())) findings.push(trainingFinding(layer));
		return [[layer, made]];
	});
	return { net: new Norms(found), notes, findings };
}

/** Notes about norms of the main graph with numbers that are not in the file. */
export function missingNotes(model: OnnxModel): string[] {
	return mainPlaces(model).flatMap(([node, constants]) => missingNote(node, heldBy(node, constants)));
}

const isNormNode = (node: NodeProto) => Object.hasOwn(inputs, node.opType) && isOperator(node, node.opType);

function mainPlaces(model: OnnxModel): Place[] {
	const graph = new OnnxGraph(model);
	const constants: Constants = (name) => {
		const stored = graph.initializer(name);
		return graph.constant(name) ?? (stored && model.read(stored));
	};
	return [...within(model, graph.nodes(), constants)];
}

/** All norms of a model, wherever they are. */
function places(model: OnnxModel): Place[] {
	const inFunctions = model.proto.functions.flatMap(({ node }) => [
		...within(
			model,
			node,
			constantsOf(model, { initializer: [], node }, () => undefined),
		),
	]);
	return [...mainPlaces(model), ...inFunctions];
}

function* within(model: OnnxModel, nodes: readonly NodeProto[], constants: Constants): Generator<Place> {
	for (const node of nodes) {
		if (isNormNode(node)) yield [node, constants];
		for (const inner of subgraphs(node)) yield* within(model, inner.node, constantsOf(model, inner, constants));
	}
}

/** The constants of a graph in a node: its own, and those around it. */
function constantsOf(
	model: OnnxModel,
	{ initializer, node }: Pick<GraphProto, "initializer" | "node">,
	outer: Constants,
): Constants {
	return (name) => {
		const maker = node.find(({ output }) => output.includes(name));
		const own = maker ? constantValue(maker) : initializer.find((tensor) => tensor.name === name);
		return own ? model.read(own) : maker ? undefined : outer(name);
	};
}

const constantValue = (node: NodeProto) => (isOperator(node, "Constant") ? tensorAttribute(node, "value") : undefined);

type Held = Readonly<Record<string, Float32Array>>;

function heldBy(node: NodeProto, constants: Constants): Held {
	return Object.fromEntries(
		Object.entries(inputs[node.opType]).flatMap(([name, index]) => {
			const found = constants(node.input[index] ?? "");
			return found ? [[name, Float32Array.from(found.data as Float32Array, Number)]] : [];
		}),
	);
}

const words: Readonly<Record<string, string>> = {
	...{ weight: "scale", bias: "shift", running_mean: "running mean", running_var: "running variance" },
};

function missingNote(node: NodeProto, held: Held): string[] {
	const missing = Object.entries(inputs[node.opType]).filter(
		([name, index]) => !held[name] && (node.input[index] ?? "") !== "",
	);
	if (missing.length === 0) return [];
	const parts = missing.map(([name]) => words[name]).join(", ");
	return [`${nodeLabel(node)} is given its ${parts} as it runs, so the file does not hold them`];
}

/** Null where too little of it is in the file. */
function makeNorm(node: NodeProto, held: Held): Module | null {
	const isBatch = node.opType === "BatchNormalization";
	const size = (held.weight ?? (isBatch ? held.running_var : undefined))?.length;
	if (size === undefined) return null;
	const eps = node.attribute.find(({ name, refAttrName }) => name === "epsilon" && !refAttrName)?.f ?? 1e-5;
	const norm = isBatch
		? new BatchNorm2d(size, {
				...{ eps, affine: held.weight !== undefined, bias: held.bias !== undefined },
				trackRunningStats: held.running_mean !== undefined && held.running_var !== undefined,
			})
		: new LayerNorm(size, { eps });
	const names = new Set(Object.keys(norm.stateDict()));
	const state = Object.entries(held)
		.filter(([name]) => names.has(name))
		.map(([name, data]) => [name, { shape: [data.length], numbers: () => data }]);
	norm.loadStateDict(Object.fromEntries(state), { strict: false });
	return norm;
}

/** Whether a node says that it is training: as importOnnx has it. */
function trains(node: NodeProto, opset: number): boolean {
	if (node.opType !== "BatchNormalization") return false;
	const flag = (name: string) => node.attribute.some((one) => one.name === name && !one.refAttrName && one.i !== 0n);
	if (opset >= 14) return flag("training_mode");
	return opset < 7 ? !flag("is_test") : node.output.slice(1).some((name) => name !== "");
}

/** What a norm that trains in a file is. */
export function trainingFinding(layer: string): Finding {
	return {
		layer,
		kind: "training-in-file",
		evidence:
			"its node says that it is training: it normalizes by the statistics of each batch, so what one example gives " +
			"depends on the others, and never by the running ones",
		remedy: "export the network again in evaluation mode (net.eval()), or set training_mode to 0",
		severity: "error",
	};
}

/** What a model holds. */
export function tensorsOf(model: OnnxModel): InspectedTensor[] {
	return model.graph.initializer.map(({ name, dataType, dims }) => ({
		name,
		dtype: nameOfCode(dataType),
		shape: dims.map(Number),
	}));
}
