// The order of nodes: each behind those whose values it reads.

import { EvenkeelError } from "../../errors.ts";
import { quote } from "../show.ts";
import type { GraphProto, NodeProto } from "./generated/onnx-ml_pb.ts";
import { subgraphs } from "./walk.ts";

/** How errors name a node: `Conv "/layer1/conv1"`, or by its first output where it has no name. */
export function nodeLabel(node: NodeProto): string {
	const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
	const name = node.name || node.output.find((output) => output !== "") || "";
	return `${quote(operator).slice(1, -1)} ${quote(name)}`;
}

/** Values that a node reads: its inputs, and what its subgraphs take from around them. Each once. */
export function readsOf(node: NodeProto): Set<string> {
	const reads = new Set(node.input.filter((name) => name !== ""));
	for (const graph of subgraphs(node)) for (const name of capturedBy(graph)) reads.add(name);
	return reads;
}

/** What a subgraph reads and does not make. */
export function capturedBy(graph: GraphProto): Set<string> {
	const own = new Set([
		...graph.input.map(({ name }) => name),
		...graph.initializer.map(({ name }) => name),
		...graph.sparseInitializer.map(({ values }) => values?.name ?? ""),
		...graph.node.flatMap(({ output }) => output),
	]);
	const reads = [...graph.node.flatMap((node) => [...readsOf(node)]), ...graph.output.map(({ name }) => name)];
	return new Set(reads.filter((name) => !own.has(name)));
}

/**
 * `nodes` in an order in which each comes behind those it depends on: their own order, if it is one already.
 *
 * @throws EvenkeelError naming nodes that depend on themselves
 */
export function sortNodes(nodes: readonly NodeProto[], what: string): NodeProto[] {
	const maker = new Map<string, number>();
	for (const [i, { output }] of nodes.entries()) for (const name of output) if (name !== "") maker.set(name, i);
	/** For each node the nodes that read it, and how many that it reads are still to come. */
	const readers = nodes.map((): number[] => []);
	const waiting = nodes.map(() => 0);
	let sorted = true;
	for (const [i, node] of nodes.entries()) {
		for (const name of readsOf(node)) {
			const from = maker.get(name);
			if (from === undefined) continue;
			readers[from].push(i);
			waiting[i]++;
			sorted &&= from < i;
		}
	}
	if (sorted) return [...nodes];
	const order = nodes.flatMap((_, i) => (waiting[i] === 0 ? [i] : []));
	for (const done of order) {
		for (const reader of readers[done]) if (--waiting[reader] === 0) order.push(reader);
	}
	const stuck = nodes.find((_, i) => waiting[i] > 0);
	if (stuck) {
		throw new EvenkeelError(
			`${what}: nodes depend on each other in a circle: ${nodeLabel(stuck)} waits for its own output`,
		);
	}
	return order.map((i) => nodes[i]);
}
