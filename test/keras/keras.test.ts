// Models that Keras wrote compute here what they computed there.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { noGrad } from "../../src/autograd/tape.ts";
import { init } from "../../src/backend/init.ts";
import { type KerasWeights, readKerasWeights } from "../../src/model-files/index.ts";
import * as nn from "../../src/nn/index.ts";
import { tensor } from "../../src/ops/creation.ts";
import { add } from "../../src/ops/elementwise/op.ts";
import { mean } from "../../src/ops/reduce/op.ts";
import { reshape } from "../../src/ops/shape/op.ts";
import { kerasToStateDict, loadKerasWeights } from "../../src/surgery/index.ts";
import { scope } from "../../src/tensor/scope.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { onEachBackend } from "../support/backends.ts";

interface Computed {
	shape: number[];
	x: number[];
	y: number[][];
}

const file = (name: string) => join(import.meta.dirname, "models", name);
const computed: Record<string, Computed> = JSON.parse(
	readFileSync(join(import.meta.dirname, "cases.json"), "utf8"),
).models;

/** Keras's batch normalization is made with another epsilon. */
const keras = { eps: 1e-3 };

function channelsFirst(): nn.Module {
	return new nn.Sequential(
		...[new nn.Conv2d(2, 3, 2), new nn.BatchNorm2d(3, keras), new nn.Flatten(), new nn.Linear(36, 2)],
	);
}

const networks: Record<string, () => nn.Module> = {
	mlp: () =>
		new nn.Sequential(
			new nn.Linear(6, 5),
			new nn.ReLU(),
			new nn.BatchNorm1d(5, keras),
			new nn.Dropout(0.5),
			new nn.Linear(5, 3),
			new nn.Softmax(),
		),
	conv: () =>
		new nn.Sequential(
			// TensorFlow's "same" for 7 x 6 and stride 2.
			...[
				new nn.Conv2d(2, 4, 3, {
					stride: 2,
					bias: false,
					padding: [
						[1, 1],
						[0, 1],
					],
				}),
				new nn.BatchNorm2d(4, keras),
			],
			...[new nn.ReLU(), new nn.Conv2d(4, 8, 2, { groups: 4 }), new nn.BatchNorm2d(8)],
			new nn.ConvTranspose2d(8, 3, 3, {
				stride: 2,
				padding: [
					[0, 1],
					[0, 1],
				],
			}),
			...[new nn.Flatten(), new nn.BatchNorm1d(72, keras), new nn.Linear(72, 5), new nn.LayerNorm(5, keras)],
			new nn.Linear(5, 3, { bias: false }),
		),
	norms: () =>
		new nn.Sequential(
			...[new nn.BatchNorm1d(4, keras), new nn.ConvTranspose1d(4, 4, 3, { stride: 2 })],
			...[new nn.Conv1d(4, 6, 3, { dilation: 2, padding: [[4, 0]] })],
			...[new nn.GroupNorm(2, 6, keras), new nn.Conv1d(6, 6, 3, { padding: "same", groups: 3 }), new nn.Flatten()],
			...[new nn.LayerNorm(102, { ...keras, bias: false }), new nn.Linear(102, 2)],
		),
	nested: () =>
		new nn.Sequential(
			new nn.Sequential(
				...[new nn.BatchNorm1d(3, { ...keras, affine: false }), new nn.Linear(3, 4)],
				...[new nn.BatchNorm1d(4, keras), new nn.ReLU()],
			),
			new nn.Linear(4, 2),
		),
	subclassed: () => new nn.Sequential(new nn.Linear(4, 5), new nn.Linear(5, 4)),
	alike: () => new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 4)),
	flat: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(24, 2)),
	first: channelsFirst,
	turned: channelsFirst,
	half: () => new nn.Sequential(new nn.Linear(3, 4), new nn.Linear(4, 2)),
};

/** Two convolutions side by side. */
class Branches extends nn.Module {
	a = new nn.Conv2d(3, 3, 1);
	b = new nn.Conv2d(3, 3, 1);
	relu = new nn.ReLU();
	override forward(x: Tensor): Tensor {
		return mean(add(this.a.forward(x), this.relu.forward(this.b.forward(x))), [2, 3]);
	}
}

function output(net: nn.Module, { shape, x }: Computed): number[] {
	net.eval();
	return scope(() => [...noGrad(() => net.forward(tensor(x, shape))).dataSync()]);
}

