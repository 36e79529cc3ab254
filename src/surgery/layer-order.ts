// Which layer reads what: from a run where there is data, else from the Sequentials.

import { noGrad } from "../autograd/tape.ts";
import { Sequential } from "../nn/containers.ts";
import type { Module } from "../nn/module.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A layer without children, in the order of forward. */
export interface PlacedLayer {
	/** Its path in the network, `"features.1"`. */
	readonly name: string;
	readonly module: Module;
	/** The layer whose output it reads, where that is a layer and is known. */
	input: PlacedLayer | null;
}

const isLeaf = (module: Module) => module.namedChildren().next().done === true;

/** The layers in the order in which they were made; neighbors in a Sequential read one another. */
export function declaredOrder(net: Module): PlacedLayer[] {
	const placed = new Map<Module, PlacedLayer>();
	for (const [name, module] of net.namedModules()) {
		if (isLeaf(module)) placed.set(module, { name, module, input: null });
	}
	for (const module of net.modules()) {
		if (!(module instanceof Sequential)) continue;
		const items = [...module];
		for (let i = 1; i < items.length; i++) {
			const reader = placed.get(endOf(items[i], "first"));
			const read = placed.get(endOf(items[i - 1], "last"));
			if (reader && read) reader.input = read;
		}
	}
	return [...placed.values()];
}

/** The first or last layer of nested Sequentials; the module itself where it is none. */
function endOf(module: Module, end: "first" | "last"): Module {
	let own = module;
	while (own instanceof Sequential && own.length > 0) own = own.at(end === "first" ? 0 : -1) as Module;
	return own;
}

/**
 * Runs `net` on each batch in evaluation mode and off the tape, shows `visit` what each layer reads and
 * writes, and returns the layers in the order in which they ran. The network stays as it was, modes included.
 */
export function observedOrder(
	net: Module,
	batches: Iterable<Tensor>,
	visit: (layer: PlacedLayer, input: Tensor, output: Tensor) => void,
): PlacedLayer[] {
	const modes = net.modules().map((module): [Module, boolean] => [module, module.training]);
	const placed = new Map<Module, PlacedLayer>();
	let writers = new Map<Tensor, PlacedLayer>();
	const removers = [...net.namedModules()]
		.filter(([, module]) => isLeaf(module))
		.map(([name, module]) =>
			module.registerForwardHook((_, [input], output) => {
				const layer = placed.get(module) ?? { name, module, input: writers.get(input) ?? null };
				placed.set(module, layer);
				writers.set(output, layer);
				visit(layer, input, output);
				return undefined;
			}),
		);
	net.eval();
	try {
		for (const batch of batches) {
			writers = new Map();
			scope(() => noGrad(() => void net.forward(batch)));
		}
	} finally {
		for (const remove of removers) remove();
		for (const [module, mode] of modes) module.training = mode;
	}
	return [...placed.values()];
}
