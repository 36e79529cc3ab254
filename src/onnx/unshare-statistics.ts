// Tools that make models smaller write equal initializers once: the running means of all batch normalizations that were
// never trained, say. What is to change needs a place of its own.

import { isOperator, type NodeProto, OnnxGraph, type OnnxModel, type OnnxTensor } from "../model-files/onnx/index.ts";
import { layerOf, modulePath } from "./names.ts";

type Entries = readonly (readonly [input: number, name: string])[];

const affine: Entries = [
	[2, "bias"],
	[1, "weight"],
];
/** What norms hold, by input. The last come first: what stays where it is, is the scale. */
const entries: Readonly<Record<string, Entries>> = {
	BatchNormalization: [[4, "running_var"], [3, "running_mean"], ...affine],
	...{ InstanceNormalization: affine, LayerNormalization: affine, GroupNormalization: affine },
};

/**
 * Gives each norm a scale, a shift and running statistics of its own, where it shares one with a layer that is not the
 * same, or with anything else. What the model computes is the same. To be called before `importOnnx`, if
 * the network is to be recalibrated or trained and written back with `updateOnnx`.
 *
 * Two nodes are one layer that runs twice if they read the same tensors and have the same options. Two things tell them
 * apart all the same: PyTorch's exporter says that they are of different modules (`pkg.torch.onnx.name_scopes`); or,
 * where it says nothing, the scale is also the variance or the shift the mean, for then equal tensors were written once.
 *
 * @returns how many initializers were added
 */
export function unshareStatistics(model: OnnxModel): number {
	const graph = new OnnxGraph(model);
	const layers = new Map<string, NodeProto[]>();
	for (const node of graph.proto.node) {
		if (!isOperator(node, node.opType) || !Object.hasOwn(entries, node.opType)) continue;
		const key = layerKey(node);
		layers.set(key, [...(layers.get(key) ?? []), node]);
	}
	let added = 0;
	// From the last one on, so that the first, whose names the tensors have, keeps them.
	for (const nodes of [...layers.values()].reverse()) {
		for (const [input, name] of entries[nodes[0].opType]) {
			const value = nodes[0].input[input] ?? "";
			const stored = storedAt(graph, value, input);
			const alone = graph.consumers(value).every((use) => nodes.includes(use.node) && use.input === input);
			if (!stored || (alone && !graph.isOutput(value))) continue;
			const path = modulePath(nodes[0]);
			const own = graph.addInitializer(path === undefined ? value : `${path}.${name}`, stored);
			for (const node of nodes) graph.setInput(node, input, own.name);
			added++;
		}
	}
	return added;
}

/** The numbers that may change: an initializer's; and a Constant's, if they are statistics, for it is not learned. */
function storedAt(graph: OnnxGraph, value: string, input: number): OnnxTensor | undefined {
	const tensor = graph.initializer(value) ?? graph.constantTensor(value);
	if (input >= 3) return tensor ? graph.model.read(tensor) : graph.constant(value);
	return tensor && graph.initializer(tensor.name) === tensor ? graph.model.read(tensor) : undefined;
}

/** What two nodes must have in common to be one layer that runs twice. */
function layerKey(node: NodeProto): string {
	const options = node.attribute.map(({ name, f, i }) => `${name} ${f} ${i}`).sort();
	return JSON.stringify([node.opType, layerOf(node), node.input.slice(1), options]);
}
