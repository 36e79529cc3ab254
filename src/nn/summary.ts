// What a network is made of: its layers in the order they run, with their outputs' shapes.

import { noGrad } from "../autograd/tape.ts";
import { scope } from "../tensor/scope.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Module } from "./module.ts";

export interface LayerRow {
	/** Place in the network, `"0"` or `"features.0"`. */
	name: string;
	/** `"Conv2d"` */
	type: string;
	outputShape: Shape;
	/** How many numbers it learns. */
	parameters: number;
}

/** How many numbers a network learns. */
export function countParameters(net: Module): number {
	return net.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
}

/**
 * Runs `net` once on `x`, in evaluation mode and off the tape, and lists the layers without children
 * in the order in which they ran. The network stays as it was, mode and statistics included.
 */
export function summary(net: Module, x: Tensor): LayerRow[] {
	const rows: LayerRow[] = [];
	runObserved(net, x, (name, module, output) => {
		const own = module.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
		rows.push({ name, type: module.constructor.name, outputShape: output.shape, parameters: own });
	});
	return rows;
}

/** Runs `net` on `x` in evaluation mode, off the tape, and shows `visit` each leaf layer's output. */
export function runObserved(
	net: Module,
	x: Tensor,
	visit: (name: string, module: Module, output: Tensor) => void,
	{ training = false } = {},
): void {
	const modes = net.modules().map((module): [Module, boolean] => [module, module.training]);
	const leaves = [...net.namedModules()].filter(([, module]) => module.namedChildren().next().done);
	const removers = leaves.map(([name, module]) =>
		module.registerForwardHook((_, __, output) => {
			visit(name, module, output);
			return undefined;
		}),
	);
	net.train(training);
	try {
		scope(() => noGrad(() => void net.forward(x)));
	} finally {
		for (const remove of removers) remove();
		for (const [module, mode] of modes) module.training = mode;
	}
}
