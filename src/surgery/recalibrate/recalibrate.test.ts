// Statistics that are exact, whatever the split; and everything that must stay as it was.

import { beforeAll, describe, expect, test } from "vitest";
import "../../autograd/backward.ts";
import { onEachBackend } from "../../../test/support/backends.ts";
import { init } from "../../backend/init.ts";
import { DataLoader } from "../../data/data-loader.ts";
import { TensorDataset } from "../../data/dataset.ts";
import * as nn from "../../nn/index.ts";
import { tensor, zeros } from "../../ops/creation.ts";
import { slice } from "../../ops/shape/op.ts";
import { Generator, manualSeed } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import { liveTensors, type Tensor } from "../../tensor/tensor.ts";
import { type RecalibrationMode, type RecalibrationProgress, recalibrate } from "../index.ts";

const normal = (shape: readonly number[], seed: number, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);

/** A network with every kind of norm that keeps statistics, in a chain. */
function mixed(): nn.Sequential {
	manualSeed(5);
	return new nn.Sequential(
		new nn.Conv2d(2, 6, 3),
		new nn.BatchNorm2d(6),
		new nn.ReLU(),
		new nn.Conv2d(6, 5, 3),
		new nn.SwitchableNorm2d(5),
		new nn.Sigmoid(),
		new nn.Dropout(0.5),
		new nn.Conv2d(5, 4, 1),
		new nn.BatchRenorm2d(4),
		new nn.Flatten(),
		new nn.Linear(64, 9),
		new nn.BatchNorm1d(9, { runningVariance: "biased", virtualBatchSize: 4 }),
		new nn.ReLU(),
		new nn.Linear(9, 3),
	);
}

const tracked = (net: nn.Module) => net.modules().filter((module) => "runningMean" in module && module.runningMean);

/** Running means and variances, one list a layer. */
function statistics(net: nn.Module) {
	return tracked(net).map((module) => {
		const { runningMean, runningVar } = module as nn.BatchNorm2d;
		return { mean: [...(runningMean?.dataSync() ?? [])], variance: [...(runningVar?.dataSync() ?? [])] };
	});
}

/** The largest difference: of means in deviations, of variances as a fraction. */
function difference(a: ReturnType<typeof statistics>, b: ReturnType<typeof statistics>): number {
	const each = a.flatMap(({ mean, variance }, layer) =>
		mean.flatMap((value, i) => [
			Math.abs(value - b[layer].mean[i]) / Math.sqrt(b[layer].variance[i]),
			Math.abs(variance[i] / b[layer].variance[i] - 1),
		]),
	);
	return Math.max(...each);
}

/** Mean and variance of what each norm is given in evaluation, in float64, over all of `x` at once. */
function given(net: nn.Module, x: Tensor): ReturnType<typeof statistics> {
	const found = new Map<nn.Module, { mean: number[]; variance: number[] }>();
	const removers = tracked(net).map((module) =>
		module.registerForwardHook((_, [input]) => {
			const [n, c, ...space] = input.shape;
			const s = space.reduce((a, b) => a * b, 1);
			const values = input.dataSync();
			const own = (channel: number) => Array.from(values).filter((_, i) => Math.floor(i / s) % c === channel);
			const biased = "runningVariance" in module && module.runningVariance === "biased";
			const channels = Array.from({ length: c }, (_, channel) => {
				const list = own(channel);
				const mean = list.reduce((a, b) => a + b, 0) / (n * s);
				return { mean, variance: list.reduce((a, b) => a + (b - mean) ** 2, 0) / (n * s - (biased ? 0 : 1)) };
			});
			found.set(module, { mean: channels.map(({ mean }) => mean), variance: channels.map(({ variance }) => variance) });
			return undefined;
		}),
	);
	scope(() => void net.eval().forward(x));
	for (const remove of removers) remove();
	return tracked(net).map((module) => found.get(module) ?? { mean: [], variance: [] });
}

/** `x` in batches of so many rows each. */
function split(x: Tensor, rows: readonly number[]): Tensor[] {
	let begin = 0;
	return rows.map((count) => {
		begin += count;
		return slice(x, 0, begin - count, begin);
	});
}

