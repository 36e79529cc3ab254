import { describe, expect, test } from "vitest";
import "../../autograd/backward.ts";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import { bitsOf } from "../../../test/support/bits.ts";
import { init } from "../../backend/init.ts";
import { WasmBackend } from "../../backend/wasm/wasm-backend.ts";
import { Generator } from "../../random/generator.ts";
import type { Shape } from "../../tensor/shape.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ones, tensor } from "../creation.ts";
import { broadcastIndex, planRows } from "./broadcast.ts";
import * as ops from "./op.ts";

const normal = (shape: Shape, seed: number) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(sizeOf(shape))), shape);

describe("broadcasting is planned in as few rows as there can be", () => {
	test.each([
		{ a: [4, 5], b: [4, 5], inner: 20, rows: 1, mode: 0 },
		{ a: [4, 5], b: [], inner: 20, rows: 1, mode: 1 },
		{ a: [1], b: [4, 5], inner: 20, rows: 1, mode: 2 },
		{ a: [4, 5], b: [5], inner: 5, rows: 4, mode: 0 },
		{ a: [4, 5, 6], b: [4, 1, 1], inner: 30, rows: 4, mode: 1 },
		{ a: [2, 3, 4, 5], b: [1, 3, 1, 1], inner: 20, rows: 6, mode: 1 },
		{ a: [2, 1, 4], b: [2, 3, 4], inner: 4, rows: 6, mode: 0 },
		{ a: [1, 1], b: [1], inner: 1, rows: 1, mode: 0 },
	])("$a and $b", ({ a, b, inner, rows, mode }) => {
		const out = Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
			Math.max(a.at(i - Math.max(a.length, b.length)) ?? 1, b.at(i - Math.max(a.length, b.length)) ?? 1),
		);
		expect(planRows(a, b, out)).toMatchObject({ inner, rows, mode });
	});

	test("an index repeats what has length 1", () => {
		expect([...broadcastIndex([2, 1], [2, 3])]).toEqual([0, 0, 0, 1, 1, 1]);
		expect([...broadcastIndex([3], [2, 3])]).toEqual([0, 1, 2, 0, 1, 2]);
	});
});

test("wasm follows the reference through chunks and strides", async () => {
	const { reference, wasm } = await bothBackends();
	const pairs: [Shape, Shape][] = [
		[[40_003], [40_003]],
		[[300, 129], [129]],
		[
			[7, 5, 1, 9],
			[5, 301, 1],
		],
		[
			[2, 20_001],
			[2, 1],
		],
		[
			[3, 1, 4, 1, 5],
			[2, 1, 3, 1],
		],
	];
	for (const [a, b] of pairs) {
		const run = () => {
			const [x, y] = [normal(a, 1).setRequiresGrad(), normal(b, 2).setRequiresGrad()];
			const out = ops.maximum(ops.sub(ops.mul(x, y), ops.div(x, 3)), ops.add(x, y));
			out.backward(normal(out.shape, 3));
			return [out, x.grad, y.grad].map((t) => t?.dataSync() ?? new Float32Array(0));
		};
		const [expected, actual] = [withBackend(reference, run), withBackend(wasm, run)];
		expected.forEach((values, k) => {
			const norm = Math.hypot(...[...values].slice(0, 10_000));
			const difference = Math.hypot(...[...values].slice(0, 10_000).map((v, i) => v - actual[k][i]));
			expect(difference / norm).toBeLessThan(1e-5);
		});
	}
});

test("results are the same bits on one, two and three threads", async () => {
	const results: string[] = [];
	for (const threads of [1, 2, 3]) {
		await init({ threads });
		const [x, y] = [normal([257, 301], 1).setRequiresGrad(), normal([301], 2).setRequiresGrad()];
		const out = ops.exp(ops.mul(ops.add(x, y), 0.1));
		out.backward(normal([257, 301], 3));
		results.push(bitsOf(out, x.grad, y.grad, ops.greater(x, y)));
	}
	expect(results[1]).toBe(results[0]);
	expect(results[2]).toBe(results[0]);
});

