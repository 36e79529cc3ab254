// Where a loss that is not finite came from: the input, the weights, the first layer whose output is not
// finite, or the loss itself.

import type { Module } from "../nn/module.ts";
import { runObserved } from "../nn/summary.ts";
import { defaultGenerator, Generator } from "../random/generator.ts";
import { isFloat, type TypedArray } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One sentence on why the loss of the batch `x` is not finite, with a way out. The network stays as it is. */
export function whyNotFinite(net: Module, x: Tensor, target: Tensor): string {
	const input = firstNotFinite(x);
	if (input !== null) {
		return `the input is at fault: example ${rowOf(x, input.at)} of the batch holds ${input.value}; remove or repair it`;
	}
	for (const [name, parameter] of net.namedParameters()) {
		const bad = firstNotFinite(parameter);
		if (bad !== null) {
			return (
				`the parameter ${name} holds ${bad.value}: an earlier update overflowed, or it was loaded like that; ` +
				"lower the learning rate, or load other weights"
			);
		}
	}
	const layer = firstLayerNotFinite(net, x);
	if (layer !== null) return `${layer}; lower the learning rate, or clip the gradients (clipGradNorm)`;
	const label = firstNotFinite(target);
	if (label !== null) return `the target of example ${rowOf(target, label.at)} is ${label.value}; remove or repair it`;
	return "every layer's output is finite, so it is the loss itself that overflows; check the targets, and the loss if it is your own";
}

/** The first layer, in the order they run, whose output is not finite. */
function firstLayerNotFinite(net: Module, x: Tensor): string | null {
	let found: string | null = null;
	withoutTraces(net, () => {
		runObserved(
			net,
			x,
			(_, module, output) => {
				const bad = found === null ? firstNotFinite(output) : null;
				if (bad)
					found = `the first output that is not finite is that of ${module.label}: ${bad.value} at element ${bad.at}`;
			},
			{ training: true },
		);
	});
	return found;
}

/**
 * Runs `fn`, which may run the network in training mode, and puts back what that changes: buffers (running
 * statistics) and random generators.
 */
export function withoutTraces<T>(net: Module, fn: () => T): T {
	const buffers = [...net.namedBuffers()].map(([, tensor]): [Tensor, TypedArray] => [tensor, tensor.dataSync()]);
	const generators = generatorsOf(net).map(([, generator]) => ({ generator, state: generator.state() }));
	try {
		return fn();
	} finally {
		for (const [tensor, values] of buffers) {
			tensor.view().set(values);
			tensor.storage.version++;
		}
		for (const { generator, state } of generators) generator.setState(state);
	}
}

/** The generators that running the network draws from, by name: the default one, and those its modules hold. */
export function generatorsOf(net: Module): [string, Generator][] {
	const found: [string, Generator][] = [["default", defaultGenerator()]];
	for (const [path, module] of net.namedModules()) {
		for (const [property, value] of Object.entries(module)) {
			if (value instanceof Generator) found.push([`${path}.${property}`, value]);
		}
	}
	return found;
}

/** The first element that is NaN or infinite. */
export function firstNotFinite(tensor: Tensor): { at: number; value: number } | null {
	if (!isFloat(tensor.dtype)) return null;
	const values = tensor.view();
	for (let at = 0; at < tensor.size; at++) if (!Number.isFinite(values[at])) return { at, value: values[at] };
	return null;
}

function rowOf(tensor: Tensor, element: number): number {
	return tensor.shape.length === 0 ? 0 : Math.floor(element / (tensor.size / tensor.shape[0]));
}