function load(name: string, net: nn.Module, options: Parameters<typeof loadKerasWeights>[2] = {}): string[] {
	using weights = readKerasWeights(file(name));
	return loadKerasWeights(net, weights, options).map((pair) => `${pair.keras} ${pair.layer}`);
}

function expectClose(found: readonly number[], { y }: Computed, tolerance = 2e-5): void {
	expect(found).toHaveLength(y.flat().length);
	const largest = y.flat().reduce((a, b) => Math.max(a, Math.abs(b)), 0);
	y.flat().forEach((value, i) => {
		expect(Math.abs(found[i] - value)).toBeLessThan(tolerance * largest);
	});
}

onEachBackend("what Keras computed is computed here", () => {
	test.each([
		["mlp", "mlp.keras"],
		["mlp", "mlp.weights.h5"],
		["mlp", "mlp.h5"],
		["mlp", "mlp-keras-2.h5"],
		["mlp", "mlp-without-names.weights.h5"],
		["mlp", "mlp-deflated.keras"],
		["conv", "conv.keras"],
		["conv", "conv.h5"],
		["norms", "norms.keras"],
		["flat", "flat.keras"],
		["first", "first.keras"],
		["turned", "turned.keras"],
		["subclassed", "subclassed.keras"],
		["nested", "nested.keras"],
		["nested", "nested.h5"],
	])("%s from %s", (name, from) => {
		const net = networks[name]();
		const { shape } = computed[name];
		load(from, net, { inputShape: shape.slice(1) });
		expectClose(output(net, computed[name]), computed[name]);
	});

	test("bfloat16 and float16", () => {
		const net = networks.half();
		load("half.keras", net);
		// Keras computes in those types too.
		expectClose(output(net, computed.half), computed.half, 0.05);
	});

	test("branches, when it is said which is which", () => {
		const net = new Branches();
		expect(load("branches.keras", net, { layers: { left: "a", right: "b" } })).toEqual(["right b", "left a"]);
		expectClose(output(net, computed.branches), computed.branches);
	});
});

describe("what stands in for what Keras was made without", () => {
	beforeAll(async () => {
		await init({ threads: 1 });
	});

	test("bytes in memory, the layers and their variables by name", () => {
		const weights = readKerasWeights(new Uint8Array(readFileSync(file("conv.keras"))));
		expect(
			weights.layers.map(({ name, className, variables }) => [name, className, ...variables.map((v) => v.name)]),
		).toEqual([
			["conv2d", "Conv2D", "kernel"],
			["batch_normalization", "BatchNormalization", "beta", "moving_mean", "moving_variance"],
			["depthwise_conv2d", "DepthwiseConv2D", "kernel", "bias"],
			["batch_normalization_1", "BatchNormalization", "gamma", "moving_mean", "moving_variance"],
			["conv2d_transpose", "Conv2DTranspose", "kernel", "bias"],
			["batch_normalization_2", "BatchNormalization", "gamma", "beta", "moving_mean", "moving_variance"],
			["dense", "Dense", "kernel", "bias"],
			["layer_normalization", "LayerNormalization", "gamma", "beta"],
			["dense_1", "Dense", "kernel"],
		]);
		expect(weights.config?.isChain).toBe(true);
	});

	test("gamma absent is a scale of 1, beta absent a shift of 0, the statistics are not mistaken for them", () => {
		const net = networks.conv();
		const { variables } = readLayer("conv.keras", "batch_normalization");
		expect(load("conv.keras", net, { inputShape: [2, 7, 6] })[1]).toBe("batch_normalization 1");
		const state = net.stateDict();
		expect([...state["1.weight"].dataSync()]).toEqual([1, 1, 1, 1]);
		expect(["1.bias", "1.running_mean", "1.running_var"].map((name) => [...state[name].dataSync()])).toEqual(variables);
		expect(new Set(state["4.bias"].dataSync())).toEqual(new Set([0]));
		expect(state["4.weight"].dataSync()[0]).not.toBe(1);
		expect(state["1.num_batches_tracked"].item()).toBe(0);
	});

	test("both absent: what is left are mean and variance, with or without a configuration", () => {
		for (const from of ["norms.keras", "norms.weights.h5"]) {
			using weights = readKerasWeights(file(from));
			const norm = weights.layers.find(({ className }) => /batch_?norm/i.test(className));
			expect(norm?.variables.map(({ name }) => name)).toEqual(["moving_mean", "moving_variance"]);
		}
	});

	test("a network that has no scale and shift either", () => {
		const affineless = new nn.Sequential(new nn.BatchNorm1d(4, { ...keras, affine: false }));
		const chosen = choose("norms.keras", "batch_normalization");
		loadKerasWeights(affineless, chosen);
		expect(affineless.stateDict()["0.running_mean"].dataSync()).toHaveLength(4);
	});
});

