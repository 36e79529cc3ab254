import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, withBackend } from "../../../../test/support/backends.ts";
import { relativeError } from "../../../../test/support/batch-norm-run.ts";
import { bitsOf, expectSameBits } from "../../../../test/support/bits.ts";
import type { Backend } from "../../../backend/backend.ts";
import { init } from "../../../backend/init.ts";
import { Generator } from "../../../random/generator.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { relu, sigmoid } from "../../activation/op.ts";
import { full, tensor, zeros } from "../../creation.ts";
import { add } from "../../elementwise/op.ts";
import "../../../autograd/backward.ts";
import { avgPool2d } from "../../pool/op.ts";
import { type BatchNormOptions, batchNorm } from "./op.ts";

const normal = (shape: number[], seed: number, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);

const buffers = (channels: number) => ({ runningMean: zeros([channels]), runningVar: full([channels], 1) });

/** Forward and backward with parameters; every array that comes out. */
function run(shape: number[], options: BatchNormOptions = {}, mean = 0, std = 1): Record<string, ArrayLike<number>> {
	const channels = shape[1];
	const x = normal(shape, 1, mean, std).setRequiresGrad();
	const weight = normal([channels], 2, 1, 0.2).setRequiresGrad();
	const bias = normal([channels], 3).setRequiresGrad();
	const running = buffers(channels);
	const y = batchNorm(x, { weight, bias, ...running, training: true, ...options });
	y.backward(normal(shape, 4));
	const out: Record<string, Tensor | null> = { y, dx: x.grad, dweight: weight.grad, dbias: bias.grad, ...running };
	return Object.fromEntries(Object.entries(out).map(([name, t]) => [name, t?.dataSync() ?? []]));
}

describe("wasm against the float64 reference on shapes that are cut into chunks", () => {
	let backends: { reference: Backend; wasm: Backend };
	beforeAll(async () => {
		backends = await bothBackends();
	});

	test.each([[[64, 6, 24, 24]], [[300, 131]], [[1030, 48]], [[16, 33, 7, 7]], [[2, 3, 70, 61]]])("%j", (shape) => {
		for (const training of [true, false]) {
			const expected = withBackend(backends.reference, () => run(shape, { training }));
			const actual = withBackend(backends.wasm, () => run(shape, { training }));
			for (const name of Object.keys(expected)) {
				expect(relativeError(actual[name], expected[name]), `${name}, training ${training}`).toBeLessThan(3e-6);
			}
		}
	});

	test.each([[[64, 3, 9, 9]], [[256, 32]]])("mean 10,000, deviation 1: %j", (shape) => {
		const expected = withBackend(backends.reference, () => run(shape, {}, 10_000, 1));
		const actual = withBackend(backends.wasm, () => run(shape, {}, 10_000, 1));
		expect(relativeError(actual.runningVar, expected.runningVar)).toBeLessThan(1e-5);
		expect(relativeError(actual.y, expected.y)).toBeLessThan(1e-5);
		expect(relativeError(actual.dx, expected.dx)).toBeLessThan(1e-4);
	});

	test.each([[[64, 2, 50]], [[64, 37]]])("one example that is a million away from the rest: %j", (shape) => {
		const data = new Generator(9).fillNormal(new Float32Array(shape.reduce((a, b) => a * b)));
		for (let i = 0; i < data.length / 64; i++) data[i] += 1e6;
		const variance = (backend: Backend) =>
			withBackend(backend, () => {
				const running = buffers(shape[1]);
				batchNorm(tensor(data, shape), { ...running, training: true, momentum: 1 });
				return running.runningVar.dataSync();
			});
		expect(relativeError(variance(backends.wasm), variance(backends.reference))).toBeLessThan(1e-5);
	});

	test.each<[string, (example: number) => number]>([
		["moves on by a hundred deviations from one example to the next", (example) => 100 * example],
		["jumps once, by ten thousand deviations, far behind the first", (example) => (example < 37 ? 0 : 1e4)],
		["is ten thousand deviations away in the first four examples", (example) => (example < 4 ? 1e4 : 0)],
	])("a mean that %s", (_, meanOf) => {
		for (const shape of [
			[64, 2, 1500],
			[259, 3, 64],
			[130, 5, 50],
			[1000, 2, 256],
			[8000, 1, 256],
		]) {
			const data = new Generator(9).fillNormal(new Float32Array(shape.reduce((a, b) => a * b)));
			const each = shape[1] * shape[2];
			for (let i = 0; i < data.length; i++) data[i] += meanOf(Math.floor(i / each));
			const statistics = (backend: Backend) =>
				withBackend(backend, () => {
					const running = buffers(shape[1]);
					batchNorm(tensor(data, shape), { ...running, training: true, momentum: 1 });
					return { mean: running.runningMean.dataSync(), variance: running.runningVar.dataSync() };
				});
			const [actual, expected] = [statistics(backends.wasm), statistics(backends.reference)];
			expect(relativeError(actual.mean, expected.mean), `mean of ${shape}`).toBeLessThan(5e-7);
			expect(relativeError(actual.variance, expected.variance), `variance of ${shape}`).toBeLessThan(5e-7);
		}
	});
});

