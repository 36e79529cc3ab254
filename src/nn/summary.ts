// What a network is made of: its layers in the order they run, with their outputs' shapes.

import { noGrad } from "../autograd/tape.ts";
import { scope } from "../tensor/scope.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { flopsOf } from "./flops.ts";
import type { Module } from "./module.ts";
import { inMode, recordOps } from "./record.ts";

export interface LayerRow {
	/** Place in the network, `"0"` or `"features.0"`. */
	name: string;
	/** `"Conv2d"` */
	type: string;
	outputShape: Shape;
	/** How many numbers it learns. */
	parameters: number;
	/**
	 * Floating-point operations of its forward in evaluation, a multiply-add being two. What a container does between
	 * its layers (a residual's addition) is in {@link countFlops} only.
	 */
	flops: number;
}

/** How many numbers a network learns. */
export function countParameters(net: Module): number {
	return net.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
}

/** Floating-point operations of the network's forward on `x` in evaluation, a multiply-add being two. */
export function countFlops(net: Module, x: Tensor): number {
	let flops = 0;
	recordOps(
		net,
		() => void net.forward(x),
		(op) => {
			flops += flopsOf(op);
		},
	);
	return flops;
}

/**
 * Runs `net` once on `x`, in evaluation mode and off the tape, and lists the layers without children
 * in the order in which they ran. The network stays as it was, mode and statistics included.
 */
export function summary(net: Module, x: Tensor): LayerRow[] {
	const rows: LayerRow[] = [];
	const flops = new Map<Module, number>();
	const list = (name: string, module: Module, output: Tensor) => {
		const own = module.parameters().reduce((sum, parameter) => sum + parameter.size, 0);
		const type = module.constructor.name;
		rows.push({ name, type, outputShape: output.shape, parameters: own, flops: flops.get(module) ?? 0 });
		// A layer that runs again has a row for each time.
		flops.delete(module);
	};
	recordOps(
		net,
		() => runObserved(net, x, list),
		(op) => void flops.set(op.module, (flops.get(op.module) ?? 0) + flopsOf(op)),
	);
	return rows;
}

/** Runs `net` on `x` in evaluation mode, off the tape, and shows `visit` each leaf layer's output. */
export function runObserved(
	net: Module,
	x: Tensor,
	visit: (name: string, module: Module, output: Tensor) => void,
	{ training = false } = {},
): void {
	const leaves = [...net.namedModules()].filter(([, module]) => module.namedChildren().next().done);
	const removers = leaves.map(([name, module]) =>
		module.registerForwardHook((_, __, output) => {
			visit(name, module, output);
			return undefined;
		}),
	);
	try {
		inMode(net, training, () => scope(() => noGrad(() => void net.forward(x))));
	} finally {
		for (const remove of removers) remove();
	}
}
