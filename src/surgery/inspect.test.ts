// Networks with a planted mistake, each found and named; sound ones, in which nothing is found.

import { beforeAll, describe, expect, test } from "vitest";
import "../autograd/backward.ts";
import { init } from "../backend/init.ts";
import * as nn from "../nn/index.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { add } from "../ops/elementwise/op.ts";
import { AdamW, noWeightDecayOnNorms, SGD } from "../optim/index.ts";
import { Generator, manualSeed } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Finding, type InspectOptions, inspectNorms } from "./index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
	manualSeed(1);
});

const normal = (shape: readonly number[], seed: number, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);
const images = (seed: number, mean = 0) => normal([32, 3, 8, 8], seed, mean);
const rows = (seed: number) => normal([64, 10], seed);

/** Lets the running statistics of `net` settle on such data. */
function settled<Net extends nn.Module>(net: Net, batch: (seed: number) => Tensor): Net {
	net.train();
	for (let seed = 0; seed < 60; seed++) scope(() => void net.forward(batch(seed)));
	return net;
}

const conv = (from: number, to: number) => new nn.Conv2d(from, to, 3, { padding: 1, bias: false });
const linear = (from: number, to: number) => new nn.Linear(from, to, { bias: false });
const small = () => new nn.Sequential(conv(3, 8), new nn.BatchNorm2d(8), new nn.Sigmoid(), conv(8, 4));
const kinds = (findings: readonly Finding[]) => findings.map(({ layer, kind }) => `${layer} ${kind}`);

function bn(net: nn.Sequential, at = 1): nn.BatchNorm2d {
	return net.at(at) as nn.BatchNorm2d;
}

/** Layers that only forward puts in order. */
class Written extends nn.Module {
	act = new nn.Sigmoid();
	bn = new nn.BatchNorm2d(8);
	conv = new nn.Conv2d(3, 8, 3);
	override forward(x: Tensor): Tensor {
		return this.act.forward(this.bn.forward(this.conv.forward(x)));
	}
}

/** x + f(x), with the sum a function: what reads what is then not always known. */
class Residual extends nn.Module {
	body = new nn.Sequential(conv(8, 8), new nn.BatchNorm2d(8), new nn.Sigmoid(), conv(8, 8), new nn.BatchNorm2d(8));
	override forward(x: Tensor): Tensor {
		return add(x, this.body.forward(x));
	}
}

