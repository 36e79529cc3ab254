// How much each kind of statistics counts in switchable norms.

import { nn, type Tensor } from "evenkeel";
import { defineTopic } from "../../engine/topic.ts";

/** Shares of instance, layer and batch statistics (without instance where there are no positions), adding up to 1. */
export interface SwitchableShares {
	readonly layer: string;
	readonly mean: readonly number[];
	readonly variance: readonly number[];
}

export const switchableShares = defineTopic({
	at: "rest",
	collect({ twin: { net, layers } }, _params: Record<string, never>): SwitchableShares[] {
		return [...net].flatMap((module, i) => {
			if (!(module instanceof nn.SwitchableNorm1d || module instanceof nn.SwitchableNorm2d)) return [];
			return [{ layer: layers[i].name, mean: shares(module.meanWeight), variance: shares(module.varWeight) }];
		});
	},
});

/** softmax */
function shares(logits: Tensor): number[] {
	const values = [...logits.view()].map(Number);
	const largest = Math.max(...values);
	const powers = values.map((value) => Math.exp(value - largest));
	const total = powers.reduce((a, b) => a + b, 0);
	return powers.map((power) => power / total);
}