const uneven = [1, 7, 2, 1, 13, 16];
const whole = 40;
const images = (seed = 1) => normal([whole, 2, 8, 8], seed, 0.5, 2);

describe.each<RecalibrationMode>(["per-layer", "one-pass"])("%s", (mode) => {
	onEachBackend("splitting the data otherwise leaves the result the same", () => {
		test("to 1e-6", async () => {
			const results: ReturnType<typeof statistics>[] = [];
			const x = images();
			for (const data of [x, split(x, uneven), split(x, new Array(whole).fill(1)), split(x, [39, 1])]) {
				const net = mixed();
				await recalibrate(net, data, { mode });
				results.push(statistics(net));
			}
			for (const other of results.slice(1)) expect(difference(other, results[0])).toBeLessThan(1e-6);
		});
	});
});

onEachBackend("per-layer", ({ exact }) => {
	test("every norm has the mean and variance of what it is given from then on", async () => {
		const net = mixed();
		const x = images();
		const report = await recalibrate(net, x, { batchSize: 16 });
		expect(difference(statistics(net), given(net, x))).toBeLessThan(exact ? 1e-9 : 3e-6);
		expect(report).toMatchObject({ mode: "per-layer", passes: 4, batches: 3, examples: 40, skipped: [] });
		expect(
			report.layers.map(({ layer, type, channels, count, calls }) => [layer, type, channels, count, calls]),
		).toEqual([
			["1", "BatchNorm2d", 6, 40 * 36, 1],
			["4", "SwitchableNorm2d", 5, 40 * 16, 1],
			["8", "BatchRenorm2d", 4, 40 * 16, 1],
			["11", "BatchNorm1d", 9, 40, 1],
		]);
	});

	test("far means lose nothing", async () => {
		const net = new nn.Sequential(new nn.BatchNorm1d(3));
		const x = normal([64, 3], 2, 1e4, 1);
		await recalibrate(net, split(x, [1, 1, 60, 2]));
		expect(difference(statistics(net), given(net, x))).toBeLessThan(exact ? 1e-9 : 1e-3);
	});
});

beforeAll(async () => {
	await init({ threads: 1 });
});

describe("the modes differ in what stands before a norm", () => {
	test("in one pass the first norm is exact, and each further pass makes one more so", async () => {
		const net = mixed();
		const x = images();
		const wrong: number[] = [];
		for (let pass = 0; pass < 4; pass++) {
			await recalibrate(net, x, { mode: "one-pass" });
			const [is, should] = [statistics(net), given(net, x)];
			wrong.push(is.findIndex((_, layer) => difference([is[layer]], [should[layer]]) > 1e-4));
		}
		expect(wrong).toEqual([1, 2, 3, -1]);
	});

	test("by batch, statistics are those of training, and depend on the batches", async () => {
		const x = images();
		const net = new nn.Sequential(
			new nn.Conv2d(2, 3, 3),
			new nn.BatchNorm2d(3),
			new nn.ReLU(),
			new nn.Conv2d(3, 4, 3),
			new nn.BatchNorm2d(4),
		);
		const trained = new nn.Sequential(...net).train();
		await recalibrate(net, x, { mode: "by-batch", batchSize: 40 });
		const estimated = statistics(net);
		for (const module of tracked(trained)) (module as nn.BatchNorm2d).momentum = 1;
		scope(() => void trained.forward(x));
		expect(difference(estimated, statistics(trained))).toBeLessThan(1e-6);
		await recalibrate(net, x, { mode: "by-batch", batchSize: 2 });
		expect(difference([statistics(net)[0]], [estimated[0]])).toBeLessThan(1e-6);
		expect(difference([statistics(net)[1]], [estimated[1]])).toBeGreaterThan(0.01);
	});
});

