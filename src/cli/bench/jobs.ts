// What is measured: steps of training a preset, and batch normalization alone, each way.

import "../../autograd/backward.ts";
import { countParameters } from "../../nn/summary.ts";
import { ones, tensor, zeros } from "../../ops/creation.ts";
import { batchNorm } from "../../ops/norm/batch-norm/op.ts";
import { buildNetwork, type NormChoice, type Preset } from "../../presets/index.ts";
import { Generator, manualSeed } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { lossNamed } from "../../train/objective.ts";
import { type Length, summarize, type Timing, timeWindow } from "./windows.ts";

/** What training a preset takes. */
export interface TrainingTimes {
	readonly parameters: number;
	/** Of a step: forward, loss, backward, update. */
	readonly step: Timing;
}

/** What batch normalization takes. */
export interface NormTimes {
	readonly forward: Timing;
	readonly backward: Timing;
}

/** Classes of a preset that leaves them to its data. */
const CLASSES = 10;
/** So many random numbers, again and again: drawing them all takes longer than what is measured. */
const NUMBERS = 65_536;

/**
 * Steps of training on random examples, which take as long as any others. Loading data is no part of it.
 *
 * @throws EvenkeelError if the preset cannot be built with `choice`
 */
export function measureTraining(preset: Preset, choice: NormChoice, batchSize: number, length: Length): TrainingTimes {
	return scope(() => {
		manualSeed(0);
		const net = buildNetwork(preset, choice);
		const optimizer = preset.optimizer(net, preset.lr);
		const { compute } = lossNamed(preset.loss ?? "crossEntropy");
		const x = randomTensor([batchSize, ...preset.inputShape]);
		const labels = Int32Array.from({ length: batchSize }, (_, i) => i % (preset.classes ?? CLASSES));
		const y = tensor(labels, [batchSize], { dtype: "int32" });
		const step = (): void =>
			scope(() => {
				const loss = compute(net.forward(x), y);
				optimizer.zeroGrad();
				loss.backward();
				optimizer.step();
				loss.item();
			});
		// For the engine to compile, and the caches to fill.
		timeWindow(length.seconds, step);
		const times = Array.from({ length: length.windows }, () => timeWindow(length.seconds, step));
		optimizer.zeroGrad();
		return { parameters: countParameters(net), step: summarize(times) };
	});
}

/** Batch normalization of `shape` in training mode, forward and backward each by itself. */
export function measureBatchNorm(shape: Shape, length: Length): NormTimes {
	return scope(() => {
		const channels = [shape[1]];
		const leaves = [randomTensor(shape), ones(channels), zeros(channels)].map((leaf) => leaf.setRequiresGrad());
		const [x, weight, bias] = leaves;
		const dy = randomTensor(shape);
		const [runningMean, runningVar] = [zeros(channels), ones(channels)];
		const measure = (seconds: number): { forward: number; backward: number } => {
			let [rounds, forward, both] = [0, 0, 0];
			timeWindow(seconds, () =>
				scope(() => {
					const started = performance.now();
					const y = batchNorm(x, { weight, bias, runningMean, runningVar, training: true });
					x.backend.finish();
					forward += performance.now() - started;
					y.backward(dy);
					x.backend.finish();
					both += performance.now() - started;
					rounds++;
					for (const leaf of leaves) dropGradient(leaf);
				}),
			);
			return { forward: forward / rounds, backward: (both - forward) / rounds };
		};
		measure(length.seconds);
		const windows = Array.from({ length: length.windows }, () => measure(length.seconds));
		return {
			forward: summarize(windows.map((each) => each.forward)),
			backward: summarize(windows.map((each) => each.backward)),
		};
	});
}

/** Of a standard normal distribution, the same numbers each time. */
function randomTensor(shape: Shape): Tensor {
	const values = new Float32Array(sizeOf(shape));
	const numbers = new Generator(1).fillNormal(new Float32Array(Math.min(NUMBERS, values.length)));
	for (let i = 0; i < values.length; i += NUMBERS) values.set(numbers.subarray(0, values.length - i), i);
	return tensor(values, shape);
}

function dropGradient(leaf: Tensor): void {
	leaf.grad?.dispose();
	leaf.grad = null;
}
