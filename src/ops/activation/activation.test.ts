import { describe, expect, test } from "vitest";
import "../../autograd/backward.ts";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import { bitsOf } from "../../../test/support/bits.ts";
import { init } from "../../backend/init.ts";
import { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import { Generator } from "../../random/generator.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ones, tensor } from "../creation.ts";
import { normal as normalProbability } from "./normal.ts";
import * as ops from "./op.ts";

const normal = (shape: Shape, seed: number, std = 3) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(sizeOf(shape)), 0, std), shape);

const ALL: [string, (x: Tensor) => Tensor][] = [
	["relu", ops.relu],
	["leakyRelu", (x) => ops.leakyRelu(x, 0.2)],
	["sigmoid", ops.sigmoid],
	["tanh", ops.tanh],
	["gelu", (x) => ops.gelu(x)],
	["gelu, tanh", (x) => ops.gelu(x, { approximate: "tanh" })],
	["silu", ops.silu],
	["softmax", (x) => ops.softmax(x)],
	["softmax over axis 1", (x) => ops.softmax(x, 1)],
	["logSoftmax", (x) => ops.logSoftmax(x)],
	["logSoftmax over axis 0", (x) => ops.logSoftmax(x, 0)],
];

const SHAPE = [13, 37, 101];

function forwardAndBackward(f: (x: Tensor) => Tensor): [Tensor, Tensor | null] {
	const x = normal(SHAPE, 1).setRequiresGrad();
	const y = f(x);
	y.backward(normal(SHAPE, 2, 1));
	return [y, x.grad];
}

describe.each(ALL)("%s on a large tensor", (_, f) => {
	test("wasm follows the reference, forward and backward", async () => {
		const { reference, wasm } = await bothBackends();
		const expected = withBackend(reference, () => forwardAndBackward(f));
		const actual = withBackend(wasm, () => forwardAndBackward(f));
		expected.forEach((tensor, k) => {
			const values = tensor?.dataSync() ?? [];
			const other = actual[k]?.dataSync() ?? [];
			const difference = Float64Array.from(values, (v, i) => v - other[i]);
			expect(values.length).toBe(sizeOf(SHAPE));
			expect(
				Math.sqrt(difference.reduce((s, d) => s + d * d, 0) / Float64Array.from(values).reduce((s, v) => s + v * v, 0)),
			).toBeLessThan(1e-6);
		});
	});

	test("the bits are the same on one, two and three threads", async () => {
		const results: string[] = [];
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			results.push(bitsOf(...forwardAndBackward(f)));
		}
		expect(results[1]).toBe(results[0]);
		expect(results[2]).toBe(results[0]);
	});
});

describe.each(["simd", "relaxed"] as const)("accuracy element by element, build %s", (build) => {
	/** From tiny to large, both signs. */
	const numbers = Float32Array.from({ length: 40_000 }, (_, i) => (i % 2 ? 1 : -1) * 10 ** ((i / 40_000) * 9 - 7));

	test.each([
		["sigmoid", ops.sigmoid, (x: number) => 1 / (1 + Math.exp(-x)), (x: number) => x > -87],
		["tanh", ops.tanh, Math.tanh, () => true],
		["gelu", (x: Tensor) => ops.gelu(x), (x: number) => x * normalProbability(x), (x: number) => x > -5],
	] as const)("%s is within 1e-6 of itself everywhere", async (_, f, exact, where) => {
		const wasm = await WasmBackend.load({ build });
		const y = withBackend(wasm, () => f(tensor(numbers, [numbers.length])).dataSync());
		numbers.forEach((x, i) => {
			if (!where(x)) return;
			const error = Math.abs(y[i] / exact(x) - 1);
			if (!(error < 1e-6)) expect.fail(`at ${x}: ${y[i]}, not ${exact(x)}`);
		});
	});
});

