// Everything in a model that can hold a graph or a tensor, however deep.

import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from "./generated/onnx-ml_pb.ts";

/** The graphs that a node's attributes hold: the branches of an If, the body of a Loop. */
export function subgraphs(node: NodeProto): GraphProto[] {
	return node.attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs));
}

/** Every tensor of a model: initializers and attributes, of all graphs, functions and training steps. */
export function* allTensors(model: ModelProto): Generator<TensorProto> {
	const { graph, functions, trainingInfo } = model;
	const graphs = [graph, ...trainingInfo.flatMap(({ initialization, algorithm }) => [initialization, algorithm])];
	for (const one of graphs) if (one) yield* tensorsOfGraph(one);
	for (const { node, attributeProto } of functions) {
		yield* tensorsOfAttributes(attributeProto);
		for (const one of node) yield* tensorsOfAttributes(one.attribute);
	}
}

function* tensorsOfGraph(graph: GraphProto): Generator<TensorProto> {
	yield* graph.initializer;
	for (const { values, indices } of graph.sparseInitializer) {
		if (values) yield values;
		if (indices) yield indices;
	}
	for (const { attribute } of graph.node) yield* tensorsOfAttributes(attribute);
}

function* tensorsOfAttributes(attributes: readonly AttributeProto[]): Generator<TensorProto> {
	for (const { t, tensors, g, graphs, sparseTensor, sparseTensors } of attributes) {
		if (t) yield t;
		yield* tensors;
		for (const graph of g ? [g, ...graphs] : graphs) yield* tensorsOfGraph(graph);
		for (const { values, indices } of sparseTensor ? [sparseTensor, ...sparseTensors] : sparseTensors) {
			if (values) yield values;
			if (indices) yield indices;
		}
	}
}