function readLayer(name: string, layer: string): { variables: number[][] } {
	using weights = readKerasWeights(file(name));
	const found = weights.layers.find((one) => one.name === layer);
	return { variables: found?.variables.map((variable) => Array.from(variable.read().numbers(), Number)) ?? [] };
}

/** Some layers of a file, as if it had no others. */
function choose(name: string, ...layers: string[]): KerasWeights {
	const weights = readKerasWeights(new Uint8Array(readFileSync(file(name))));
	return { ...weights, layers: weights.layers.filter((layer) => layers.includes(layer.name)) };
}

describe("what cannot be known is asked for", () => {
	beforeAll(async () => {
		await init({ threads: 1 });
	});

	const conv = (...modules: nn.Module[]) => new nn.Sequential(...modules);

	test("three numbered variables without a configuration: gamma or beta", () => {
		const net = networks.conv();
		expect(() => load("conv.weights.h5", net, { inputShape: [2, 7, 6] })).toThrow(
			/without a configuration the order of conv2d and depthwise_conv2d among themselves is not known/,
		);
		const weights = choose("conv.weights.h5", "batch_normalization_1");
		expect(() => loadKerasWeights(conv(new nn.BatchNorm2d(8)), weights)).toThrow(
			/has 3 variables, and whether gamma or beta is absent cannot be told from numbers; give the .keras file/,
		);
		const scaleAlone = conv(new nn.BatchNorm2d(8, { bias: false }));
		loadKerasWeights(scaleAlone, weights);
		expect([...scaleAlone.stateDict()["0.weight"].dataSync()]).toEqual(
			readLayer("conv.h5", "batch_normalization_1").variables[0],
		);
	});

	test("two layers of the same shapes in a model that branches", () => {
		expect(() => load("branches.keras", new Branches())).toThrow(
			'"right" and "left" have the same shapes, and the model is no plain chain of layers, so which is which cannot be known; say it: { layers: { "right"',
		);
		expect(() => load("branches.keras", new Branches(), { layers: { left: "a", right: "a" } })).toThrow(
			'layers says "left" is "a", which is none or taken; the network has "a" (Conv2d), "b" (Conv2d)',
		);
		expect(() => load("branches.keras", new Branches(), { layers: { left: "a" } })).toThrow(
			'does not say which layer "right" is',
		);
	});

	test("two layers of the same shapes in a model of one's own class, which Keras lists by the alphabet", () => {
		expect(() => load("alike.keras", networks.alike())).toThrow(
			'"dense_1" and "dense" have the same shapes, and the model is no',
		);
		const net = networks.alike();
		load("alike.keras", net, { layers: { dense_1: "0", dense: "1" } });
		expectClose(output(net, computed.alike), computed.alike);
	});

	test("what a Flatten mixes up", () => {
		expect(() => load("conv.keras", networks.conv())).toThrow(
			"the network flattens images, which Keras does in another order; give { inputShape: [C, H, W] }",
		);
		class Reshaping extends nn.Module {
			net = networks.conv();
			override forward(x: Tensor): Tensor {
				const modules = [...(this.net as nn.Sequential)];
				return modules.reduce(
					(out, m) => (m instanceof nn.Flatten ? reshape(out, [out.shape[0], -1]) : m.forward(out)),
					x,
				);
			}
		}
		expect(() => load("conv.keras", new Reshaping(), { inputShape: [2, 7, 6] })).toThrow(
			/whether its input is what ConvTranspose2d "net.5" wrote, flattened, cannot be seen; flatten it with an nn.Flatten/,
		);
		const flat = conv(new nn.Flatten(), ...(networks.mlp() as nn.Sequential));
		expect(() => load("mlp.keras", flat, { inputShape: [2, 3, 1] })).toThrow(
			/the network flattens its input and the Keras model takes it flat, in an order that the file does not say; give/,
		);
		load("mlp.keras", flat, { inputShape: [2, 3, 1], flatten: "channels-first" });
		expectClose(output(flat, { ...computed.mlp, shape: [4, 2, 3, 1] }), computed.mlp);
	});
});

