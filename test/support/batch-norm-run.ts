// One training step through batch normalization on random values, for tests that compare backends, threads and kernels.

import "../../src/autograd/backward.ts";
import { tensor } from "../../src/ops/creation.ts";
import { type BatchNormOptions, batchNorm } from "../../src/ops/norm/batch-norm/op.ts";
import { Generator } from "../../src/random/generator.ts";

/** The numbers drawn last: one test asks for the same millions again and again, on other backends and threads. */
const drawn = new Map<string, Float32Array>();
const MOST_DRAWN = 8;

export function normal(shape: readonly number[], seed: number, mean = 0, std = 1) {
	const size = shape.reduce((a, b) => a * b, 1);
	const key = [size, seed, mean, std].join();
	const values = drawn.get(key) ?? new Generator(seed).fillNormal(new Float32Array(size), mean, std);
	drawn.delete(key);
	drawn.set(key, values);
	for (const [oldest] of drawn) if (drawn.size > MOST_DRAWN) drawn.delete(oldest);
	return tensor(values, shape);
}

/** y, all gradients and the running statistics of normal x with this mean and deviation 1. */
export function runBatchNorm(
	shape: readonly number[],
	mean = 0,
	options: BatchNormOptions = {},
): Record<string, ArrayLike<number>> {
	const c = shape.at(options.channelAxis ?? 1) ?? 1;
	const x = normal(shape, 1, mean).setRequiresGrad();
	const weight = normal([c], 2, 1, 0.2).setRequiresGrad();
	const bias = normal([c], 3).setRequiresGrad();
	const [runningMean, runningVar] = [normal([c], 4), normal([c], 5, 3, 0.1)];
	const y = batchNorm(x, { weight, bias, runningMean, runningVar, training: true, ...options });
	y.backward(normal(shape, 6));
	const out = { y, dx: x.grad, dweight: weight.grad, dbias: bias.grad, runningMean, runningVar };
	return Object.fromEntries(Object.entries(out).map(([key, t]) => [key, t?.dataSync() ?? []]));
}

/** ||actual - expected|| / ||expected||. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
	let difference = 0;
	let size = 0;
	for (let i = 0; i < expected.length; i++) {
		difference += (actual[i] - expected[i]) ** 2;
		size += expected[i] ** 2;
	}
	return Math.sqrt(difference / Math.max(size, Number.MIN_VALUE));
}
