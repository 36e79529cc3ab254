import "../../autograd/backward.ts";
import "../../ops/tensor-methods.ts";
import { beforeAll, describe, expect, test } from "vitest";
import { integers, type ModelParts, model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { compare, expectClose, input, runImported } from "../../../test/support/onnx-compare.ts";
import { floats } from "../../../test/support/onnxruntime.ts";
import { init } from "../../backend/init.ts";
import { encodeOnnx } from "../../model-files/onnx/index.ts";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, GroupNorm, InstanceNorm2d, LayerNorm } from "../../nn/index.ts";
import { tensor } from "../../ops/creation.ts";
import { BatchNormAnyRank } from "../any-rank.ts";
import { importOnnx } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

type Attributes = Parameters<typeof node>[3];

const positive = (count: number, seed: number) => noise(count, seed).map((v) => Math.abs(v) + 0.1);

/** A batch normalization of `features` channels with statistics that are not trivial. */
function batchNorm(features: number, attributes: Attributes, opset: number, x?: number[]): ModelParts {
	const names = ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];
	const made = names.map((name, i) =>
		weight(name, [features], i === 3 ? positive(features, 5) : noise(features, 2 + i)),
	);
	return {
		nodes: [node("BatchNormalization", ["x", ...names], ["y"], attributes)],
		inputs: [value("x", x)],
		initializers: made,
		opset,
	};
}

