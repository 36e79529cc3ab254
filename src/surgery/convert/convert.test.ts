// Norms exchanged in place: what carries over, what computes the same, and what is left to do.

import { beforeAll, describe, expect, test } from "vitest";
import { backward } from "../../autograd/backward.ts";
import { init } from "../../backend/init.ts";
import * as nn from "../../nn/index.ts";
import { tensor } from "../../ops/creation.ts";
import { groupNorm } from "../../ops/norm/group-norm/op.ts";
import { SGD } from "../../optim/index.ts";
import { buildNetwork, presetNamed } from "../../presets/index.ts";
import { Generator, manualSeed } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { convertNorms, type NormTarget } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
	manualSeed(3);
});

const normal = (shape: readonly number[], seed = 1, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);

/** Scale, shift and running statistics like those of a trained network. */
function trained<Net extends nn.Module>(net: Net): Net {
	const random = new Generator(9);
	for (const module of net.modules()) {
		for (const name of ["weight", "bias", "runningMean", "runningVar"]) {
			const values: unknown = Reflect.get(module, name);
			if (!values || !("runningMean" in module)) continue;
			const low = name === "bias" || name === "runningMean" ? -1 : 0.5;
			random.fillUniform((values as Tensor).view() as Float32Array, low, 2);
		}
		const count: Tensor | undefined = Reflect.get(module, "numBatchesTracked") ?? undefined;
		count?.view().fill(7);
	}
	return net.eval();
}

const convNet = () =>
	trained(
		new nn.Sequential(
			new nn.Conv2d(2, 6, 3),
			new nn.BatchNorm2d(6),
			new nn.ReLU(),
			new nn.Conv2d(6, 8, 3),
			new nn.BatchNorm2d(8, { eps: 1e-3 }),
			new nn.Sigmoid(),
			new nn.Flatten(),
			new nn.Linear(32, 6),
			new nn.BatchNorm1d(6),
			new nn.ReLU(),
			new nn.Linear(6, 3),
		),
	);
const images = () => normal([5, 2, 6, 6]);
const run = (net: nn.Module, x: Tensor) => [...scope(() => net.eval().forward(x)).dataSync()];
const types = (net: nn.Module) => net.modules().map((module) => module.constructor.name);
const norms = (net: nn.Module) => types(net).filter((name) => /norm|affine/i.test(name));

