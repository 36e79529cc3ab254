// Four numbers of each layer: mean and standard deviation of its output, how much of an activation is flat, and the length
// of the gradient. All over the whole batch of the step.

import type { Tensor } from "evenkeel";
import { defineTopic, type ObservedLayer } from "../../engine/topic.ts";
import { flatShare } from "./flat.ts";
import { hasRow, metrics } from "./metrics.ts";

export interface LayerStatistics {
	/** The layers, in the order in which they ran. */
	readonly names: readonly string[];
	/** `[layers, 4]`, in the order of `metrics`; NaN where a number does not apply. */
	readonly values: Float32Array;
}

/** The numbers of the layers that have a row in the picture. */
export const layerStatistics = defineTopic({
	at: "step",
	needs: "gradients",
	collect({ layers }, _params: Record<string, never>): LayerStatistics {
		const shown = layers.filter(({ info }) => hasRow(info.kind));
		const values = new Float32Array(metrics.length * shown.length);
		for (const [i, layer] of shown.entries()) values.set(numbersOf(layer), metrics.length * i);
		return { names: shown.map(({ info }) => info.name), values };
	},
});

function numbersOf({ info, input, output, gradient }: ObservedLayer): number[] {
	const flat =
		info.kind === "activation" ? flatShare(info.type, input.view(), output.view(), output.shape[0]) : Number.NaN;
	return [...meanAndDeviation(output), flat, gradient ? lengthOf(gradient) : Number.NaN];
}

/** Less than this part of the mean square, a variance taken as E[x²] - E[x]² would be rounding errors. */
const CANCELS = 1e-3;

function meanAndDeviation(x: Tensor): [number, number] {
	const mean = x.mean().item();
	const square = x.square().mean().item();
	const variance = square - mean * mean;
	// Shifted by the mean it is exact whatever the mean is, and takes three times as long.
	const safe = variance >= CANCELS * square ? variance : x.sub(mean).square().mean().item();
	return [mean, Math.sqrt(safe)];
}

function lengthOf(gradient: Tensor): number {
	return Math.sqrt(gradient.square().sum().item());
}