describe("BatchNormalization", () => {
	test.each([7, 9, 14, 15, 22])("version %d in inference", async (opset) => {
		const net = await compare(batchNorm(3, { epsilon: 1e-3 }, opset, [2, 3, 4, 5]), { x: input([2, 3, 4, 5]) });
		expect(net.training).toBe(false);
		const [[name, layer]] = net.namedChildren();
		expect(name).toBe("bn");
		expect(layer).toBeInstanceOf(BatchNorm2d);
		expect(layer).toMatchObject({ eps: expect.closeTo(1e-3, 9), runningVariance: "biased" });
		expect((layer as BatchNorm2d).momentum).toBeCloseTo(0.1, 6);
		expect(Object.keys(net.stateDict())).toEqual([
			"bn.weight",
			"bn.bias",
			"bn.running_mean",
			"bn.running_var",
			"bn.num_batches_tracked",
		]);
	});

	test.each([
		[BatchNorm1d, [4, 3]],
		[BatchNorm1d, [2, 3, 7]],
		[BatchNorm2d, [2, 3, 2, 3]],
		[BatchNorm3d, [2, 3, 2, 3, 2]],
	])("%o of %j", async (kind, shape) => {
		const net = await compare(batchNorm(3, {}, 15, shape), { x: input(shape) });
		expect([...net.namedChildren()][0][1]).toBeInstanceOf(kind);
	});

	test("a number of axes that nobody says", async () => {
		const net = await compare(batchNorm(3, {}, 15), { x: input([2, 3, 4]) });
		expect([...net.namedChildren()][0][1]).toBeInstanceOf(BatchNormAnyRank);
	});

	test("version 6 says whether it is a test", async () => {
		const given = { x: input([4, 3]) };
		const expected = runImported(await compare(batchNorm(3, {}, 7, [4, 3]), given), given);
		const net = await importOnnx(encodeOnnx(model(batchNorm(3, { is_test: 1n }, 6, [4, 3]))));
		expectClose(runImported(net, given), expected);
		expect((await importOnnx(encodeOnnx(model(batchNorm(3, {}, 6))))).training).toBe(true);
	});

	test("each element for itself, before version 9", async () => {
		const parts = batchNorm(12, { spatial: 0n }, 8);
		const net = await importOnnx(encodeOnnx(model(parts)));
		const x = input([2, 3, 4]);
		const { y } = runImported(net, { x });
		const [w, b, mean, variance] = (parts.initializers ?? []).map(
			({ rawData }) => new Float32Array(rawData.buffer, rawData.byteOffset, 12),
		);
		const expected = Array.from(x.data as Float32Array, (v, i) => {
			const j = i % 12;
			return ((v - mean[j]) / Math.sqrt(variance[j] + 1e-5)) * w[j] + b[j];
		});
		expectClose({ y }, { y: floats([2, 3, 4], expected) });
	});

	test("a norm trains if its own node says so; those beside it do not, whatever they share", async () => {
		const names = ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];
		const norm = (from: string, to: string, training_mode: bigint) =>
			node("BatchNormalization", [from, ...names], [to], { training_mode });
		const parts: ModelParts = {
			...batchNorm(3, {}, 17, [4, 3]),
			nodes: [norm("x", "a", 0n), node("Dropout", ["a"], ["b"]), norm("b", "y", 1n)],
		};
		const net = await importOnnx(encodeOnnx(model(parts)));
		expect([...net.namedChildren()].map(([, layer]) => layer.training)).toEqual([false, false, true]);
		expect(net.training).toBe(true);
		const x = input([4, 3]);
		const before = [...net.stateDict()["bn.running_mean"].dataSync()];
		runImported(net, { x });
		expect([...net.stateDict()["bn.running_mean"].dataSync()]).toEqual(before);
	});

	test("training: by the batch, and statistics with the weight of the old and the biased variance", async () => {
		const parts = batchNorm(2, { training_mode: 1n, momentum: 0.75 }, 15, [3, 2]);
		parts.nodes = [{ ...parts.nodes[0], output: ["y", "mean", "var"] }];
		parts.outputs = ["y", "mean", "var"].map((name) => value(name));
		const net = await importOnnx(encodeOnnx(model(parts)));
		expect(net.training).toBe(true);
		const state = net.stateDict();
		const [w, b, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((name) => [
			...state[`bn.${name}`].dataSync(),
		]);
		const found = runImported(net, { x: floats([3, 2], [1, 10, 2, 20, 6, 60]) });
		// Channel 0 holds 1, 2, 6: mean 3, variance 14 / 3. Channel 1 ten times that.
		const statistics = [
			[3, 14 / 3],
			[30, 1400 / 3],
		];
		const y = [1, 10, 2, 20, 6, 60].map((v, i) => {
			const c = i % 2;
			return ((v - statistics[c][0]) / Math.sqrt(statistics[c][1] + 1e-5)) * w[c] + b[c];
		});
		expectClose(found, {
			y: floats([3, 2], y),
			mean: floats(
				[2],
				mean.map((old, c) => old * 0.75 + statistics[c][0] * 0.25),
			),
			var: floats(
				[2],
				variance.map((old, c) => old * 0.75 + statistics[c][1] * 0.25),
			),
		});
		expect([...net.stateDict()["bn.running_mean"].dataSync()]).toEqual([...found.mean.data]);
	});

	test("parameters that are computed, and running statistics that are inputs", async () => {
		const parts: ModelParts = {
			nodes: [node("Neg", ["s"], ["t"]), node("BatchNormalization", ["x", "t", "b", "m", "v"], ["y"])],
			inputs: ["x", "s", "b", "m", "v"].map((name) => value(name)),
			opset: 15,
		};
		const given = { x: input([2, 3, 4]), s: input([3], 2), b: input([3], 3), m: input([3], 4) };
		const net = await compare(parts, { ...given, v: floats([3], positive(3, 8)) });
		expect(net.parameters()).toEqual([]);
	});

	test("the ReLU behind it runs with it, the same bits, unless somebody looks", async () => {
		const parts = batchNorm(3, {}, 15, [2, 3, 4, 5]);
		parts.nodes = [{ ...parts.nodes[0], output: ["a"] }, node("Relu", ["a"], ["y"])];
		const net = await compare(parts, { x: input([2, 3, 4, 5]) });
		const fused = runImported(net, { x: input([2, 3, 4, 5]) });
		const seen: string[] = [];
		for (const [name, layer] of net.namedChildren()) layer.registerForwardHook(() => void seen.push(name));
		const apart = runImported(net, { x: input([2, 3, 4, 5]) });
		expect(apart.y.data).toEqual(fused.y.data);
		expect(seen).toEqual(["bn", "Relu_y"]);
	});
});

describe("InstanceNormalization", () => {
	const parts = (opset: number, x?: number[]): ModelParts => ({
		nodes: [node("InstanceNormalization", ["x", "in.weight", "in.bias"], ["y"], { epsilon: 1e-2 })],
		inputs: [value("x", x)],
		initializers: [weight("in.weight", [3], noise(3, 2)), weight("in.bias", [3], noise(3, 3))],
		opset,
	});

	test.each([7, 17, 22])("version %d", async (opset) => {
		const net = await compare(parts(opset, [2, 3, 4, 5]), { x: input([2, 3, 4, 5]) });
		expect([...net.namedChildren()][0]).toEqual(["in", expect.any(InstanceNorm2d)]);
		net.train();
		await compare(parts(opset), { x: input([2, 3, 7]) });
	});

	test("parameters that are inputs", async () => {
		const inputs = ["x", "in.weight", "in.bias"].map((name) => value(name));
		const given = { x: input([2, 3, 7]), "in.weight": input([3], 2), "in.bias": input([3], 3) };
		await compare({ ...parts(17), inputs, initializers: [] }, given);
	});
});