describe("to group norm", () => {
	test("scale and shift stay the same parameters, under the same names", async () => {
		const net = convNet();
		const parameters = [...net.namedParameters()];
		const report = await convertNorms(net, { to: "group", numGroups: 4 });
		expect([...net.namedParameters()]).toEqual(parameters);
		for (const [i, [, parameter]] of [...net.namedParameters()].entries()) expect(parameter).toBe(parameters[i][1]);
		expect(report).toMatchObject({ to: "group", exact: false, needs: "fine-tuning", parametersChanged: false });
		expect(report.converted).toEqual([
			expect.objectContaining({ layer: "1", from: "BatchNorm2d", to: "GroupNorm(3 groups)", needs: "fine-tuning" }),
			expect.objectContaining({ layer: "4", to: "GroupNorm(4 groups)", note: null }),
			expect.objectContaining({ layer: "8", from: "BatchNorm1d", to: "GroupNorm(3 groups)" }),
		]);
		expect(report.converted[0].note).toBe("4 groups do not fit 6 channels");
		expect([...net.namedBuffers()]).toEqual([]);
		const { weight, bias, eps } = net.at(4) as nn.GroupNorm;
		expect(eps).toBe(1e-3);
		const x = normal([2, 8, 3, 3]);
		expect(net.at(4)?.forward(x).dataSync()).toEqual(groupNorm(x, 4, { weight, bias, eps }).dataSync());
		expect(net.at(4)?.label).toBe('GroupNorm "4"');
	});

	test("an optimizer that was made before goes on", async () => {
		const net = convNet().train();
		const optimizer = new SGD(net.namedParameters(), { lr: 0.1, momentum: 0.9 });
		await convertNorms(net, { to: "group", numGroups: 2 });
		const { weight } = net.at(1) as nn.GroupNorm;
		const before = weight?.dataSync();
		scope(() => backward(net.forward(images()), normal([5, 3], 4)));
		optimizer.step();
		expect(weight?.dataSync()).not.toEqual(before);
	});

	test("features of a linear layer are never alone in a group, which would make them zero", async () => {
		for (const channels of [2, 3, 6, 7, 120]) {
			const net = trained(new nn.Sequential(new nn.Linear(4, channels), new nn.BatchNorm1d(channels)));
			await convertNorms(net, { to: "group", numGroups: channels });
			const { numGroups, bias } = net.at(1) as nn.GroupNorm;
			expect(numGroups).toBeLessThanOrEqual(channels / 2);
			const [first, second] = [normal([1, 4], 1), normal([1, 4], 2)].map((x) => run(net, x));
			expect(first).not.toEqual([...(bias?.dataSync() ?? [])]);
			if (channels > 2) expect(first).not.toEqual(second);
		}
	});

	test("neither where what stands before the norm is not known, nor are modes or paths lost there", async () => {
		class Own extends nn.Module {
			flat = new nn.BatchNorm1d(8);
			images = new nn.BatchNorm2d(8);
			override forward(x: Tensor): Tensor {
				return this.flat.forward(x);
			}
		}
		const net = new Own();
		net.images.eval();
		await convertNorms(net, { to: "group", numGroups: 8 });
		const [flat, spatial] = [net.flat, net.images] as nn.Module[] as nn.GroupNorm[];
		expect([flat.numGroups, spatial.numGroups, flat.training, spatial.training]).toEqual([4, 8, true, false]);
		expect([flat.path, spatial.path]).toEqual(["flat", "images"]);
		const other = new Own();
		await convertNorms(other, { to: "instance", only: (_, path) => path === "images" });
		expect(norms(other)).toEqual(["BatchNorm1d", "InstanceNorm2d"]);
		await expect(convertNorms(other, { to: "instance" })).rejects.toThrow(
			/BatchNorm1d "flat": what shape it is given is not/,
		);
	});

	test("groups by default: 32, and 16 features each of a linear layer", async () => {
		const net = new nn.Sequential(
			new nn.Conv2d(1, 64, 1),
			new nn.BatchNorm2d(64),
			new nn.Flatten(),
			new nn.Linear(64, 120),
			new nn.BatchNorm1d(120),
		);
		await convertNorms(net, { to: "group" });
		expect([1, 4].map((at) => (net.at(at) as nn.GroupNorm).numGroups)).toEqual([32, 6]);
		const { converted, skipped } = await convertNorms(net, { to: "group" });
		expect([converted, skipped.map(({ reason }) => reason)]).toEqual([
			[],
			["it is GroupNorm(32 groups) already", "it is GroupNorm(6 groups) already"],
		]);
		const small = await convertNorms(net, { to: "group", numGroups: 60, only: (_, path) => path === "4" });
		expect(small.converted[0].note).toBe("a group is 2 values, which leaves little but their order");
	});

	test("layers without scale or shift stay without", async () => {
		const net = trained(
			new nn.Sequential(new nn.BatchNorm2d(4, { affine: false }), new nn.BatchNorm2d(4, { bias: false })),
		);
		await convertNorms(net, { to: "group", numGroups: 2 });
		expect([...net.namedParameters()].map(([name]) => name)).toEqual(["1.weight"]);
	});
});