describe("what does not fit is named", () => {
	beforeAll(async () => {
		await init({ threads: 1 });
	});

	const seq = (...modules: nn.Module[]) => new nn.Sequential(...modules);
	const cases: [string, string, () => nn.Module, RegExp][] = [
		[
			"epsilon",
			"mlp.keras",
			() => seq(new nn.Linear(6, 5), new nn.BatchNorm1d(5), new nn.Linear(5, 3)),
			/BatchNorm1d "1": eps is 0.00001, and that of Keras's batch_normalization 0.001; build it with eps: 0.001/,
		],
		[
			"another layer",
			"mlp.keras",
			() => seq(new nn.BatchNorm1d(5)),
			/layer "dense" \(Dense, \[6, 5\], \[5\]\) comes where the network has BatchNorm1d "0"/,
		],
		[
			"fewer layers",
			"mlp.keras",
			() => seq(new nn.Linear(6, 5)),
			/it has weights for 3 layers, and the network 1 with weights: dense, batch_normalization, dense_1 there, Linear "0" here/,
		],
		[
			"another size",
			"mlp.keras",
			() => seq(new nn.Linear(6, 4), new nn.BatchNorm1d(4, keras), new nn.Linear(4, 3)),
			/Linear "0": its weight is \[4, 6\], and kernel of \[6, 5\] would be \[5, 6\]; is this the network/,
		],
		[
			"another size, by names",
			"mlp.h5",
			() => seq(new nn.Linear(6, 5), new nn.BatchNorm1d(4, keras), new nn.Linear(5, 3)),
			/BatchNorm1d "1": its weight is \[4\], and gamma of \[5\]/,
		],
		[
			"a layer that Keras has not",
			"mlp.keras",
			() => seq(new nn.RMSNorm(5)),
			/RMSNorm "0": Keras has no layer of its kind; only Linear/,
		],
		[
			"a bias that is not here",
			"mlp.keras",
			() => seq(new nn.Linear(6, 5, { bias: false }), new nn.BatchNorm1d(5, keras), new nn.Linear(5, 3)),
			/mlp.keras: loadStateDict: .*unexpected: 0.bias/,
		],
		[
			"a scale that is not here",
			"mlp.keras",
			() => seq(new nn.Linear(6, 5), new nn.BatchNorm1d(5, { ...keras, affine: false }), new nn.Linear(5, 3)),
			/Keras's batch_normalization has a gamma and this layer has none; build it with affine: true/,
		],
		[
			"no statistics",
			"mlp.keras",
			() =>
				seq(new nn.Linear(6, 5), new nn.BatchNorm1d(5, { ...keras, trackRunningStats: false }), new nn.Linear(5, 3)),
			/has running statistics and this layer has none/,
		],
	];
	test.each(cases)("%s", (_, from, build, message) => {
		expect(() => load(from, build())).toThrow(message);
	});

	const geometry: [string, () => nn.Module, RegExp][] = [
		[
			"stride",
			() => new nn.Conv2d(2, 4, 3, { bias: false }),
			/stride is \[1,1\], and that of Keras's conv2d \[2,2\]; build it with stride: \[2,2\]/,
		],
		[
			"padding",
			() => new nn.Conv2d(2, 4, 3, { bias: false, stride: 2, padding: 1 }),
			/padding is \[\[1,1\],\[1,1\]\], and that of Keras's conv2d \[\[1,1\],\[0,1\]\]; build it with padding: \[\[1,1\],\[0,1\]\]/,
		],
	];
	test.each(geometry)("%s", (_, build, message) => {
		expect(() => loadKerasWeights(seq(build()), choose("conv.keras", "conv2d"), { inputShape: [2, 7, 6] })).toThrow(
			message,
		);
	});

	test("groups", () => {
		const weights = choose("norms.keras", "group_normalization");
		expect(() => loadKerasWeights(seq(new nn.GroupNorm(3, 6, keras)), weights)).toThrow(
			/the number of groups is 3, and that of Keras's group_normalization 2; build it with 2 groups/,
		);
	});

	test("nothing is changed when something does not fit", () => {
		const net = networks.mlp();
		const before = net.stateDict()["0.weight"].dataSync();
		using weights = readKerasWeights(file("nested.keras"));
		expect(() => kerasToStateDict(net, weights)).toThrow();
		expect(net.stateDict()["0.weight"].dataSync()).toEqual(before);
	});
});
