// Where the layers of an imported network stand. PyTorch's exporters keep the names of parameters, so that
// `layer1.0.conv1.weight` says where its layer is; else the node's name does, which they make of the same path.

import type { NodeProto } from "../model-files/onnx/index.ts";

/** `layer1.0.conv1` of `layer1.0.conv1.weight`; null if the name has no such end. */
export function pathOfEntry(name: string, entry: string): string | null {
	return name.endsWith(`.${entry}`) && /^[\w.]+$/.test(name) ? name.slice(0, -entry.length - 1) : null;
}

/**
 * The path that a node's name stands for: `/layer1/layer1.0/conv1/Conv` is `layer1.0.conv1`. A node without a name is
 * named by its operator.
 */
export function pathOfNode(node: NodeProto): string {
	const parts = node.name.split("/").filter((part) => part !== "");
	// The last is the operator's name, or that with a number, where the node was made within a module.
	const within = parts.length > 1 && new RegExp(`^${node.opType}(_\\d+)?$`).test(parts[parts.length - 1]);
	const path: string[] = [];
	for (const part of within ? parts.slice(0, -1) : parts) {
		// A Sequential's item repeats the names of what it is in: features, then features.0.
		if (path.length > 0 && part.startsWith(`${path[path.length - 1]}.`)) path.pop();
		path.push(part);
	}
	return path.join(".").replace(/[^\w.]/g, "_") || node.opType;
}

/** Names that are given once each. */
export class Names {
	readonly #taken = new Set<string>();

	/** `wanted`, or that with a number behind it. */
	claim(wanted: string): string {
		let name = wanted;
		for (let number = 1; this.#taken.has(name); number++) name = `${wanted}_${number}`;
		this.#taken.add(name);
		return name;
	}
}