describe("what is exact in evaluation is the same bit for bit, and back again", () => {
	const cases: [string, () => nn.Module, readonly number[]][] = [
		["a network, activations fused", convNet, [5, 2, 6, 6]],
		["residual blocks", () => trained(buildNetwork(presetNamed("resnet-mini"), { norm: "batch" })), [2, 1, 28, 28]],
		["[N, C, L]", () => trained(new nn.Sequential(new nn.Conv1d(2, 4, 3), new nn.BatchNorm1d(4))), [3, 2, 9]],
		["five axes", () => trained(new nn.Sequential(new nn.BatchNorm3d(4))), [2, 4, 2, 3, 2]],
		[
			"no scale, biased",
			() => trained(new nn.Sequential(new nn.BatchNorm2d(4, { affine: false, runningVariance: "biased" }))),
			[3, 4, 2, 2],
		],
	];

	test.each(cases)("%s", async (_, build, shape) => {
		for (const to of ["frozen-affine", "batch-renorm"] as const) {
			const net = build();
			const x = normal(shape);
			const expected = run(net, x);
			const before = norms(net);
			const report = await convertNorms(net, { to });
			expect(report).toMatchObject({ exact: true, needs: "nothing", skipped: [], recalibration: null });
			expect(new Set(norms(net).map((name) => name.replace(/\dd$/, "")))).toEqual(
				new Set([to === "frozen-affine" ? "FrozenAffine" : "BatchRenorm"]),
			);
			expect(run(net, x)).toEqual(expected);
			const back = await convertNorms(net, { to: "batch", data: [x] });
			expect(back).toMatchObject({ exact: true, needs: "nothing", recalibration: null });
			expect([norms(net), run(net, x)]).toEqual([before, expected]);
		}
	});

	test("channels on the last axis", async () => {
		const net = trained(new nn.Sequential(new nn.BatchNorm2d(3, { channelAxis: -1 })));
		const x = normal([2, 4, 4, 3]);
		const expected = run(net, x);
		await convertNorms(net, { to: "frozen-affine" });
		expect(run(net, x)).toEqual(expected);
		await convertNorms(net, { to: "batch", data: [x] });
		expect(run(net, x)).toEqual(expected);
		await expect(convertNorms(net, { to: "batch-renorm" })).rejects.toThrow(/its channels are on the last axis/);
	});

	test("frozen affine is the same in training, has no parameters, and PyTorch's names", async () => {
		const net = convNet();
		const x = images();
		const expected = run(net, x);
		const report = await convertNorms(net.train(), { to: "frozen-affine" });
		expect(report.parametersChanged).toBe(true);
		expect(scope(() => net.forward(x)).dataSync()).toEqual(Float32Array.from(expected));
		expect([...net.namedParameters()].map(([name]) => name).filter((name) => /^[148]\./.test(name))).toEqual([]);
		expect(Object.keys(net.stateDict()).filter((name) => name.startsWith("1."))).toEqual([
			...["1.weight", "1.bias", "1.running_mean", "1.running_var"],
		]);
		const other = convNet();
		trained(other);
		expect(other.loadStateDict(net.stateDict()).missing).toEqual([]);
		expect(run(other, x)).toEqual(expected);
	});

	test("batch renorm takes count, convention and bounds along, and stays frozen", async () => {
		const net = trained(new nn.Sequential(new nn.BatchNorm2d(4, { virtualBatchSize: 8 })));
		(net.at(0) as nn.BatchNorm2d).freeze({ affine: false });
		const report = await convertNorms(net, { to: "batch-renorm", renorm: { rMax: 2, dMax: 1 } });
		const made = net.at(0) as nn.BatchRenorm2d;
		const { rMax, dMax, frozen, runningVariance, numBatchesTracked, momentum } = made;
		expect([rMax, dMax, frozen, runningVariance, numBatchesTracked?.item(), momentum]).toEqual([
			2,
			1,
			true,
			"unbiased",
			7,
			0.01,
		]);
		expect(made.weight?.requiresGrad).toBe(true);
		expect(report.converted[0].note).toBe("it had virtual batches, which that norm has not");
		const biased = new nn.Sequential(new nn.BatchRenorm2d(4));
		await convertNorms(biased, { to: "batch" });
		expect(biased.at(0)).toMatchObject({ runningVariance: "biased", momentum: 0.1 });
	});
});

describe("to the norms of single examples, and among them", () => {
	test("layer and instance norm: what fits where a layer stands", async () => {
		const [first, second] = [convNet(), convNet()];
		await convertNorms(first, { to: "layer" });
		expect(norms(first)).toEqual(["GroupNorm", "GroupNorm", "LayerNorm"]);
		expect((first.at(1) as nn.GroupNorm).numGroups).toBe(1);
		const report = await convertNorms(second, { to: "instance" });
		expect(norms(second)).toEqual(["InstanceNorm2d", "InstanceNorm2d", "LayerNorm"]);
		expect(report.converted[2].note).toMatch(/layer norm in its place/);
		for (const net of [first, second]) {
			expect(run(net, images()).every(Number.isFinite)).toBe(true);
			expect(Object.keys(net.stateDict())).toContain("1.bias");
		}
	});

	test.each<[NormTarget, number | undefined, NormTarget, number | undefined]>([
		["group", 1, "layer", undefined],
		["layer", undefined, "group", 1],
		["instance", undefined, "group", 8],
	])("%s (%s) to %s (%s) is exact", async (first, firstGroups, then, thenGroups) => {
		const net = trained(new nn.Sequential(new nn.Conv2d(2, 8, 3), new nn.BatchNorm2d(8)));
		await convertNorms(net, { to: first, numGroups: firstGroups });
		const expected = run(net, images());
		const report = await convertNorms(net, { to: then, numGroups: thenGroups });
		expect(report.exact).toBe(true);
		for (const [i, value] of run(net, images()).entries()) expect(value).toBeCloseTo(expected[i], 5);
	});

	test("a layer that is used in two places is exchanged in both", async () => {
		class Twice extends nn.Module {
			first = new nn.BatchNorm2d(4);
			list = new nn.ModuleList([this.first, new nn.Sequential(new nn.BatchNorm2d(4))]);
			override forward(x: Tensor): Tensor {
				return [...this.list].reduce((y, module) => module.forward(y), this.first.forward(x));
			}
		}
		const net = trained(new Twice());
		const { converted } = await convertNorms(net, { to: "group", numGroups: 2 });
		expect(converted.map(({ layer }) => layer)).toEqual(["first", "list.1.0"]);
		expect(net.first.constructor.name).toBe("GroupNorm");
		expect(net.list.at(0)).toBe(net.first);
		run(net, normal([2, 4, 3, 3]));
	});

	test("some of them, by their paths; those that stay need other statistics", async () => {
		const net = convNet();
		const report = await convertNorms(net, { to: "group", numGroups: 2, only: (_, path) => path === "1" });
		expect(norms(net)).toEqual(["GroupNorm", "BatchNorm2d", "BatchNorm1d"]);
		expect(report.needs).toBe("recalibration");
		expect(report.skipped.map(({ layer, reason }) => `${layer} ${reason}`)).toEqual([
			"4 it was left out",
			"8 it was left out",
		]);
	});
});

