// Large tables with channels last, which go through kernels of their own.

import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, withBackend } from "../../../../test/support/backends.ts";
import { expectSameBits } from "../../../../test/support/bits.ts";
import "../../../autograd/backward.ts";
import type { Backend } from "../../../backend/backend.ts";
import { Generator } from "../../../random/generator.ts";
import { tensor } from "../../creation.ts";
import { type BatchNormOptions, batchNorm } from "./op.ts";
import { isLargeTable } from "./rows.ts";

const normal = (shape: readonly number[], seed: number, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);

function run(shape: readonly number[], mean: number, options: BatchNormOptions): Record<string, ArrayLike<number>> {
	const c = shape[shape.length - 1];
	const x = normal(shape, 1, mean).setRequiresGrad();
	const weight = normal([c], 2, 1, 0.2).setRequiresGrad();
	const bias = normal([c], 3).setRequiresGrad();
	const [runningMean, runningVar] = [normal([c], 4), normal([c], 5, 3, 0.1)];
	const y = batchNorm(x, { weight, bias, runningMean, runningVar, training: true, channelAxis: -1, ...options });
	y.backward(normal(shape, 6));
	const out = { y, dx: x.grad, dweight: weight.grad, dbias: bias.grad, runningMean, runningVar };
	return Object.fromEntries(Object.entries(out).map(([key, t]) => [key, t?.dataSync() ?? []]));
}

function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
	let difference = 0;
	let size = 0;
	for (let i = 0; i < expected.length; i++) {
		difference += (actual[i] - expected[i]) ** 2;
		size += expected[i] ** 2;
	}
	return Math.sqrt(difference / Math.max(size, Number.MIN_VALUE));
}

describe("wasm against the float64 reference", () => {
	let backends: { reference: Backend; wasm: Backend };
	beforeAll(async () => {
		backends = await bothBackends();
	});

	test.each<[number[], number, BatchNormOptions]>([
		[[8, 40, 40, 64], 0, {}],
		[[8, 64, 64, 9], 0, {}],
		[[5000, 53], 0, {}],
		[[100_000, 3], 0, {}],
		[[8, 40, 40, 64], 1000, {}],
		[[8, 40, 40, 64], 0, { training: false }],
		[[16, 1, 4096, 8], 0, { virtualBatchSize: 9 }],
	])("%j, mean %d, %j", (shape, mean, options) => {
		const size = shape.reduce((a, b) => a * b, 1);
		const c = shape[shape.length - 1];
		expect(isLargeTable({ n: size / c, c, s: 1 })).toBe(true);
		const expected = withBackend(backends.reference, () => run(shape, mean, options));
		const actual = withBackend(backends.wasm, () => run(shape, mean, options));
		for (const key of Object.keys(expected)) {
			expect(relativeError(actual[key], expected[key]), key).toBeLessThan(key === "dx" && mean > 0 ? 1e-4 : 1e-5);
		}
	});

	test("weights alone, and NaN in the last row", () => {
		withBackend(backends.wasm, () => {
			const x = normal([5000, 64], 1);
			const weight = normal([64], 2).setRequiresGrad();
			batchNorm(x, { weight, training: true }).backward(normal([5000, 64], 3));
			expect(weight.grad?.size).toBe(64);
			x.view()[5000 * 64 - 1] = Number.NaN;
			expect(() => batchNorm(x, { training: true })).toThrow("channel 63 of the batch holds NaN in example 4999");
		});
	});
});

test.each([[[8, 40, 40, 64]], [[5000, 53]]])("the same bits on 1, 2 and 3 threads: %j", (shape) =>
	expectSameBits(() => Object.values(run(shape, 0, {}))),
);
