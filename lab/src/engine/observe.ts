// Keeping what a step makes, layer by layer, for the topics that look at it.

import { keep, type Tensor } from "evenkeel";
import type { LayerInfo } from "./protocol.ts";
import type { ObservedLayer, Twin } from "./topic.ts";

type Kept = { -readonly [key in keyof ObservedLayer]: ObservedLayer[key] };

/** Hooks on a twin's layers for one step. Norms and activations then run by themselves: the same bits, a little later. */
export class Observation {
	readonly #layers: Kept[] = [];
	readonly #removers: (() => void)[];

	constructor(twin: Twin, gradients: boolean) {
		this.#removers = [...twin.net].map((module, index) =>
			module.registerForwardHook((_, [input], output) => {
				this.#add(twin.layers[index], module, input, output, gradients);
				return undefined;
			}),
		);
	}

	/** The layers that ran, in their order. */
	get layers(): readonly ObservedLayer[] {
		return this.#layers;
	}

	/** Takes the hooks away; what was kept of the gradients is freed with {@link free}. */
	detach(): void {
		for (const remove of this.#removers) remove();
	}

	free(): void {
		for (const { gradient } of this.#layers) gradient?.dispose();
	}

	#add(info: LayerInfo, module: Kept["module"], input: Tensor, output: Tensor, gradients: boolean): void {
		const layer: Kept = { info, module, input, output, gradient: null };
		this.#layers.push(layer);
		if (!gradients || output.gradFn === null) return;
		output.registerHook((gradient) => {
			// Backward frees it as soon as it has been used.
			layer.gradient = keep(gradient.clone());
			return undefined;
		});
	}
}