test.each([[[64, 6, 24, 24]], [[256, 100]], [[8, 64, 10, 10]]])("the same bits on 1, 2 and 3 threads: %j", (shape) =>
	expectSameBits(() => Object.values(run(shape))),
);

/** The values of one channel of [n, c, …]. */
function channelOf(values: Float32Array, [n, c]: readonly number[], channel: number): Float32Array {
	const s = values.length / n / c;
	return Float32Array.from({ length: n * s }, (_, i) => values[(Math.floor(i / s) * c + channel) * s + (i % s)]);
}

// Neighbors among channels are taken together where rows are short; see kernel.as.ts.
test.each([
	[[37, 64, 7, 7], "nothing"],
	[[19, 24, 3, 3], "nothing"],
	[[50, 40, 14, 14], "nothing"],
	[[4, 64, 8, 8], "nothing"],
	[[33, 17, 5, 5], "relu"],
	[[21, 72, 16, 16], "sigmoid"],
] as const)("a channel among others has the bits that it has alone: %j, then %s", async (shape, then) => {
	await init({ threads: 2 });
	const [n, c, h, w] = shape;
	const noise = (size: number, seed: number) => new Generator(seed).fillNormal(new Float32Array(size), 1, 2);
	const given = [noise(n * c * h * w, 1), noise(c, 2), noise(c, 3), noise(n * c * h * w, 4)];
	const forwardBackward = (channels: number, values: readonly Float32Array[]) => {
		const shapes = [[n, channels, h, w], [channels], [channels], [n, channels, h, w]];
		const [x, weight, bias, dy] = values.map((data, i) => tensor(data, shapes[i]));
		for (const leaf of [x, weight, bias]) leaf.setRequiresGrad();
		const y = { nothing: (t: Tensor) => t, relu, sigmoid }[then](batchNorm(x, { weight, bias, training: true }));
		y.backward(dy);
		return [y, x.grad, weight.grad, bias.grad].map((t) => Float32Array.from(t?.dataSync() ?? []));
	};
	// What has a value a channel is [1, c, 1].
	const part = (values: readonly Float32Array[], channel: number) =>
		values.map((data) => channelOf(data, data.length === c ? [1, c] : shape, channel));
	const together = forwardBackward(c, given);
	for (const channel of [0, 1, 7, 8, c - 1]) {
		expect(bitsOf(...part(together, channel))).toBe(bitsOf(...forwardBackward(1, part(given, channel))));
	}
});