test.each([
	["relaxed", 3.2, 5.5],
	["simd", 2.6, 2.6],
] as const)(
	"sigmoid, build %s, is within %d units of the last place for |x| up to 20, and %d beyond",
	async (build, near, far) => {
		const x = Float32Array.from({ length: 400_000 }, (_, i) => ((i % 200_000) / 1e5 - 1) * (i < 200_000 ? 20 : 86.9));
		const wasm = await WasmBackend.load({ build });
		const y = withBackend(wasm, () => ops.sigmoid(tensor(x, [x.length])).dataSync());
		x.forEach((value, i) => {
			const exact = 1 / (1 + Math.exp(-value));
			const unit = 2 ** (Math.floor(Math.log2(exact)) - 23);
			const error = Math.abs(y[i] - exact) / unit;
			if (!(error < (Math.abs(value) <= 20 ? near : far))) expect.fail(`at ${value}: ${y[i]}, off by ${error}`);
		});
	},
);

test("the normal distribution function of the reference, to its tails", () => {
	// scipy.stats.norm.cdf
	const known: [number, number][] = [
		[-10, 7.619853024160527e-24],
		[-5, 2.866515718791939e-7],
		[-4, 3.167124183311986e-5],
		[-1, 0.15865525393145707],
		[0, 0.5],
		[0.5, 0.6914624612740131],
		[3, 0.9986501019683699],
	];
	for (const [x, p] of known) expect(Math.abs(normalProbability(x) / p - 1)).toBeLessThan(1e-13);
	expect(normalProbability(Number.NEGATIVE_INFINITY)).toBe(0);
	expect(normalProbability(Number.POSITIVE_INFINITY)).toBe(1);
	expect(normalProbability(Number.NaN)).toBeNaN();
});

onEachBackend("activations", () => {
	test("sigmoid and tanh end where they should", () => {
		const x = tensor([Number.NEGATIVE_INFINITY, -1e30, -100, 100, 1e30, Number.POSITIVE_INFINITY]);
		const y = ops.sigmoid(x).dataSync();
		const least = expect.closeTo(0, 37);
		expect([...y].map((v) => Math.fround(v))).toEqual([least, least, least, 1, 1, 1]);
		expect([...ops.tanh(x).dataSync()]).toEqual([-1, -1, -1, 1, 1, 1]);
	});

	test("SiLU and GELU are 0 however far down", () => {
		const x = tensor([-3e38, -1e30, -1000]);
		expect([...ops.silu(x).dataSync()].map(Math.abs)).toEqual([0, 0, 0]);
		expect([...ops.gelu(x, { approximate: "tanh" }).dataSync()].map(Math.abs)).toEqual([0, 0, 0]);
	});

	test("what is not saved can be freed", () => {
		const x = normal([4, 8], 3).setRequiresGrad();
		const middle = ops.relu(x);
		const y = ops.sigmoid(middle);
		middle.dispose();
		y.backward(ones([4, 8]));
		expect(x.grad?.shape).toEqual([4, 8]);
	});

	test("softmax of one is 1, and rows sum to 1", () => {
		expect([...ops.softmax(tensor([[3], [-1000]])).dataSync()]).toEqual([1, 1]);
		const y = ops.softmax(normal([5, 9], 4), 0).dataSync();
		for (let i = 0; i < 9; i++) {
			let sum = 0;
			for (let k = 0; k < 5; k++) sum += y[k * 9 + i];
			expect(sum).toBeCloseTo(1, 6);
		}
	});

	test("errors name the argument", () => {
		const x = ones([2, 3]);
		expect(() => ops.leakyRelu(x, -1)).toThrow("leakyRelu: negativeSlope must be a number of at least 0, got -1");
		// @ts-expect-error: what a caller without types may pass
		expect(() => ops.gelu(x, { approximate: "erf" })).toThrow('gelu: approximate must be "none" or "tanh", got "erf"');
		expect(() => ops.softmax(x, 2)).toThrow("softmax: axis 2 is out of range for 2 dimensions");
		expect(() => ops.logSoftmax(ones([]))).toThrow("has no axis to go along");
		expect(() => ops.relu(tensor([1], [1], { dtype: "uint8" }))).toThrow("relu: expected a floating tensor, got uint8");
	});
});