describe("LayerNormalization", () => {
	const parts = (shape: number[], attributes: Attributes, biased = true): ModelParts => {
		const size = shape.reduce((a, b) => a * b, 1);
		const names = biased ? ["ln.weight", "ln.bias"] : ["ln.weight"];
		return {
			nodes: [node("LayerNormalization", ["x", ...names], ["y"], attributes)],
			initializers: names.map((name, i) => weight(name, shape, noise(size, 2 + i))),
		};
	};

	test.each<[string, number[], Attributes, boolean]>([
		["the last axis", [5], {}, true],
		["no bias", [5], { epsilon: 0.1 }, false],
		["two axes", [3, 5], { axis: -2n }, true],
	])("%s", async (_, shape, attributes, biased) => {
		const net = await compare(parts(shape, attributes, biased));
		expect([...net.namedChildren()][0]).toEqual(["ln", expect.any(LayerNorm)]);
	});

	test("an axis from the front, where the number of axes is known", async () => {
		const made = parts([3, 5], { axis: 1n });
		const net = await compare({ ...made, inputs: [value("x", ["N", 3, 5])] });
		expect([...net.namedChildren()].length).toBe(1);
		expect((await compare(made)).parameters().length).toBe(2);
	});

	test("a scale that broadcasts", async () => {
		await compare(parts([5], { axis: 1n }));
	});

	test("mean and 1 / deviation", async () => {
		const made = parts([5], {});
		made.nodes = [{ ...made.nodes[0], output: ["y", "mean", "rstd"] }];
		await compare({ ...made, outputs: ["y", "mean", "rstd"].map((name) => value(name)) });
	});
});

describe("GroupNormalization", () => {
	const parts = (opset: number, size: number, x?: (number | string)[]): ModelParts => ({
		nodes: [node("GroupNormalization", ["x", "gn.weight", "gn.bias"], ["y"], { num_groups: 2n, epsilon: 1e-3 })],
		inputs: [value("x", x)],
		initializers: [weight("gn.weight", [size], noise(size, 2)), weight("gn.bias", [size], noise(size, 3))],
		opset,
	});
	/** What version 18 says, by the functions of version 21. */
	const each = (size: number) => {
		const made = parts(21, 6);
		const wide = (seed: number) => Array.from({ length: 6 }, (_, i) => noise(size, seed)[Math.floor((i * size) / 6)]);
		return { ...made, initializers: [weight("gn.weight", [6], wide(2)), weight("gn.bias", [6], wide(3))] };
	};

	test("version 21 scales each channel", async () => {
		const net = await compare(parts(21, 6), { x: input([2, 6, 3, 2]) });
		expect([...net.namedChildren()][0]).toEqual(["gn", expect.any(GroupNorm)]);
	});

	test.each([[["N", 6, 3, 2]], [undefined]])("version 18 scales each group, of %j", async (x) => {
		const given = { x: input([2, 6, 3, 2]) };
		const expected = runImported(await compare(each(2), given), given);
		const net = await importOnnx(encodeOnnx(model(parts(18, 2, x))));
		expectClose(runImported(net, given), expected);
		expect([...net.namedChildren()].length).toBe(x ? 1 : 0);
		expect(net.parameters().length).toBe(2);
	});
});

test("a norm that PyTorch's exporter writes with other operators still trains", async () => {
	// GroupNorm before operator set 18: an instance normalization of groups, by a scale that is no parameter.
	const net = await compare(
		{
			nodes: [
				node("Constant", [], ["one"], { value: weight("", [2], [1, 1]) }),
				node("Constant", [], ["zero"], { value: weight("", [2], [0, 0]) }),
				node("Reshape", ["x", "grouped"], ["a"]),
				node("InstanceNormalization", ["a", "one", "zero"], ["b"]),
				node("Shape", ["x"], ["s"]),
				node("Reshape", ["b", "s"], ["c"]),
				node("Mul", ["c", "gn.weight"], ["y"]),
			],
			initializers: [integers("grouped", [0, 2, -1]), weight("gn.weight", [6, 1, 1], noise(6))],
		},
		{ x: input([2, 6, 3, 2]) },
	);
	const x = tensor(input([2, 6, 3, 2]).data as Float32Array, [2, 6, 3, 2]);
	net.train().forward(x).square().sum().backward();
	const trained = [...net.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad);
	expect(trained.map(([name, { grad }]) => [name, grad?.shape])).toEqual([["gn.weight", [6, 1, 1]]]);
});
