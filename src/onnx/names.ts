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

/**
 * The path of the module that a node is of, as PyTorch's exporter notes it: `layer1.0.bn1`, of
 * `['', 'layer1', 'layer1.0', 'layer1.0.bn1', 'batch_norm']`. Undefined where nothing is noted.
 */
export function modulePath(node: NodeProto): string | undefined {
	const noted = node.metadataProps.find(({ key }) => key === "pkg.torch.onnx.name_scopes")?.value ?? "";
	const scopes = [...noted.matchAll(/'([^']*)'/g)].map(([, scope]) => scope);
	// A module's second call is noted as bn1@1.
	const path = scopes.at(-2)?.replace(/@\d+/g, "");
	return path === "" ? undefined : path;
}

/** What tells apart norms that read the same tensors, and are not one layer that runs twice. */
export function layerOf(node: NodeProto): string {
	const path = modulePath(node);
	if (path !== undefined) return path;
	const [, scale, shift, mean, variance] = node.input;
	// A scale and a variance that are one tensor, or a shift and a mean, were written once because they were equal.
	const merged = variance !== undefined && (scale === variance || shift === mean);
	return merged ? (node.output[0] ?? "") : "";
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