describe("exp, log and pow are within the ulps they promise, over all of float32", () => {
	const bits = new Uint32Array(1);
	const float = new Float32Array(bits.buffer);
	/** Every `step`-th of all float32 numbers: of each exponent, both signs, subnormal, infinite and NaN. */
	const sample = (step: number) =>
		Float32Array.from({ length: Math.floor(2 ** 32 / step) }, (_, i) => {
			bits[0] = i * step;
			return float[0];
		});
	const ulp = (y: number) => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(y) || 1e-45))) - 23);
	const cases: [string, (x: Tensor) => Tensor, (x: number) => number, number][] = [
		["exp", ops.exp, Math.exp, 2],
		["log", ops.log, Math.log, 2],
		["pow 2.5", (x) => ops.pow(x, 2.5), (x) => x ** 2.5, 1],
		["pow -3", (x) => ops.pow(x, -3), (x) => x ** -3, 1],
		["pow 0.1", (x) => ops.pow(x, 0.1), (x) => x ** 0.10000000149011612, 1],
	];
	test.each(cases.flatMap((c) => (["simd", "relaxed"] as const).map((build) => [...c, build] as const)))(
		"%s, build %5$s",
		async (_, op, exact, limit, build) => {
			const wasm = await WasmBackend.load({ build });
			withBackend(wasm, () => {
				// Exp is 0, 1 or infinity nearly everywhere: look closer where it is not.
				for (const numbers of [sample(30_011), Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) / 180)]) {
					const y = op(tensor(numbers, [numbers.length])).dataSync();
					numbers.forEach((x, i) => {
						const expected = exact(x);
						const rounded = Math.fround(expected);
						const close = Number.isFinite(rounded)
							? Math.abs(y[i] - expected) <= limit * ulp(expected)
							: Object.is(y[i], rounded);
						if (!close) expect.fail(`at ${x}: ${y[i]}, not ${expected}`);
					});
				}
			});
		},
	);
});

onEachBackend("elementwise", ({ exact }) => {
	test("an operand used twice gets the sum of its gradients", () => {
		const x = tensor([1, 2, 3]).setRequiresGrad();
		ops.add(ops.mul(x, x), x).backward(ones([3]));
		expect([...(x.grad?.dataSync() ?? [])]).toEqual([3, 5, 7]);
	});

	test("special exponents are exact", () => {
		const values = [0.1, 3, 1e-20, 7e18];
		const x = tensor(values);
		const round = exact ? (v: number) => v : Math.fround;
		const inputs = values.map(round);
		expect([...ops.pow(x, 2).dataSync()]).toEqual(inputs.map((v) => round(v * v)));
		expect([...ops.pow(x, 0.5).dataSync()]).toEqual(inputs.map((v) => round(Math.sqrt(v))));
		expect([...ops.pow(x, -1).dataSync()]).toEqual(inputs.map((v) => round(1 / v)));
	});

	test("saved operands survive being freed", () => {
		const x = tensor([2]).setRequiresGrad();
		const y = tensor([3]);
		const product = ops.mul(x, y);
		y.dispose();
		product.backward();
		expect(x.grad?.item()).toBe(3);
	});

	test("toFloat shares a floating tensor and converts whole numbers", () => {
		const x = tensor([1, 2]);
		expect(ops.toFloat(x).storage).toBe(x.storage);
		const labels = tensor([-5, 2 ** 31 - 1], [2], { dtype: "int32" });
		expect([...ops.toFloat(labels).dataSync()]).toEqual([-5, exact ? 2 ** 31 - 1 : 2 ** 31]);
	});

	test("errors name the shapes, the types and the way out", () => {
		const [x, labels] = [ones([2, 3]), tensor([1, 2, 3], [3], { dtype: "int32", name: "labels" })];
		expect(() => ops.add(x, ones([2]))).toThrow("add: shapes [2, 3] and [2] do not broadcast");
		expect(() => ops.mul(x, labels)).toThrow(
			'mul: expected a floating tensor, got int32 Tensor "labels" [3]; convert it with toFloat()',
		);
		expect(() => ops.equal(x, labels)).toThrow("compare tensors of one type, with toFloat() if need be");
		expect(() => ops.equal(labels, 0.5)).toThrow("0.5 is no whole number of 32 bits");
		expect(() => ops.add(1, 2)).toThrow("add: expected a tensor, got the numbers 1 and 2");
		expect(() => ops.clamp(x, 2, 1)).toThrow("clamp: expected min <= max, got min 2 and max 1");
		expect(() => ops.clamp(x, Number.NaN, 1)).toThrow("got min NaN");
		expect(() => ops.exp(labels)).toThrow("exp: expected a floating tensor");
	});
});