onEachBackend("batchNorm", ({ exact }) => {
	test("the batch's mean is taken out, its deviation is one, then scale and shift", () => {
		const y = batchNorm(tensor([1, 2, 3, 4], [4, 1]), {
			training: true,
			eps: 0,
			weight: tensor([2]),
			bias: tensor([10]),
		}).dataSync();
		const expected = [-3, -1, 1, 3].map((v) => (v / Math.sqrt(5)) * 2 + 10);
		for (let i = 0; i < 4; i++) expect(y[i]).toBeCloseTo(expected[i], exact ? 12 : 5);
	});

	test.each([Number.NaN, Number.POSITIVE_INFINITY])("a batch that holds %s is refused and leaves no trace", (bad) => {
		const running = buffers(3);
		const data = new Float32Array(4 * 3 * 5);
		data[2 * 15 + 5 + 3] = bad;
		expect(() => batchNorm(tensor(data, [4, 3, 5]), { ...running, training: true, name: 'BatchNorm1d "bn1"' })).toThrow(
			`BatchNorm1d "bn1": channel 1 of the batch holds ${bad} in example 2; the running statistics were left as they were`,
		);
		expect([...running.runningMean.dataSync()]).toEqual([0, 0, 0]);
		expect([...running.runningVar.dataSync()]).toEqual([1, 1, 1]);
	});

	test("one value a channel in training is refused, in evaluation it is not", () => {
		const x = tensor([1, 2], [1, 2]);
		expect(() => batchNorm(x, { training: true })).toThrow(
			/more than one value a channel, got shape \[1, 2\].*eval\(\)/,
		);
		expect([...batchNorm(x, { ...buffers(2), eps: 0 }).dataSync()]).toEqual([1, 2]);
	});

	test("an empty batch gives an empty result, zero gradients and changes nothing", () => {
		const running = buffers(3);
		const weight = full([3], 1).setRequiresGrad();
		const x = zeros([0, 3, 2]).setRequiresGrad();
		const y = batchNorm(x, { ...running, weight, training: true });
		expect(y.shape).toEqual([0, 3, 2]);
		y.backward(zeros([0, 3, 2]));
		expect([...(weight.grad?.dataSync() ?? [])]).toEqual([0, 0, 0]);
		expect([...running.runningVar.dataSync()]).toEqual([1, 1, 1]);
	});

	test("a constant input gives the shift, and no gradient to x", () => {
		const x = full([6, 2, 3], 7).setRequiresGrad();
		const y = batchNorm(x, { training: true, bias: tensor([1, -1]) });
		expect([...y.dataSync()].every((v, i) => v === (Math.floor(i / 3) % 2 === 0 ? 1 : -1))).toBe(true);
		y.backward(full([6, 2, 3], 1));
		expect(Math.max(...[...(x.grad?.dataSync() ?? [])].map(Math.abs))).toBeLessThan(1e-4);
	});

	test("NaN where the mask leaves out and no gradient arrives leaves the others' gradients alone", () => {
		const gradients = (padding: number) => {
			const x = tensor([1, 2, 3, 4, padding, padding], [3, 2], { requiresGrad: true });
			const weight = tensor([1, 2], [2], { requiresGrad: true });
			const y = batchNorm(x, { weight, mask: tensor([1, 1, 0]), training: true });
			y.backward(tensor([1, 2, 3, 5, 0, 0], [3, 2]));
			return [...(x.grad?.dataSync() ?? []), ...(weight.grad?.dataSync() ?? [])];
		};
		expect(gradients(Number.NaN)).toEqual(gradients(0));
		expect(gradients(Number.NaN).every(Number.isFinite)).toBe(true);
	});

	test("what the mask leaves out may hold anything, and is normalized all the same", () => {
		const data = [1, 2, Number.NaN, 3, 6, Number.POSITIVE_INFINITY];
		const mask = tensor([1, 1, 0, 1, 1, 0], [2, 3], { dtype: "uint8" });
		const running = buffers(1);
		const y = batchNorm(tensor(data, [2, 1, 3]), { ...running, mask, training: true, eps: 0, momentum: 1 }).dataSync();
		expect(running.runningMean.item()).toBe(3);
		expect(y[0]).toBeCloseTo(-2 / Math.sqrt(3.5), exact ? 12 : 5);
		expect(y[2]).toBeNaN();
		expect(() => batchNorm(tensor(data, [2, 1, 3]), { mask: zeros([2, 3]), training: true })).toThrow("every position");
		expect(() => batchNorm(tensor(data, [2, 1, 3]), { mask: zeros([2]), training: true })).toThrow("expected [2, 3]");
	});

	test("virtual batches: one value is refused, and so is a NaN in any of them before the first is counted", () => {
		const running = buffers(1);
		const options = { ...running, training: true, virtualBatchSize: 2 };
		expect(() => batchNorm(tensor([1, 2, 3], [3, 1]), options)).toThrow("in 2 virtual batches");
		expect(() => batchNorm(tensor([1, 2, Number.NaN, 3], [4, 1]), options)).toThrow("holds NaN in example 2");
		expect(running.runningMean.item()).toBe(0);
		expect(() => batchNorm(zeros([4, 1]), { ...options, virtualBatchSize: 0 })).toThrow("got 0");
	});

	test.each<[string, (x: Tensor) => unknown, RegExp]>([
		["batch axis", (x) => batchNorm(x, { training: true, channelAxis: 0 }), /channelAxis 0 is the batch's/],
		["one axis", () => batchNorm(zeros([3]), { training: true }), /at least two axes.*\[3\]/],
		[
			"wrong weight",
			(x) => batchNorm(x, { training: true, weight: zeros([4]) }),
			/weight has shape \[4\], expected \[3\]/,
		],
		["no statistics", (x) => batchNorm(x), /evaluation normalizes by running statistics/],
		["half of them", (x) => batchNorm(x, { runningMean: zeros([3]) }), /come together/],
		["both conventions", (x) => batchNorm(x, { ...buffers(3), training: true, momentum: 0.1, decay: 0.9 }), /give one/],
		["momentum 2", (x) => batchNorm(x, { ...buffers(3), training: true, momentum: 2 }), /between 0 and 1, got 2/],
		["negative eps", (x) => batchNorm(x, { training: true, eps: -1 }), /eps must be at least 0, got -1/],
		["labels", () => batchNorm(zeros([2, 3], { dtype: "int32" }), { training: true }), /expected a floating tensor/],
	])("bad input: %s", (_, call, message) => {
		expect(() => call(zeros([2, 3]))).toThrow(message);
	});
});

describe("with an activation in the same pass", () => {
	const compare = (shape: number[], activation: "relu" | "sigmoid", training: boolean, averagePool?: 2) => {
		const results = [true, false].map((fused) => {
			const x = normal(shape, 1, 0.5, 2).setRequiresGrad();
			const weight = normal([shape[1]], 2, 1, 0.2).setRequiresGrad();
			const bias = normal([shape[1]], 3).setRequiresGrad();
			const running = { runningMean: normal([shape[1]], 5), runningVar: full([shape[1]], 1.5) };
			const options = { weight, bias, ...running, training };
			let y: Tensor;
			if (fused) y = batchNorm(x, { ...options, activation, averagePool });
			else {
				y = { relu, sigmoid }[activation](batchNorm(x, options));
				if (averagePool) y = avgPool2d(y, averagePool);
			}
			y.backward(normal([...y.shape], 4));
			return [y, x.grad, weight.grad, bias.grad, ...Object.values(running)].map((t) => t?.dataSync() ?? []);
		});
		expect(results[0].map((values) => bitsOf(values))).toEqual(results[1].map((values) => bitsOf(values)));
	};

	test.each<[number[], "relu" | "sigmoid"]>([
		[[5, 3, 7, 9], "relu"],
		[[5, 3, 7, 9], "sigmoid"],
		[[16, 6, 12, 12], "sigmoid"],
		[[16, 33, 4, 4], "relu"],
		[[3, 2, 1100], "sigmoid"],
		[[9, 5], "relu"],
		[[21, 2, 90, 90], "relu"],
		[[21, 26, 90, 90], "relu"],
		[[130, 130, 16, 16], "sigmoid"],
	])("the same bits as one after the other: %j, %s", async (shape, activation) => {
		await init({ threads: 2 });
		compare(shape, activation, true);
		compare(shape, activation, false);
	});

	test.each<[number[], "relu" | "sigmoid"]>([
		[[5, 3, 7, 9], "relu"],
		[[22, 3, 12, 12], "sigmoid"],
		[[36, 2, 24, 25], "sigmoid"],
		[[19, 33, 4, 4], "relu"],
		[[3, 2, 2, 2], "sigmoid"],
		[[70, 3, 5, 2], "relu"],
		[[4, 5, 3, 30], "sigmoid"],
		[[21, 2, 90, 91], "sigmoid"],
		// Rows of a multiple of eight, and examples that are none of four; a channel in pieces; few channels, which a cache holds
		// forward, but not back, where two tensors are read; many channels.
		[[22, 3, 8, 24], "relu"],
		[[39, 5, 8, 8], "sigmoid"],
		[[3, 4, 4, 16], "sigmoid"],
		[[37, 2, 64, 64], "sigmoid"],
		[[300, 7, 24, 24], "relu"],
		[[21, 23, 24, 24], "relu"],
	])("so it is with means of windows of 2 x 2 behind it: %j, %s", async (shape, activation) => {
		await init({ threads: 2 });
		compare(shape, activation, true, 2);
		compare(shape, activation, false, 2);
	});

	test.each([[[37, 3, 64, 64]], [[50, 17, 8, 8]], [[6, 1, 40, 40]]])(
		"the same bits on 1, 2 and 3 threads: %j",
		(shape) =>
			expectSameBits(() => {
				const x = normal(shape, 1, 0.5, 2).setRequiresGrad();
				const y = batchNorm(x, { training: true, activation: "sigmoid", averagePool: 2 });
				y.backward(normal([...y.shape], 4));
				return [y, x.grad];
			}),
	);

	test("means of windows of 2 x 2 also come where there is no pass to do them in", async () => {
		await init({ threads: 1 });
		const x = normal([4, 3, 4, 6], 1);
		const expected = avgPool2d(batchNorm(x, { training: true }), 2).dataSync();
		expect(batchNorm(x, { training: true, averagePool: 2 }).dataSync()).toEqual(expected);
		const virtual = { training: true, virtualBatchSize: 2, activation: "relu" } as const;
		expect(batchNorm(x, { ...virtual, averagePool: 2 }).dataSync()).toEqual(
			avgPool2d(batchNorm(x, virtual), 2).dataSync(),
		);
		const last = { training: true, channelAxis: -1, activation: "relu" } as const;
		expect(batchNorm(x, { ...last, averagePool: 2 }).dataSync()).toEqual(avgPool2d(batchNorm(x, last), 2).dataSync());
		expect(() => batchNorm(normal([4, 3, 1, 6], 1), { ...virtual, averagePool: 2 })).toThrow("avgPool2d: a window");
	});

	test("backward overwrites what the activation gave only where nobody else holds it", async () => {
		await init({ threads: 2 });
		const gradient = (held: boolean) => {
			const x = normal([20, 3, 6, 6], 1).setRequiresGrad();
			const y = batchNorm(x, { training: true, activation: "sigmoid" });
			const before = y.dataSync();
			const z = add(y, 1);
			if (!held) y.dispose();
			z.backward(normal([20, 3, 6, 6], 4));
			if (held) expect(y.dataSync()).toEqual(before);
			return x.grad?.dataSync();
		};
		expect(gradient(false)).toEqual(gradient(true));
	});

	test.each([undefined, 2 as const])(
		"backward twice, with retainGraph the first time, averagePool %s",
		async (averagePool) => {
			await init({ threads: 2 });
			const x = normal([20, 3, 6, 6], 1).setRequiresGrad();
			const y = batchNorm(x, { training: true, activation: "sigmoid", averagePool });
			const gradient = (retainGraph: boolean) => {
				x.grad = null;
				y.backward(normal([...y.shape], 4), { retainGraph });
				return (x.grad as Tensor | null)?.dataSync();
			};
			expect(gradient(true)).toEqual(gradient(false));
		},
	);

	test("NaN and what is refused come through as before", async () => {
		await init({ threads: 1 });
		const x = tensor([1, Number.NaN, 2, 3], [1, 1, 4]);
		expect(() => batchNorm(x, { training: true, activation: "relu" })).toThrow("holds NaN in example 0");
		const y = batchNorm(x, { ...buffers(1), activation: "sigmoid" }).dataSync();
		expect(y[1]).toBeNaN();
		expect(() => batchNorm(x, { ...buffers(1), activation: "gelu" as "relu" })).toThrow('relu or sigmoid, got "gelu"');
	});
});
