// What shapes a network's norms are given: from a run where there is data, else from the layers around them.

import { noGrad } from "../../autograd/tape.ts";
import { isNorm } from "../../nn/is-norm.ts";
import { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d } from "../../nn/layers/conv.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import { Linear } from "../../nn/layers/linear.ts";
import { AvgPool2d, MaxPool2d } from "../../nn/layers/pool.ts";
import { Flatten } from "../../nn/layers/shape.ts";
import type { Module } from "../../nn/module.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { inMode } from "../../train/evaluate.ts";
import { declaredOrder, type PlacedLayer } from "../layer-order.ts";
import { dimensionsOf } from "./source.ts";

/** What is known of a norm's input. */
export interface NormInput {
	/** How many axes it has; null where that is not known. */
	readonly rank: number | null;
	/** Whether a channel of one example is a single value; null where that is not known. */
	readonly flat: boolean | null;
}

/** Runs the network once on `inputs`, in evaluation mode, and looks. */
export function observedInputs(net: Module, inputs: readonly Tensor[]): (norm: Module) => NormInput | undefined {
	const seen = new Map<Module, NormInput>();
	const removers = net.modules().flatMap((module) =>
		isNorm(module)
			? module.registerForwardPreHook((_, [x]) => {
					const [n, c] = x.shape;
					seen.set(module, { rank: x.ndim, flat: x.size === n * c });
				})
			: [],
	);
	try {
		inMode(net, false, () => scope(() => noGrad(() => void net.forward(...inputs))));
	} finally {
		for (const remove of removers) remove();
	}
	return (norm) => seen.get(norm);
}

/** Goes by the norms' classes and the layers before them in Sequentials. */
export function declaredInputs(net: Module): (norm: Module) => NormInput {
	const placed = new Map(declaredOrder(net).map((layer) => [layer.module, layer]));
	return (norm) => {
		const own = dimensionsOf(norm);
		if (own === 2 || own === 3) return { rank: own + 2, flat: false };
		const rank = rankBehind(placed.get(norm)?.input ?? null, !(norm instanceof LayerNorm));
		return { rank, flat: rank === null ? null : rank === 2 };
	};
}

/** Layers whose output has as many axes as their input, beside linear ones and norms. */
const keepsShape = new Set(["ReLU", "LeakyReLU", "Sigmoid", "Tanh", "GELU", "SiLU", "Identity", "Dropout"]);

/** `plain`: what a linear layer is given by nobody that is known has two axes. (Layer norm is also used on sequences.) */
function rankBehind(layer: PlacedLayer | null, plain: boolean): number | null {
	let linear = false;
	for (let before = layer; before; before = before.input) {
		const { module } = before;
		const rank = rankOfOutput(module);
		if (rank !== null) return rank;
		linear ||= module instanceof Linear;
		if (!(module instanceof Linear) && !keepsShape.has(module.constructor.name) && !isNorm(module)) return null;
	}
	return linear && plain ? 2 : null;
}

function rankOfOutput(module: Module): number | null {
	const isOneOf = (...classes: (abstract new (...args: never[]) => Module)[]) =>
		classes.some((one) => module instanceof one);
	if (isOneOf(Conv1d, ConvTranspose1d)) return 3;
	if (isOneOf(Conv2d, ConvTranspose2d, AvgPool2d, MaxPool2d)) return 4;
	return module instanceof Flatten && module.startAxis === 1 ? 2 : null;
}
