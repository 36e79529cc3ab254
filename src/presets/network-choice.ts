// What a preset's network can be asked to be beside its normalization: where the norm stands, which activation, dropout,
// depth and width, the scale of the first weights.

import { noGrad } from "../autograd/tape.ts";
import { check } from "../errors.ts";
import { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh } from "../nn/layers/activation.ts";
import { Dropout } from "../nn/layers/dropout.ts";
import type { Module } from "../nn/module.ts";
import type { NormChoice } from "./norms.ts";

const activations = {
	relu: () => new ReLU(),
	sigmoid: () => new Sigmoid(),
	tanh: () => new Tanh(),
	gelu: () => new GELU(),
	silu: () => new SiLU(),
	"leaky-relu": () => new LeakyReLU(),
} as const satisfies Record<string, () => Module>;

/** The name of an activation: `"relu"`, `"sigmoid"`, … */
export type ActivationName = keyof typeof activations;

/** The names that a network's `activation` may have. */
export const activationNames = Object.keys(activations) as readonly ActivationName[];

/** Where a norm stands: before the activation (Ioffe and Szegedy 2015) or after it. */
export type NormPlace = "before" | "after";

/** What a network is asked to be. What is left out is as the preset has it. */
export interface NetworkChoice extends NormChoice {
	/** Whether the norms stand before or after the activations. */
	readonly place?: NormPlace;
	/** The activation between the layers. */
	readonly activation?: ActivationName;
	/** The probability with which a unit of a hidden linear layer is dropped, in [0, 1). Default 0: no dropout. */
	readonly dropout?: number;
	/** How many hidden layers a fully connected network has. */
	readonly depth?: number;
	/** How many units each of them has. */
	readonly width?: number;
	/** A factor on every weight of two and more axes as the preset initializes it. Default 1. */
	readonly initialScale?: number;
}

/** The choices that a preset's `build` may honor, beyond `norm` and `groups`, which all do. */
export type Variation = "place" | "activation" | "dropout" | "depth" | "width" | "momentum" | "decay";

const variations: readonly Variation[] = ["place", "activation", "dropout", "depth", "width", "momentum", "decay"];

/**
 * Throws if `choice` asks for something that the preset `name` does not let one choose.
 *
 * @param varies the choices that it does
 */
export function checkVariations(name: string, varies: readonly Variation[], choice: NetworkChoice): void {
	for (const variation of variations) {
		const value = choice[variation];
		check(
			value === undefined || varies.includes(variation),
			() =>
				`preset ${name}: ${variation} ${value} cannot be chosen; ` +
				`its network can be varied in ${["norm", "groups", "initialScale", ...varies].join(", ")}`,
		);
	}
	const { initialScale, dropout, depth, width } = choice;
	check(
		initialScale === undefined || (initialScale > 0 && initialScale < Infinity),
		() => `preset ${name}: initialScale must be a number above 0, got ${initialScale}`,
	);
	check(
		dropout === undefined || (dropout >= 0 && dropout < 1),
		() => `preset ${name}: dropout must be at least 0 and below 1, got ${dropout}`,
	);
	for (const [key, count] of Object.entries({ depth, width })) {
		check(
			count === undefined || (Number.isInteger(count) && count >= 1),
			() => `preset ${name}: ${key} must be a whole number of at least 1, got ${count}`,
		);
	}
}

/** What a preset's hidden layer is unless another is chosen. */
interface HiddenDefaults {
	readonly activation: ActivationName;
	readonly place?: NormPlace;
	/** Whether `dropout` applies to this layer. */
	readonly drops?: boolean;
}

/** What follows a hidden layer's weights: its norm and activation in the order chosen, and dropout. */
export function afterWeights(norm: readonly Module[], choice: NetworkChoice, defaults: HiddenDefaults): Module[] {
	const { place = defaults.place ?? "before", activation = defaults.activation, dropout = 0 } = choice;
	check(
		place === "before" || place === "after",
		() => `place must be "before" or "after" the activation, got ${JSON.stringify(place)}`,
	);
	check(
		Object.hasOwn(activations, activation),
		() => `activation: unknown activation "${activation}"; there are ${activationNames.join(", ")}`,
	);
	const active = activations[activation]();
	const ordered = place === "before" ? [...norm, active] : [active, ...norm];
	return defaults.drops && dropout > 0 ? [...ordered, new Dropout(dropout)] : ordered;
}

/** Multiplies every weight of two and more axes by `factor`: biases, scales and shifts stay. */
export function scaleWeights(net: Module, factor: number): void {
	if (factor === 1) return;
	noGrad(() => {
		for (const parameter of net.parameters()) {
			if (parameter.ndim < 2) continue;
			const values = parameter.view();
			for (let i = 0; i < parameter.size; i++) values[i] *= factor;
			parameter.storage.version++;
		}
	});
}