describe("what is told of it", () => {
	test("how far the statistics moved", async () => {
		const net = new nn.Sequential(new nn.BatchNorm1d(3, { eps: 0 }));
		const x = tensor([1, 0, -4, 1, 2, 4, 1, 4, 0], [3, 3]);
		const report = await recalibrate(net, x);
		expect(statistics(net)[0]).toEqual({ mean: [1, 2, 0], variance: [0, 4, 16] });
		const [{ meanShift, varianceRatio }] = report.layers;
		expect({ meanShift, varianceRatio }).toEqual({
			meanShift: { median: 1, largest: 2 },
			varianceRatio: { smallest: 0, median: expect.closeTo(4, 5), largest: expect.closeTo(16, 5) },
		});
	});

	test("progress, batch by batch", async () => {
		const seen: RecalibrationProgress[] = [];
		await recalibrate(mixed(), images(), { batchSize: 20, progress: (report) => seen.push(report) });
		expect(seen.map(({ pass, passes, layer, batch, batches }) => [pass, passes, layer, batch, batches])).toEqual(
			["1", "4", "8", "11"].flatMap((layer, i) => [
				[i + 1, 4, layer, 1, 2],
				[i + 1, 4, layer, 2, 2],
			]),
		);
		expect(seen.at(-1)?.secondsLeft).toBe(0);
		expect(seen[0].secondsLeft).toBeGreaterThan(0);
	});

	test("norms that are left alone, and why", async () => {
		class Net extends nn.Module {
			first = new nn.BatchNorm1d(3).freeze();
			second = new nn.BatchNorm1d(3, { trackRunningStats: false });
			third = new nn.BatchNorm1d(3);
			unused = new nn.BatchNorm1d(3);
			last = new nn.LayerNorm(3);
			override forward(x: Tensor): Tensor {
				return this.last.forward(this.third.forward(this.second.forward(this.first.forward(x))));
			}
		}
		const net = new Net();
		const report = await recalibrate(net, normal([10, 3], 1, 5));
		expect(report.layers.map(({ layer }) => layer)).toEqual(["third"]);
		expect(report.skipped.map(({ layer, reason }) => `${layer}: ${reason}`)).toEqual([
			"first: it is frozen; unfreeze() it first",
			"second: it keeps no running statistics (trackRunningStats is false)",
			"unused: it did not run",
		]);
		expect(statistics(net)[0]).toEqual({ mean: [0, 0, 0], variance: [1, 1, 1] });
		net.third.freeze();
		await expect(recalibrate(net, normal([10, 3], 1))).rejects.toThrow(
			'recalibrate: there is no norm to re-estimate: of 4 the first, BatchNorm1d "first", is left alone: it is frozen',
		);
		await expect(recalibrate(new nn.Linear(3, 3), normal([10, 3], 1))).rejects.toThrow(/has no norm with running/);
	});

	test("a layer that runs twice: all its inputs count alike", async () => {
		class Twice extends nn.Module {
			bn = new nn.BatchNorm1d(1);
			override forward(x: Tensor): Tensor {
				this.bn.forward(x);
				return this.bn.forward(zeros(x.shape));
			}
		}
		const net = new Twice();
		const { layers } = await recalibrate(net, split(tensor([4, 8, 4, 8], [4, 1]), [1, 3]));
		expect(layers[0]).toMatchObject({ calls: 2, count: 8 });
		expect(statistics(net)[0].mean).toEqual([3]);
	});
});