describe("a planted mistake is found", () => {
	interface Planted {
		name: string;
		net(): nn.Module;
		options?(net: nn.Module): Partial<InspectOptions>;
		finds: string[];
		evidence: RegExp;
		remedy: RegExp;
	}
	const planted: Planted[] = [
		{
			name: "a batch too small on each replica",
			net: () => settled(small(), images),
			options: () => ({ batchSize: 64, replicas: 8 }),
			finds: ["1 small-batch"],
			evidence: /batch size 64 over 8 replicas: its statistics are of 8 examples/,
			remedy: /group norm/,
		},
		{
			name: "virtual batches too small",
			net: () => settled(new nn.Sequential(conv(3, 8), new nn.BatchNorm2d(8, { virtualBatchSize: 4 })), images),
			finds: ["1 small-batch"],
			evidence: /virtual batches of 4/,
			remedy: /virtualBatchSize of at least 16/,
		},
		{
			name: "batch norm, then dropout",
			net: () =>
				settled(
					new nn.Sequential(linear(10, 8), new nn.BatchNorm1d(8), new nn.ReLU(), new nn.Dropout(0.5), linear(8, 4)),
					rows,
				),
			finds: ["1 norm-before-dropout"],
			evidence: /Dropout "3" \(p 0.5\)/,
			remedy: /without dropout/,
		},
		{
			name: "dropout, then batch norm",
			net: () => settled(new nn.Sequential(new nn.Dropout(0.4), linear(10, 8), new nn.BatchNorm1d(8)), rows),
			finds: ["2 dropout-before-norm"],
			evidence: /Dropout "0" \(p 0.4\) runs before it/,
			remedy: /behind the last batch norm/,
		},
		{
			name: "a bias that batch norm cancels",
			net: () => settled(new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.BatchNorm2d(8)), images),
			finds: ["0 bias-before-norm"],
			evidence: /its bias of 8 values is taken out with the mean by BatchNorm2d "1"/,
			remedy: /bias: false/,
		},
		{
			name: "weight decay on scale and shift",
			net: () => settled(small(), images),
			options: (net) => ({ optimizer: new AdamW(net.namedParameters(), { lr: 1e-3, weightDecay: 0.05 }) }),
			finds: ["1 decayed-norm"],
			evidence: /weight decay 0.05 acts on weight, bias/,
			remedy: /noWeightDecayOnNorms/,
		},
		{
			name: "parameters frozen, statistics not",
			net() {
				const net = settled(small(), images);
				for (const parameter of bn(net).parameters()) parameter.setRequiresGrad(false);
				return net;
			},
			finds: ["1 frozen-but-training"],
			evidence: /want no gradient/,
			remedy: /freezeNorms/,
		},
		{
			name: "running statistics that were never updated",
			net: () => small(),
			finds: ["1 never-updated"],
			evidence: /as they start/,
			remedy: /training mode/,
		},
		{
			name: "data prepared otherwise than in training",
			net: () => settled(small(), images),
			options: () => ({ data: [images(100, 3), images(101, 3)] }),
			finds: ["1 statistics-far"],
			evidence: /of 8 channels; worst channel \d: running mean/,
			remedy: /prepared as in training/,
		},
		{
			name: "a momentum too small for the run",
			net: () =>
				settled(new nn.Sequential(linear(10, 8), new nn.BatchNorm1d(8, { momentum: 1e-4 })), (seed) =>
					normal([64, 10], seed, 0, 20),
				),
			options: () => ({ data: normal([256, 10], 100, 0, 20) }),
			finds: ["1 statistics-far"],
			evidence: /8 of 8 channels/,
			remedy: /momentum/,
		},
		{
			name: "a channel whose scale has gone to zero",
			net() {
				const net = settled(small(), images);
				bn(net).weight?.view().fill(0, 3, 4);
				return net;
			},
			finds: ["1 dead-channels"],
			evidence: /channel 3: its scale is next to 0/,
			remedy: /learning rate/,
		},
		{
			name: "more than half of the scales at zero",
			net() {
				const net = settled(small(), images);
				bn(net).weight?.view().fill(0, 0, 6);
				return net;
			},
			finds: ["1 dead-channels"],
			evidence: /channel 0, 1, 2, 3, …: its scale is next to 0/,
			remedy: /pruned/,
		},
		{
			name: "a running variance below zero, which is no dead channel",
			net() {
				const net = settled(small(), images);
				bn(net).runningVar?.view().fill(-0.25, 1, 3);
				return net;
			},
			finds: ["1 not-finite"],
			evidence:
				/^the running variance is -0\.25 in 2 of 8 channels, which with eps 1e-5 has no square root to divide by$/,
			remedy: /^re-estimate the running statistics/,
		},
		{
			name: "a channel that ReLU cuts off",
			net() {
				const net = new nn.Sequential(conv(3, 8), new nn.BatchNorm2d(8), new nn.ReLU());
				bn(net).bias?.view().fill(-20, 5, 6);
				return settled(net, images);
			},
			options: () => ({ data: images(100) }),
			finds: ["1 dead-channels"],
			evidence: /channel 5: ReLU cuts all of it off/,
			remedy: /pruned/,
		},
		{
			name: "exploding channels",
			net: () => settled(small(), (seed) => normal([32, 3, 8, 8], seed, 0, 1e4)),
			finds: ["1 exploding-channels"],
			evidence: /the running variance of 8 reaches/,
			remedy: /scale the input/,
		},
		{
			name: "statistics that one batch of NaN has ruined",
			net() {
				const net = settled(small(), images);
				bn(net).runningMean?.view().fill(Number.NaN, 2, 5);
				return net;
			},
			finds: ["1 not-finite"],
			evidence: /^the running mean is NaN in 3 of 8 channels$/,
			remedy: /^re-estimate the running statistics/,
		},
		{
			name: "a scale that has grown beyond all numbers",
			net() {
				const net = settled(small(), images);
				bn(net).weight?.view().fill(Number.POSITIVE_INFINITY, 2, 3);
				return net;
			},
			finds: ["1 not-finite"],
			evidence: /^the scale is Infinity in 1 of 8 channels$/,
			remedy: /earlier checkpoint/,
		},
		{
			name: "inputs so small that eps counts",
			net: () =>
				settled(new nn.Sequential(linear(10, 8), new nn.BatchNorm1d(8, { momentum: 0.5 })), (seed) =>
					normal([64, 10], seed, 0, 3e-3),
				),
			finds: ["1 eps-near-variance"],
			evidence: /of 8 channels is down to .*e-6, eps is 1e-5/,
			remedy: /smaller eps/,
		},
	];

	test.each(planted)("$name", ({ net, options, finds, evidence, remedy }) => {
		const made = net();
		const findings = inspectNorms(made, { batchSize: 32, ...options?.(made) });
		expect(kinds(findings)).toEqual(finds);
		expect(findings[0].evidence).toMatch(evidence);
		expect(findings[0].remedy).toMatch(remedy);
	});
});

