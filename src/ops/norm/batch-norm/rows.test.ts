// Large tables with channels last, which go through kernels of their own.

import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, withBackend } from "../../../../test/support/backends.ts";
import { normal, relativeError, runBatchNorm } from "../../../../test/support/batch-norm-run.ts";
import { expectSameBits } from "../../../../test/support/bits.ts";
import type { Backend } from "../../../backend/backend.ts";
import { type BatchNormOptions, batchNorm } from "./op.ts";
import { isLargeTable } from "./rows.ts";

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
		const expected = withBackend(backends.reference, () => runBatchNorm(shape, mean, { channelAxis: -1, ...options }));
		const actual = withBackend(backends.wasm, () => runBatchNorm(shape, mean, { channelAxis: -1, ...options }));
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
	expectSameBits(() => Object.values(runBatchNorm(shape, 0, { channelAxis: -1 }))),
);
