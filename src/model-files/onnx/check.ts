// What must hold of a model before anything trusts it: every value has one name and one maker, nodes form no circle,
// tensors hold as much as their dimensions say. Operators need not be known.

import { check } from "../../errors.ts";
import { quote } from "../show.ts";
import type { GraphProto, ModelProto, NodeProto } from "./generated/onnx-ml_pb.ts";
import { checkTensor } from "./tensor.ts";
import { nodeLabel, sortNodes } from "./topology.ts";
import { allTensors, subgraphs } from "./walk.ts";

/**
 * Checks a decoded model.
 *
 * @param what opens error messages: its path
 * @throws EvenkeelError naming the node, value or tensor
 */
export function checkModel(model: ModelProto, what: string): void {
	check(model.graph, () => `${what}: not an ONNX model: it has no graph`);
	const domains = model.opsetImport.map(({ domain }) => canonicalDomain(domain));
	unique(domains, (domain) => `${what}: it imports the operators of domain ${quote(domain)} twice`);
	for (const tensor of allTensors(model)) checkTensor(tensor, what);
	checkGraph(model.graph, what, { has: () => false });
}

/** The values that nodes of a graph can see: its own, and those of the graphs around it. */
interface Names {
	has(name: string): boolean;
}

/** ONNX's own operators are of domain "", also spelled "ai.onnx". */
export function canonicalDomain(domain: string): string {
	return domain === "ai.onnx" ? "" : domain;
}

function checkGraph(graph: GraphProto, what: string, outer: Names): void {
	const inputs = graph.input.map(({ name }) => name);
	const sparse = graph.sparseInitializer.map(({ values }) => values?.name ?? "");
	const initializers = [...graph.initializer.map(({ name }) => name), ...sparse];
	unique(inputs, (name) => `${what}: two graph inputs are named ${quote(name)}`);
	unique(initializers, (name) => `${what}: two initializers are named ${quote(name)}`);
	const known = new Set([...inputs, ...initializers]);
	for (const node of graph.node) checkOutputs(node, known, what);
	const visible = { has: (name: string) => known.has(name) || outer.has(name) };
	for (const node of graph.node) {
		for (const name of node.input) {
			check(
				name === "" || visible.has(name),
				() => `${what}: ${nodeLabel(node)} reads ${quote(name)}, which no node makes, and no input or initializer is`,
			);
		}
		for (const inner of subgraphs(node)) checkGraph(inner, what, visible);
	}
	for (const { name } of graph.output) {
		check(visible.has(name), () => `${what}: the graph's output ${quote(name)} is made by no node`);
	}
	sortNodes(graph.node, what);
}

/** Checks a node by itself, and adds what it makes to `known`. */
function checkOutputs(node: NodeProto, known: Set<string>, what: string): void {
	check(node.opType !== "", () => `${what}: ${nodeLabel(node)} has no operator`);
	unique(
		node.attribute.map(({ name }) => name),
		(name) => `${what}: ${nodeLabel(node)} has the attribute ${quote(name)} twice`,
	);
	for (const name of node.output) {
		if (name === "") continue;
		check(!known.has(name), () => `${what}: ${nodeLabel(node)} makes ${quote(name)}, which exists already`);
		known.add(name);
	}
}

function unique(names: readonly string[], message: (name: string) => string): void {
	const seen = new Set<string>();
	for (const name of names) {
		check(!seen.has(name), () => message(name));
		seen.add(name);
	}
}
