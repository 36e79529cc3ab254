// What a norm layer sees in a batch against what it remembers, and what that makes of the batch in either mode.

import { crossEntropy, EvenkeelError, type Tensor } from "evenkeel";
import { defineTopic, type ObservedLayer, type StepContext } from "../../engine/topic.ts";
import { ROWS, rows } from "./rows.ts";

export interface NormStatistics {
	/** Channels of the layer; 0 if it keeps no running statistics. */
	readonly channels: number;
	/** By `rows`; NaN where there is nothing. */
	readonly values: Float32Array;
}

/**
 * Both modes' loss on the batch of the step, before its update; and of `channel` of the norm `layer` the batch's mean and
 * deviation (unbiased, as running variances are) beside the running ones, which have seen this batch already.
 */
export const normStatistics = defineTopic({
	at: "step",
	needs: "layers",
	collect(context, { layer, channel }: { layer: string; channel: number }): NormStatistics {
		const values = new Float32Array(ROWS).fill(Number.NaN);
		values[rows.trainLoss] = context.loss;
		values[rows.evalLoss] = lossInEvaluation(context);
		const found = context.layers.find(({ info }) => info.name === layer);
		const channels = found ? compare(found, channel, values) : 0;
		return { channels, values };
	},
});

function lossInEvaluation({ twin: { net }, x, labels }: StepContext): number {
	net.eval();
	try {
		return crossEntropy(net.forward(x), labels).item();
	} catch (error) {
		// A network that overflows in evaluation has no loss there, and goes on training.
		if (error instanceof EvenkeelError) return Number.NaN;
		throw error;
	} finally {
		net.train();
	}
}

/** Fills in what there is of the layer; returns its channels. */
function compare({ module, input }: ObservedLayer, channel: number, values: Float32Array): number {
	const buffers = [...module.namedBuffers()];
	const find = (name: string): Tensor | undefined => buffers.find(([path]) => path.split(".").at(-1) === name)?.[1];
	const [runningMean, runningVar] = [find("running_mean"), find("running_var")];
	if (!runningMean || !runningVar) return 0;
	const axes = input.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
	const means = input.mean(axes, { keepDims: true });
	const mean = means.view();
	const count = input.size / runningMean.size;
	const variance = input.sub(means).square().sum(axes).view();
	const std = (k: number): number => Math.sqrt(variance[k] / Math.max(1, count - 1));
	const [rememberedMean, rememberedVar] = [runningMean.view(), runningVar.view()];
	let sum = 0;
	for (let k = 0; k < runningMean.size; k++) sum += ((rememberedMean[k] - mean[k]) / Math.max(std(k), 1e-12)) ** 2;
	const at = Math.min(channel, runningMean.size - 1);
	values[rows.batchMean] = mean[at];
	values[rows.runningMean] = rememberedMean[at];
	values[rows.batchStd] = std(at);
	values[rows.runningStd] = Math.sqrt(rememberedVar[at]);
	values[rows.gap] = Math.sqrt(sum / runningMean.size);
	return runningMean.size;
}
