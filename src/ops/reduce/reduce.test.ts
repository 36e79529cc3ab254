import { describe, expect, test } from "vitest";
import "../../autograd/backward.ts";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import { bitsOf } from "../../../test/support/bits.ts";
import { init } from "../../backend/init.ts";
import { Generator } from "../../random/generator.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import { full, ones, tensor } from "../creation.ts";
import * as ops from "./op.ts";
import { planPasses } from "./plan.ts";

const normal = (shape: Shape, seed: number, mean = 0) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(sizeOf(shape)), mean), shape);

/** Shapes and axes whose runs are longer than a chunk, whose columns are more than a block, or both. */
const LARGE: [Shape, number[]][] = [
	[[100_003], [0]],
	[[3, 40_001], [1]],
	[[5_003, 7], [0]],
	[[33, 3_001], [0]],
	[[2, 301, 1_030], [1]],
	[
		[4, 6, 5, 700],
		[0, 2, 3],
	],
	[
		[9, 2_050, 5],
		[0, 2],
	],
];

test("passes join neighbors and go from the last group to the first", () => {
	expect(planPasses([2, 3, 4], [1, 2])).toEqual([{ outer: 2, n: 12, inner: 1 }]);
	expect(planPasses([2, 3, 4], [0, 2])).toEqual([
		{ outer: 6, n: 4, inner: 1 },
		{ outer: 1, n: 2, inner: 3 },
	]);
	expect(planPasses([2, 1, 4], [0, 2])).toEqual([{ outer: 1, n: 8, inner: 1 }]);
	expect(planPasses([1, 3], [0])).toEqual([]);
});

describe("on wasm", () => {
	test.each(LARGE)("%j over %j follows the reference", async (shape, axes) => {
		const { reference, wasm } = await bothBackends();
		const run = () => {
			const x = normal(shape, 1).setRequiresGrad();
			const results = [ops.sum(x, axes), ops.mean(x, axes), ops.max(x, axes), ops.min(x, axes, { keepDims: true })];
			ops.max(x, axes).backward(ones(results[0].shape));
			return [...results, x.grad, ops.argmax(x, axes[0]), ops.argmin(x, axes[0])].map((t) => t?.dataSync() ?? []);
		};
		const [expected, actual] = [withBackend(reference, run), withBackend(wasm, run)];
		expected.forEach((values, k) => {
			for (let i = 0; i < values.length; i++) {
				const tolerance = 1e-6 * Math.max(Math.abs(values[i]), k === 0 ? Math.sqrt(sizeOf(shape)) : 1);
				if (Math.abs(values[i] - actual[k][i]) > tolerance)
					expect.fail(`${k} at ${i}: ${actual[k][i]}, not ${values[i]}`);
			}
		});
	});

	test("the bits are the same on one, two and three threads", async () => {
		const results: unknown[] = [];
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			results.push(
				LARGE.map(([shape, axes]) => {
					const x = normal(shape, 2);
					return bitsOf(ops.sum(x, axes), ops.mean(x), ops.max(x, axes), ops.argmin(x, axes[0]));
				}),
			);
		}
		expect(results[1]).toEqual(results[0]);
		expect(results[2]).toEqual(results[0]);
	});

	test("sums stay accurate: ten million ones, and a mean of 10,000", async () => {
		await init({ threads: 2 });
		const many = full([10_000_000], 1);
		expect(ops.sum(many).item()).toBe(10_000_000);
		many.dispose();
		// Tenths are rounded the same way at every addition: long runs in float32 would drift.
		const tenths = full([2_000_000, 1], 0.1);
		const total = 2_000_000 * Math.fround(0.1);
		expect(Math.abs(ops.sum(tenths).item() / total - 1)).toBeLessThan(2e-7);
		tenths.dispose();
		const columns = full([400_000, 5], 0.1);
		for (const sum of ops.sum(columns, 0).dataSync()) expect(Math.abs((sum * 5) / total - 1)).toBeLessThan(2e-7);
		columns.dispose();
		for (const [shape, axes] of [
			[[3_000_001], [0]],
			[[300_001, 6], [0]],
			[
				[4, 6, 50_001],
				[0, 2],
			],
		]) {
			const x = normal(shape, 3, 10_000);
			const values = x.dataSync();
			let sum = 0;
			for (const v of values) sum += v;
			const total = ops.sum(ops.sum(x, axes)).item();
			expect(Math.abs(total / sum - 1)).toBeLessThan(2e-7);
			expect(Math.abs((ops.mean(x).item() * x.size) / sum - 1)).toBeLessThan(2e-7);
			x.dispose();
		}
	});

	test("a NaN anywhere is the maximum, the minimum and their index", async () => {
		await init({ threads: 2 });
		for (const [n, at] of [
			[40_000, 39_999],
			[23, 0],
			[23, 22],
			[64, 17],
		]) {
			const values = new Float32Array(n).fill(-1);
			values[at] = Number.NaN;
			for (const x of [
				tensor(values, [n, 1]),
				tensor(
					Float32Array.from({ length: 3 * n }, (_, i) => values[Math.floor(i / 3)]),
					[n, 3],
				),
			]) {
				expect(ops.max(x, 0).dataSync().every(Number.isNaN)).toBe(true);
				expect(ops.min(x, 0).dataSync().every(Number.isNaN)).toBe(true);
				expect([...ops.argmax(x, 0).dataSync()].every((k) => k === at)).toBe(true);
				expect([...ops.argmin(x, 0).dataSync()].every((k) => k === at)).toBe(true);
			}
		}
	});
});

onEachBackend("reductions", () => {
	test("of nothing: 0, NaN, or an error that says so", () => {
		const x = ones([0, 3]);
		expect([...ops.sum(x, 0).dataSync()]).toEqual([0, 0, 0]);
		expect([...ops.mean(x, 0).dataSync()]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
		expect(ops.max(x, 1).shape).toEqual([0]);
		expect(() => ops.max(x, 0)).toThrow(
			"max: [0, 3] has no elements along the axes to reduce, and of nothing there is no max",
		);
		expect(() => ops.argmin(x, 0)).toThrow("argmin: [0, 3] has no elements");
	});

	test("the gradient of NaN goes to NaN", () => {
		const x = tensor([1, Number.NaN, 3]).setRequiresGrad();
		ops.max(x).backward();
		expect([...(x.grad?.dataSync() ?? [])]).toEqual([0, 1, 0]);
	});

	test("errors name the axis and the type", () => {
		const x = ones([2, 3]);
		expect(() => ops.sum(x, 2)).toThrow("sum: axis 2 is out of range for 2 dimensions");
		expect(() => ops.mean(x, [0, -2])).toThrow("mean: axes [0, -2] name an axis twice");
		expect(() => ops.argmax(x, 5)).toThrow("argmax: axis 5 is out of range");
		expect(() => ops.sum(tensor([1], [1], { dtype: "int32" }))).toThrow("sum: expected a floating tensor, got int32");
	});
});