describe("nothing is found in a sound network", () => {
	const sound: [name: string, net: () => nn.Module, options?: (net: nn.Module) => Partial<InspectOptions>][] = [
		["a small convolutional one", () => settled(small(), images), () => ({ data: [images(100), images(101)] })],
		["linear layers", () => settled(new nn.Sequential(linear(10, 8), new nn.BatchNorm1d(8), new nn.Sigmoid()), rows)],
		[
			"a residual one",
			() => settled(new nn.Sequential(conv(3, 8), new nn.BatchNorm2d(8), new Residual()), images),
			() => ({ data: images(100) }),
		],
		[
			"group norm on batches of two",
			() => new nn.Sequential(conv(3, 8), new nn.GroupNorm(2, 8)),
			() => ({ batchSize: 2 }),
		],
		[
			"layer norm and dropout",
			() => new nn.Sequential(linear(10, 8), new nn.LayerNorm(8), new nn.ReLU(), new nn.Dropout(0.1)),
		],
		[
			"batch renorm on small batches",
			() => settled(new nn.Sequential(conv(3, 8), new nn.BatchRenorm2d(8, { momentum: 0.1 })), images),
			() => ({ batchSize: 4 }),
		],
		[
			"frozen norms, fine-tuned on small batches, behind a bias",
			() => {
				const net = settled(new nn.Sequential(new nn.Conv2d(3, 8, 3), new nn.BatchNorm2d(8)), images);
				nn.freezeNorms(net);
				// Frozen statistics do not follow the batch, so the bias is not cancelled.
				return net;
			},
			() => ({ batchSize: 2 }),
		],
		[
			"weight decay on convolutions alone",
			() => settled(small(), images),
			(net) => ({ optimizer: new SGD(noWeightDecayOnNorms(net, { weightDecay: 1e-3 }), { lr: 0.1 }) }),
		],
		["one that is yet to be trained", () => small(), () => ({ trained: false })],
		[
			"no norm at all",
			() => new nn.Sequential(new nn.Linear(10, 4), new nn.ReLU(), new nn.Dropout(0.5)),
			() => ({ batchSize: 1 }),
		],
		[
			"a residual branch that starts at zero",
			() => {
				const block = new Residual();
				(block.body.at(4) as nn.BatchNorm2d).weight?.view().fill(0);
				return settled(new nn.Sequential(conv(3, 8), new nn.BatchNorm2d(8), block), images);
			},
		],
	];
	test.each(sound)("%s", (_, net, options) => {
		const made = net();
		expect(kinds(inspectNorms(made, { batchSize: 32, ...options?.(made) }))).toEqual([]);
	});
});

test("an example shows which layer reads what, where no Sequential says so", () => {
	const net = new Written();
	const options = { batchSize: 32, trained: false };
	expect(kinds(inspectNorms(net, options))).toEqual([]);
	expect(kinds(inspectNorms(net, { ...options, example: zeros([1, 3, 8, 8]) }))).toEqual(["conv bias-before-norm"]);
});

test("the network is left as it was", () => {
	const net = settled(small(), images);
	const before = Array.from(bn(net).runningMean?.dataSync() ?? []);
	bn(net).eval();
	inspectNorms(net, { batchSize: 32, data: images(7, 5) });
	expect(Array.from(bn(net).runningMean?.dataSync() ?? [])).toEqual(before);
	expect([net.training, bn(net).training]).toEqual([true, false]);
	expect(Object.hasOwn(bn(net), "forward")).toBe(false);
});

test("statistics of several batches together are those of all of their values", () => {
	const net = new nn.Sequential(new nn.BatchNorm1d(1, { momentum: 1, runningVariance: "biased" }));
	net.forward(tensor([1, 2, 3, 104], [4, 1]));
	const halves = [tensor(Array(64).fill(1), [64, 1]), tensor(Array(64).fill(103), [64, 1])];
	const [finding] = inspectNorms(net, { batchSize: 32, data: halves });
	// All of them: mean 52, variance 51² = 2601, within the limits of mean 27.5 and variance 1950.
	expect(finding).toBeUndefined();
	const [far] = inspectNorms(net, { batchSize: 32, data: halves.slice(0, 1) });
	expect(far.evidence).toContain("the data's 1 and 0");
});

test("data without examples shows nothing, which is no sound network", () => {
	for (const data of [[], zeros([0, 3, 8, 8]), [zeros([0, 3, 8, 8])]]) {
		expect(() => inspectNorms(small(), { batchSize: 32, data })).toThrow("inspectNorms: the data has no examples");
	}
});

test.each([
	[{ batchSize: 0 }, /batchSize must be a whole number of at least 1, got 0/],
	[{ batchSize: 8, replicas: 0.5 }, /replicas must be a whole number/],
])("bad options %#", (options, message) => {
	expect(() => inspectNorms(small(), options)).toThrow(message);
});
