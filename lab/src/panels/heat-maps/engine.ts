// Four numbers of each layer: mean and standard deviation of its output, how much of an activation is flat, and the length
// of the gradient. All over the whole batch of the step.

import type { Tensor } from "evenkeel";
import { defineTopic, type ObservedLayer } from "../../engine/topic.ts";
import { flatShare } from "./flat.ts";
import { metrics } from "./metrics.ts";

export interface LayerStatistics {
	/** The layers, in the order in which they ran. */
	readonly names: readonly string[];
	/** `[layers, 4]`, in the order of `metrics`; NaN where a number does not apply. */
	readonly values: Float32Array;
}

/** The numbers of all layers. */
export const layerStatistics = defineTopic({
	at: "step",
	needs: "gradients",
	collect({ layers }, _params: Record<string, never>): LayerStatistics {
		const values = new Float32Array(metrics.length * layers.length);
		for (const [i, layer] of layers.entries()) values.set(numbersOf(layer), metrics.length * i);
		return { names: layers.map(({ info }) => info.name), values };
	},
});

function numbersOf({ info, input, output, gradient }: ObservedLayer): number[] {
	const mean = output.mean();
	const variance = output.sub(mean).square().mean().item();
	const flat =
		info.kind === "activation" ? flatShare(info.type, input.view(), output.view(), output.shape[0]) : Number.NaN;
	return [mean.item(), Math.sqrt(variance), flat, gradient ? lengthOf(gradient) : Number.NaN];
}

function lengthOf(gradient: Tensor): number {
	return Math.sqrt(gradient.square().sum().item());
}