describe("the layer's own conventions", () => {
	test("the count of batches stays, and a cumulative average goes on from the estimate", async () => {
		const net = new nn.Sequential(new nn.BatchNorm1d(1, { momentum: null }));
		const bn = net.at(0) as nn.BatchNorm1d;
		await recalibrate(net, split(tensor([2, 4, 6], [3, 1]), [1, 1, 1]));
		expect(bn.numBatchesTracked?.item()).toBe(3);
		scope(() => void net.train().forward(tensor([8, 8], [2, 1])));
		expect(bn.runningMean?.item()).toBe((3 * 4 + 8) / 4);
		await recalibrate(net, tensor([2, 4, 6], [3, 1]));
		expect(bn.numBatchesTracked?.item()).toBe(4);
	});

	test("masked positions do not count, and may hold anything", async () => {
		class Masked extends nn.Module {
			bn = new nn.BatchNorm1d(2);
			override forward(x: Tensor, mask: Tensor): Tensor {
				return this.bn.forward(x, mask);
			}
		}
		const net = new Masked();
		const x = tensor([1, 3, Number.NaN, 10, 30, 50, 5, 100, 100, 70, 0, 0], [2, 2, 3]);
		const mask = tensor([1, 1, 0, 1, 0, 0], [2, 3], { dtype: "uint8" });
		const report = await recalibrate(net, [[x, mask]]);
		expect(statistics(net)[0]).toEqual({
			mean: [3, expect.closeTo(110 / 3, 5)],
			variance: [4, expect.closeTo(2800 / 3, 3)],
		});
		expect(report.layers[0].count).toBe(3);
		const none = zeros([2, 3], { dtype: "uint8" });
		await expect(recalibrate(net, [[x, none]])).rejects.toThrow(/BatchNorm1d "bn": it was given 0 values a channel/);
		await expect(recalibrate(net, [[x, zeros([2, 2])]])).rejects.toThrow(/mask has shape \[2, 2\]/);
	});

	test("channels on another axis, three dimensions, a lazy layer", async () => {
		const last = new nn.Sequential(new nn.BatchNorm2d(3, { channelAxis: -1 }));
		await recalibrate(last, tensor([1, 10, 100, 3, 30, 300], [1, 1, 2, 3]));
		expect(statistics(last)[0]).toEqual({ mean: [2, 20, 200], variance: [2, 200, 20000] });
		const volume = new nn.Sequential(new nn.BatchNorm3d(2));
		await recalibrate(volume, tensor([1, 3, 4, 8], [1, 2, 1, 1, 2]));
		expect(statistics(volume)[0]).toEqual({ mean: [2, 6], variance: [2, 8] });
		const lazy = new nn.Sequential(new nn.LazyBatchNorm1d());
		const { layers } = await recalibrate(lazy, tensor([1, 4, 3, 8], [2, 2]));
		expect([layers[0].channels, statistics(lazy)[0]]).toEqual([2, { mean: [2, 6], variance: [2, 8] }]);
	});

	test("instance norm that tracks: the average over examples, each counting the same", async () => {
		const x = normal([5, 2, 6], 3, 1, 3);
		const net = new nn.Sequential(new nn.InstanceNorm1d(2, { trackRunningStats: true, momentum: 1 }));
		scope(() => void net.forward(x));
		const [trained] = statistics(net);
		await recalibrate(net, split(x, [1, 3, 1]));
		expect(difference(statistics(net), [trained])).toBeLessThan(1e-6);
		await expect(recalibrate(net, normal([5, 2, 1], 3))).rejects.toThrow(
			/a channel of one example holds a single value/,
		);
	});

	test("a single value a channel has no variance", async () => {
		const net = new nn.Sequential(new nn.BatchNorm1d(2));
		await expect(recalibrate(net, normal([1, 2], 1))).rejects.toThrow(
			'recalibrate: BatchNorm1d "0": it was given 1 values a channel, and a variance takes two; give more data',
		);
	});
});

describe("what is wrong ends it, and leaves the network as it was", () => {
	const stateOf = (net: nn.Module) => Object.values(net.stateDict()).map((value) => [...value.dataSync()]);

	test.each<RecalibrationMode>(["per-layer", "one-pass", "by-batch"])("NaN in the data, %s", async (mode) => {
		const net = mixed();
		const state = stateOf(net);
		const x = images();
		x.view()[20 * 128 + 3] = Number.NaN;
		await expect(recalibrate(net, x, { mode, batchSize: 16 })).rejects.toThrow(
			'recalibrate: BatchNorm2d "1": channel 0 of what it is given holds NaN (example 5 of batch 2); the network was left as it was',
		);
		expect(stateOf(net)).toEqual(state);
	});

	test("NaN in weights behind a norm that has its statistics already", async () => {
		const net = mixed();
		(net.at(10) as nn.Linear).weight.view()[64 * 2] = Number.POSITIVE_INFINITY;
		const state = stateOf(net);
		await expect(recalibrate(net, images())).rejects.toThrow(/BatchNorm1d "11": channel 2 of what it is given holds/);
		expect(stateOf(net)).toEqual(state);
	});

	test("running statistics spoiled by an earlier NaN are repaired, layer norm behind them or not", async () => {
		const net = new nn.Sequential(
			new nn.Linear(4, 6),
			new nn.BatchNorm1d(6),
			new nn.LayerNorm(6),
			new nn.BatchNorm1d(6),
		);
		for (const module of tracked(net)) (module as nn.BatchNorm1d).runningMean?.view().fill(Number.NaN);
		const x = normal([30, 4], 1);
		const { layers } = await recalibrate(net, x);
		expect(layers.map(({ layer }) => layer)).toEqual(["1", "3"]);
		expect(difference(statistics(net), given(net, x))).toBeLessThan(3e-6);
	});

	test("an abort", async () => {
		const net = mixed();
		const state = stateOf(net);
		const controller = new AbortController();
		const progress = ({ pass }: RecalibrationProgress) => {
			if (pass === 3) controller.abort(new Error("enough"));
		};
		await expect(recalibrate(net, images(), { signal: controller.signal, progress })).rejects.toThrow("enough");
		expect(stateOf(net)).toEqual(state);
	});

	test("modes, hooks, gradients, memory and random numbers stay", async () => {
		const net = mixed();
		const x = images();
		net.train();
		net.at(4)?.eval();
		const modes = net.modules().map(({ training }) => training);
		const alive = liveTensors();
		for (const mode of ["per-layer", "one-pass", "by-batch"] as const)
			await recalibrate(net, x, { mode, batchSize: 8 });
		expect(liveTensors()).toBeLessThanOrEqual(alive + 3);
		expect(net.modules().map(({ training }) => training)).toEqual(modes);
		expect(net.modules().some(({ observed }) => observed)).toBe(false);
	});
});

