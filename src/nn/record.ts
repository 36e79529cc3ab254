// What a network does: its ops in the order in which they run, each with the module that ran it.

import { noGrad } from "../autograd/tape.ts";
import { type AppliedOp, watchOps } from "../ops/op.ts";
import { scope } from "../tensor/scope.ts";
import type { Module } from "./module.ts";

/** An op, and where in the network it ran. */
export interface RecordedOp extends AppliedOp {
	/** The innermost module whose forward was running. */
	readonly module: Module;
	/** Its path in the network, `"features.0"`; `""` for the network itself. */
	readonly path: string;
}

/**
 * Runs `run`, which calls the network's forward, off the tape, and shows `visit` each op of it. Norms and activations
 * run by themselves, not as one operation. The network's mode is put back; its running statistics and generators are
 * not.
 *
 * @param options.training whether the network runs in training mode. Default false.
 * @returns what `run` returns: not a tensor, since those that the run made are freed
 */
export function recordOps<T>(net: Module, run: () => T, visit: (op: RecordedOp) => void, { training = false } = {}): T {
	const running: { module: Module; path: string }[] = [{ module: net, path: "" }];
	const removers = [...net.namedModules()].flatMap(([path, module]) => [
		module.registerForwardPreHook(() => void running.push({ module, path })),
		module.registerForwardHook(() => {
			running.pop();
			return undefined;
		}),
	]);
	try {
		return inMode(net, training, () =>
			scope(() => noGrad(() => watchOps((op) => visit({ ...op, ...running[running.length - 1] }), run))),
		);
	} finally {
		for (const remove of removers) remove();
	}
}

/** Runs `fn` with the whole network in training or evaluation mode, and puts back each module's own. */
export function inMode<T>(net: Module, training: boolean, fn: () => T): T {
	const modes = net.modules().map((module): [Module, boolean] => [module, module.training]);
	net.train(training);
	try {
		return fn();
	} finally {
		for (const [module, mode] of modes) module.training = mode;
	}
}
