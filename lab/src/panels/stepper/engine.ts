// What goes through each batch norm in the step under way: the first examples of the batch, at the middle of the picture,
// with their gradients; and the statistics of the whole batch beside them.

import type { Tensor } from "evenkeel";
import { nn } from "evenkeel";
import type { ObservedLayer } from "../../engine/topic.ts";
import { defineTopic } from "../../engine/topic.ts";

/** A batch norm at work. Everything by channel, and `x` and `dy` example by example. */
export interface NormAtWork {
	/** `norm1` */
	readonly name: string;
	/** Of its input. */
	readonly shape: readonly number[];
	/** Examples in `x` and `dy`. */
	readonly examples: number;
	/** Row and column that `x` was taken at; null without positions. */
	readonly position: readonly [number, number] | null;
	/** `[examples, channels]` */
	readonly x: Float32Array;
	/** The gradient of the loss by the output; zeros if none arrived. */
	readonly dy: Float32Array;
	readonly gamma: Float32Array;
	readonly beta: Float32Array;
	/** As they are after this step's batch. */
	readonly runningMean: Float32Array;
	readonly runningVar: Float32Array;
	readonly eps: number;
	readonly momentum: number;
	/** Of the whole batch. */
	readonly mean: Float64Array;
	/** Biased. */
	readonly variance: Float64Array;
}

type BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d;

export const normsAtWork = defineTopic({
	at: "step",
	needs: "gradients",
	collect({ layers }, { examples }: { examples: number }): NormAtWork[] {
		return layers.flatMap((layer) => {
			const { module } = layer;
			const isBatchNorm = module instanceof nn.BatchNorm1d || module instanceof nn.BatchNorm2d;
			return isBatchNorm ? [look(layer, module, examples)] : [];
		});
	},
});

function look({ info, input, gradient }: ObservedLayer, module: BatchNorm, wanted: number): NormAtWork {
	const [n, c, height = 1, width = 1] = input.shape;
	const examples = Math.min(wanted, n);
	const position: [number, number] = [height >> 1, width >> 1];
	const take = (tensor: Tensor): Float32Array => {
		const all = tensor.view();
		const at = position[0] * width + position[1];
		return Float32Array.from({ length: examples * c }, (_, i) => all[i * height * width + at]);
	};
	const filled = (tensor: Tensor | null, fallback: number): Float32Array =>
		tensor ? Float32Array.from(tensor.view().subarray(0, c)) : new Float32Array(c).fill(fallback);
	return {
		name: info.name,
		shape: [...input.shape],
		examples,
		position: input.ndim > 2 ? position : null,
		x: take(input),
		dy: gradient ? take(gradient) : new Float32Array(examples * c),
		gamma: filled(module.weight, 1),
		beta: filled(module.bias, 0),
		runningMean: filled(module.runningMean, 0),
		runningVar: filled(module.runningVar, 1),
		eps: module.eps,
		momentum: module.momentum ?? 1 / Math.max(1, module.numBatchesTracked?.view()[0] ?? 1),
		...statistics(input.view(), n, c, height * width),
	};
}

/** Mean and biased variance of each channel of `[n, c, positions]`, in two passes. */
function statistics(x: ArrayLike<number>, n: number, c: number, positions: number) {
	const mean = new Float64Array(c);
	const variance = new Float64Array(c);
	const count = n * positions;
	for (let row = 0; row < n * c; row++) {
		let sum = 0;
		for (let i = row * positions; i < (row + 1) * positions; i++) sum += x[i];
		mean[row % c] += sum / count;
	}
	for (let row = 0; row < n * c; row++) {
		const center = mean[row % c];
		let sum = 0;
		for (let i = row * positions; i < (row + 1) * positions; i++) sum += (x[i] - center) ** 2;
		variance[row % c] += sum / count;
	}
	return { mean, variance };
}