describe("data", () => {
	const norm = () => new nn.Sequential(new nn.BatchNorm1d(1), new nn.BatchNorm1d(1));
	const first = (net: nn.Module) => statistics(net)[0].mean[0];
	const rows = () => tensor([1, 3, 5, 7], [4, 1]);

	test("a data set, a loader, batches, an asynchronous source, one that starts anew", async () => {
		const dataset = new TensorDataset(rows(), tensor([0, 0, 0, 0], [4], { dtype: "int32" }));
		const anew = {
			*[Symbol.iterator]() {
				yield* split(rows(), [1, 3]);
			},
		};
		const later = {
			async *[Symbol.asyncIterator]() {
				yield* split(rows(), [3, 1]);
			},
		};
		const loader = new DataLoader(dataset, { batchSize: 3, shuffle: true, seed: 1 });
		for (const data of [rows(), dataset, loader, split(rows(), [2, 2]), anew, later]) {
			const net = norm();
			const { examples } = await recalibrate(net, data);
			expect([first(net), examples]).toEqual([4, 4]);
		}
	});

	test("images as bytes, normalized", async () => {
		const bytes = tensor(Uint8Array.from([0, 51, 102, 255]), [4, 1, 1, 1]);
		const net = new nn.Sequential(new nn.BatchNorm2d(1));
		await recalibrate(net, bytes, { transform: { mean: 0.4, std: 0.1 } });
		expect(first(net)).toBeCloseTo(0, 6);
	});

	test("what can be gone through once, for one pass", async () => {
		const once = () => split(rows(), [2, 2])[Symbol.iterator]();
		await expect(recalibrate(norm(), once())).rejects.toThrow(
			/2 norms take 2 passes over the data, and an iterator can be gone through once; give an array/,
		);
		const net = norm();
		await recalibrate(net, once(), { mode: "one-pass" });
		expect(first(net)).toBe(4);
		const used = once();
		await expect(recalibrate(norm(), { [Symbol.iterator]: () => used })).rejects.toThrow(
			"recalibrate: the data had no examples left in pass 2; it must start anew each time it is gone through",
		);
	});

	test("none, and options that say twice what there is", async () => {
		await expect(recalibrate(norm(), [])).rejects.toThrow("recalibrate: the data has no examples");
		await expect(recalibrate(norm(), zeros([0, 1]))).rejects.toThrow("recalibrate: the data has no examples");
		await expect(recalibrate(norm(), [rows()], { batchSize: 2 })).rejects.toThrow(/in batches already; leave it out/);
		const loader = new DataLoader(new TensorDataset(rows(), rows()), { batchSize: 2 });
		await expect(recalibrate(norm(), loader, { batchSize: 2 })).rejects.toThrow(/has its own, 2; leave it out/);
		await expect(recalibrate(norm(), rows(), { mode: "fast" as "one-pass" })).rejects.toThrow(/got "fast"/);
	});
});