describe("back to batch norm", () => {
	test("statistics come from data, or are said to be missing", async () => {
		const x = normal([80, 2, 6, 6]);
		const net = convNet();
		await convertNorms(net, { to: "group", numGroups: 2 });
		const report = await convertNorms(net, { to: "batch" });
		expect(report).toMatchObject({ exact: false, needs: "recalibration", recalibration: null });
		expect(norms(net)).toEqual(["BatchNorm2d", "BatchNorm2d", "BatchNorm1d"]);
		expect((net.at(1) as nn.BatchNorm2d).runningMean?.dataSync()).toEqual(new Float32Array(6));

		const other = convNet();
		await convertNorms(other, { to: "group", numGroups: 2 });
		const done = await convertNorms(other, { to: "batch", data: x, recalibrate: { batchSize: 11 } });
		expect(done.recalibration?.layers.map(({ layer }) => layer)).toEqual(["1", "4", "8"]);
		expect([done.needs, done.converted[0].needs]).toEqual(["fine-tuning", "fine-tuning"]);
		const after = run(other, x);
		for (const module of other.modules())
			if (module instanceof nn.BatchNorm2d || module instanceof nn.BatchNorm1d) module.momentum = 1;
		const inTraining = [...scope(() => other.train().forward(x)).dataSync()];
		for (const [i, value] of after.entries()) expect(value).toBeCloseTo(inTraining[i], 1);
	});

	test("what a norm is given, where nothing says so, is taken from data", async () => {
		class Own extends nn.Module {
			norm = new nn.GroupNorm(2, 4);
			last = new nn.LayerNorm(5);
			override forward(x: Tensor): Tensor {
				return this.last.forward(this.norm.forward(x));
			}
		}
		const net = new Own();
		await expect(convertNorms(net, { to: "batch" })).rejects.toThrow(
			'convertNorms: 2 of 2 norms cannot become "batch", so nothing was changed: GroupNorm "norm": what shape it is given is not known; pass data',
		);
		expect(norms(net)).toEqual(["GroupNorm", "LayerNorm"]);
		await convertNorms(net, { to: "batch", data: [normal([6, 4, 5])] });
		expect(norms(net)).toEqual(["BatchNorm1d", "BatchNorm1d"]);
		expect((net.last as nn.Module as nn.BatchNorm1d).channelAxis).toBe(-1);
		run(net, normal([6, 4, 5]));
	});

	test("data that cannot be used leaves the network as it was", async () => {
		const net = convNet();
		await convertNorms(net, { to: "layer" });
		const before = [...net];
		const x = images();
		x.view()[3] = Number.NaN;
		await expect(convertNorms(net, { to: "batch", data: x })).rejects.toThrow(/NaN/);
		x.view()[3] = 0;
		x.view()[4 * 72 + 3] = Number.NaN;
		const recalibrate = { batchSize: 2 };
		await expect(convertNorms(net, { to: "batch", data: x, recalibrate })).rejects.toThrow(/example 1 of batch 3/);
		expect([...net].every((module, i) => module === before[i])).toBe(true);
		await expect(convertNorms(net, { to: "batch", data: [] })).rejects.toThrow(/the data has no examples/);
		await expect(convertNorms(net, { to: "batch", data: [images()][Symbol.iterator]() })).rejects.toThrow(
			/gone through once/,
		);
		expect([...net]).toEqual(before);
	});
});
