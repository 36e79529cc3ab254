// Tools that make models smaller write equal initializers once: the running means of all batch normalizations that were
// never trained, say. Statistics that are to change need a place of their own.

import { isOperator, type NodeProto, OnnxGraph, type OnnxModel } from "../model-files/onnx/index.ts";

/** Inputs of BatchNormalization that are statistics. */
const statistics = [3, 4];

/**
 * Gives each BatchNormalization its own running mean and variance, where it shares an initializer with another one that
 * is not the same layer (other weights, or other options), or with anything else. What the model computes is the same. To
 * be called before `importOnnx`, if the network is to be recalibrated or trained and written back with `updateOnnx`.
 *
 * @returns how many initializers were added
 */
export function unshareStatistics(model: OnnxModel): number {
	const graph = new OnnxGraph(model);
	const layers = new Map<string, NodeProto[]>();
	for (const node of graph.proto.node) {
		if (!isOperator(node, "BatchNormalization")) continue;
		const key = layerKey(node);
		layers.set(key, [...(layers.get(key) ?? []), node]);
	}
	let added = 0;
	for (const nodes of layers.values()) {
		for (const input of statistics) {
			const value = nodes[0].input[input] ?? "";
			const stored = graph.initializer(value);
			const alone = graph.consumers(value).every((use) => nodes.includes(use.node) && use.input === input);
			if (!stored || (alone && !graph.isOutput(value))) continue;
			const own = graph.addInitializer(value, model.read(stored));
			for (const node of nodes) graph.setInput(node, input, own.name);
			added++;
		}
	}
	return added;
}

/** What two nodes must have in common to be one layer that runs twice. */
function layerKey({ input, attribute }: NodeProto): string {
	const options = attribute.map(({ name, f, i }) => `${name} ${f} ${i}`).sort();
	return JSON.stringify([input.slice(1), options]);
}
