import { beforeAll, describe, expect, test } from "vitest";
import { integers, type ModelParts, model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { compare, input } from "../../../test/support/onnx-compare.ts";
import { init } from "../../backend/init.ts";
import { encodeOnnx, makeTensor } from "../../model-files/onnx/index.ts";
import * as nn from "../../nn/index.ts";
import { importOnnx } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

type Attributes = Parameters<typeof node>[3];

const ints = (...list: number[]) => list.map(BigInt);
/** One node of `x`, and of initializers if there are any. */
function one(
	op: string,
	attributes: Attributes = {},
	others: Record<string, number[] | number> = {},
	opset = 17,
): ModelParts {
	return {
		nodes: [node(op, ["x", ...Object.keys(others)], ["y"], attributes)],
		initializers: Object.entries(others).map(([name, data]) => integers(name, data)),
		opset,
	};
}
const scalar = (name: string, number: number) => weight(name, [], [number]);
const importing = (parts: ModelParts) => importOnnx(encodeOnnx(model(parts)), { name: "m" });

describe("activations", () => {
	test.each<[string, Attributes, number, unknown]>([
		["Relu", {}, 7, nn.ReLU],
		["Relu", {}, 22, nn.ReLU],
		["LeakyRelu", { alpha: 0.2 }, 7, nn.LeakyReLU],
		["LeakyRelu", {}, 16, nn.LeakyReLU],
		["Sigmoid", {}, 13, nn.Sigmoid],
		["Tanh", {}, 13, nn.Tanh],
		["Gelu", {}, 20, nn.GELU],
		["Gelu", { approximate: "tanh" }, 20, nn.GELU],
		["HardSigmoid", {}, 7, null],
		["HardSigmoid", { alpha: 0.4, beta: 0.3 }, 22, null],
		["HardSwish", {}, 14, null],
		["Elu", { alpha: 0.7 }, 7, null],
		["Softplus", {}, 7, null],
		["Softmax", { axis: -1n }, 13, nn.Softmax],
		["Softmax", { axis: 1n }, 13, nn.Softmax],
		["LogSoftmax", {}, 13, nn.LogSoftmax],
	])("%s %o, version %d", async (op, attributes, opset, kind) => {
		const x = input([2, 3, 5]);
		(x.data as Float32Array).set([-9, -3.5, 3.5, 9, 0]);
		const net = await compare(one(op, attributes, {}, opset), { x });
		const layers = [...net.namedChildren()].map(([, layer]) => layer);
		expect(layers).toEqual(kind ? [expect.any(kind as typeof nn.ReLU)] : []);
	});

	test.each<[string, ReturnType<typeof node>[]]>([
		[
			"x (1 + erf) / 2",
			[
				node("Div", ["x", "root"], ["u"]),
				node("Erf", ["u"], ["e"]),
				node("Add", ["e", "one"], ["a"]),
				node("Mul", ["x", "a"], ["m"]),
				node("Mul", ["m", "half"], ["y"]),
			],
		],
		[
			"(x / 2) (1 + erf)",
			[
				node("Mul", ["inverse", "x"], ["u"]),
				node("Erf", ["u"], ["e"]),
				node("Add", ["one", "e"], ["a"]),
				node("Mul", ["x", "half"], ["h"]),
				node("Mul", ["h", "a"], ["y"]),
			],
		],
		[
			"x ((1 + erf) / 2)",
			[
				node("Div", ["x", "root"], ["u"]),
				node("Erf", ["u"], ["e"]),
				node("Add", ["e", "one"], ["a"]),
				node("Mul", ["half", "a"], ["m"]),
				node("Mul", ["m", "x"], ["y"]),
			],
		],
	])("GELU written out as %s is one layer", async (_, nodes) => {
		const initializers = Object.entries({ root: Math.SQRT2, inverse: Math.SQRT1_2, one: 1, half: 0.5 }).map(
			([name, number]) => scalar(name, number),
		);
		const net = await compare({ nodes, initializers });
		expect([...net.namedChildren()].map(([, layer]) => layer)).toEqual([expect.any(nn.GELU)]);
		const other = initializers.map((one) => (one.name === "half" ? scalar("half", 0.6) : one));
		await expect(importing({ nodes, initializers: other })).rejects.toThrow('cannot be run: Erf "Erf_e"');
		await expect(importing({ nodes, initializers, outputs: [value("a"), value("y")] })).rejects.toThrow("Erf");
	});

	test.each([
		["Softmax", 1],
		["Softmax", 2],
		["Softmax", 0],
		["LogSoftmax", 1],
	])("%s before version 13 takes all axes from %d on as one", async (op, axis) => {
		await compare(one(op, { axis: BigInt(axis) }, {}, 12));
		const declared = { ...one(op, { axis: BigInt(axis) }, {}, 11), inputs: [value("x", [2, 3, 5])] };
		const net = await compare(declared);
		expect([...net.namedChildren()].length).toBe(axis === 2 ? 1 : 0);
	});

	test("Clip by attributes, by inputs, by one of them, by none", async () => {
		await compare(one("Clip", { min: -0.5, max: 0.25 }, {}, 7));
		await compare(one("Clip", { max: 0.25 }, {}, 10));
		const clip = (inputs: string[]): ModelParts => ({
			nodes: [node("Clip", inputs, ["y"])],
			initializers: [scalar("low", -0.5), scalar("high", 0.25)],
			opset: 13,
		});
		for (const inputs of [["x", "low", "high"], ["x", "low"], ["x", "", "high"], ["x"]]) await compare(clip(inputs));
		const computed = clip(["x", "a", "high"]);
		computed.nodes = [node("ReduceMean", ["x"], ["a"], { keepdims: 0n }), ...computed.nodes];
		await compare(computed);
	});

	test("PRelu learns its slopes", async () => {
		const parts: ModelParts = {
			nodes: [node("PRelu", ["x", "act.weight"], ["y"])],
			initializers: [weight("act.weight", [3, 1], [0.1, 0.2, -0.3])],
		};
		const net = await compare(parts);
		expect(Object.keys(net.stateDict())).toEqual(["act.weight"]);
	});

	test("Dropout passes on in evaluation, in every version; training is what the file says", async () => {
		await compare(one("Dropout", { ratio: 0.3 }, {}, 7));
		await compare(one("Dropout", { ratio: 0.3 }, {}, 10));
		const parts: ModelParts = {
			nodes: [node("Dropout", ["x", "ratio", "training"], ["y"])],
			initializers: [scalar("ratio", 0.25)],
			opset: 13,
		};
		const training = (on: number) => makeTensor("training", { type: "bool", shape: [], data: Uint8Array.of(on) });
		const net = await compare({ ...parts, initializers: [scalar("ratio", 0.25), training(0)] });
		expect([...net.namedChildren()][0][1]).toMatchObject({ p: 0.25, training: false });
		expect((await importing({ ...parts, initializers: [scalar("ratio", 0.25), training(1)] })).training).toBe(true);
		const masked = {
			...parts,
			nodes: [node("Dropout", ["x"], ["y", "m"])],
			outputs: [value("y"), value("m", [], "bool")],
		};
		await expect(importing(masked)).rejects.toThrow(
			'm: Dropout "Dropout_y": its output "m" (the mask) cannot be computed',
		);
	});
});

describe("linear", () => {
	const w = weight("fc.weight", [4, 5], noise(20, 2));
	const wt = weight("w", [5, 4], noise(20, 2));
	const gemm = (attributes: Attributes, bias: number[] | null, shape: [number, number] = [3, 5]): ModelParts => ({
		nodes: [
			node("Gemm", ["x", attributes?.transB ? "fc.weight" : "w", ...(bias ? ["fc.bias"] : [])], ["y"], attributes),
		],
		inputs: [value("x", shape)],
		initializers: [w, wt, weight("fc.bias", bias ?? [0], noise(bias?.reduce((a, b) => a * b, 1) ?? 0, 3))],
		opset: 11,
	});

	test.each<[Attributes, number[] | null, [number, number]]>([
		[{ transB: 1n }, [4], [3, 5]],
		[{ transB: 1n }, null, [3, 5]],
		[{}, [4], [3, 5]],
		[{ transA: 1n, transB: 1n }, [1, 4], [5, 3]],
		[{ transB: 1n, alpha: 0.5, beta: -2 }, [4], [3, 5]],
		[{ alpha: 0.5 }, [4], [3, 5]],
	])("Gemm %o with bias %j of %j is a Linear layer", async (attributes, bias, shape) => {
		const net = await compare(gemm(attributes, bias, shape), { x: input(shape) });
		const [[name, layer]] = net.namedChildren();
		expect(layer).toBeInstanceOf(nn.Linear);
		expect(name).toBe(attributes?.transB || bias ? "fc" : "Gemm_y");
	});

	test.each([[[3, 4]], [[3, 1]], [[1]], [[]]])("Gemm with a bias of shape %j, which is no row", async (bias) => {
		const net = await compare(gemm({ transB: 1n, alpha: 2, beta: 3 }, bias), { x: input([3, 5]) });
		expect([...net.namedChildren()]).toEqual([]);
	});

	test("Gemm of two computed matrices", async () => {
		const parts: ModelParts = {
			nodes: [node("Gemm", ["x", "z"], ["y"], { transA: 1n, alpha: 0.5 })],
			inputs: [value("x"), value("z")],
		};
		await compare(parts, { x: input([5, 3]), z: input([5, 2], 3) });
	});

	test("MatMul by a matrix, with the row that is added behind it, is one layer", async () => {
		const parts: ModelParts = {
			nodes: [node("MatMul", ["x", "onnx::MatMul_9"], ["a"]), node("Add", ["fc.bias", "a"], ["y"])],
			initializers: [weight("onnx::MatMul_9", [5, 4], noise(20, 2)), weight("fc.bias", [4], noise(4, 3))],
		};
		const net = await compare(parts);
		expect([...net.namedChildren()]).toEqual([["fc", expect.any(nn.Linear)]]);
		expect(net.stateDict()["fc.weight"].shape).toEqual([4, 5]);
		expect(net.origins.get("fc.weight")?.value).toBe("onnx::MatMul_9");
		const returned = { ...parts, outputs: [value("a"), value("y")] };
		expect([...(await compare(returned)).namedChildren()].map(([, layer]) => layer)).toEqual([expect.any(nn.Linear)]);
	});

	test("MatMul of computed matrices, and by parameters of other shapes", async () => {
		const two: ModelParts = { nodes: [node("MatMul", ["x", "z"], ["y"])], inputs: [value("x"), value("z")] };
		await compare(two, { x: input([2, 3, 5]), z: input([5, 2], 3) });
		const batch: ModelParts = {
			nodes: [node("MatMul", ["x", "w"], ["y"])],
			initializers: [weight("w", [2, 5, 4], noise(40, 2))],
		};
		expect(Object.keys((await compare(batch)).stateDict())).toEqual(["w"]);
	});
});

describe("pools", () => {
	const windows: [string, Attributes, number[]][] = [
		["plain", { kernel_shape: ints(2, 3) }, [2, 3, 7, 8]],
		["strides, pads", { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 1, 1) }, [2, 3, 7, 8]],
		["uneven pads", { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(0, 1, 1, 0) }, [2, 3, 7, 8]],
		["pads beyond half", { kernel_shape: ints(3, 3), pads: ints(2, 2, 2, 2) }, [1, 2, 5, 5]],
		["SAME_UPPER", { kernel_shape: ints(3, 2), strides: ints(2, 2), auto_pad: "SAME_UPPER" }, [2, 3, 7, 8]],
		["SAME_LOWER", { kernel_shape: ints(2, 2), auto_pad: "SAME_LOWER" }, [2, 3, 7, 8]],
		["one axis", { kernel_shape: ints(3), strides: ints(2), pads: ints(1, 1) }, [2, 3, 8]],
		["one axis, uneven pads", { kernel_shape: ints(3), strides: ints(2), pads: ints(0, 1) }, [2, 3, 8]],
		["rounded up", { kernel_shape: ints(2, 2), strides: ints(2, 2), ceil_mode: 1n }, [2, 3, 7, 7]],
	];
	test.each(windows)("MaxPool, %s", async (_, attributes, shape) => {
		await compare(one("MaxPool", attributes), { x: input(shape) });
	});
	test.each(windows)("AveragePool, %s", async (_, attributes, shape) => {
		await compare(one("AveragePool", attributes, {}, 19), { x: input(shape) });
	});
	test.each(windows.slice(0, -1))("AveragePool that counts padding, %s", async (_, attributes, shape) => {
		await compare(one("AveragePool", { ...attributes, count_include_pad: 1n }), { x: input(shape) });
	});

	test("layers where they can be", async () => {
		const [name, attributes, shape] = windows[1];
		expect(name).toBe("strides, pads");
		for (const [op, kind] of [
			["MaxPool", nn.MaxPool2d],
			["AveragePool", nn.AvgPool2d],
		] as const) {
			const net = await compare(one(op, attributes), { x: input(shape) });
			expect([...net.namedChildren()][0][1]).toBeInstanceOf(kind);
		}
	});

	test("MaxPool with dilations; its indices are refused", async () => {
		await compare(one("MaxPool", { kernel_shape: ints(2, 2), dilations: ints(2, 3) }), { x: input([1, 2, 6, 7]) });
		const parts = one("MaxPool", { kernel_shape: ints(2, 2) });
		parts.nodes = [{ ...parts.nodes[0], output: ["y", "at"] }];
		await expect(importing({ ...parts, outputs: [value("y"), value("at", [], "int64")] })).rejects.toThrow(
			'its output "at" (the indices) cannot be computed',
		);
	});

	test.each(["GlobalAveragePool", "GlobalMaxPool"])("%s over any number of axes", async (op) => {
		await compare(one(op), { x: input([2, 3, 5]) });
		await compare({ ...one(op), inputs: [value("x", ["N", 3, "H", "W"])] }, { x: input([2, 3, 4, 5]) });
	});
});

describe("arithmetic", () => {
	test.each(["Add", "Sub", "Mul", "Div"])("%s broadcasts, by parameters and by numbers", async (op) => {
		const parts: ModelParts = {
			nodes: [
				node(op, ["x", "w"], ["a"]),
				node(op, ["two", "a"], ["b"]),
				node(op, ["b", "one"], ["c"]),
				node(op, ["c", "x"], ["y"]),
			],
			initializers: [weight("w", [3, 1], [1, 2, 3]), scalar("two", 2), weight("one", [1, 1, 1, 1], [1.5])],
		};
		const net = await compare(parts, { x: input([3, 5]) }, 1e-5);
		expect(Object.keys(net.stateDict())).toEqual(["w"]);
	});

	test.each(["Sqrt", "Exp", "Log", "Abs", "Neg", "Reciprocal"])("%s", async (op) => {
		const x = input([3, 5]);
		if (op === "Sqrt" || op === "Log") x.data = (x.data as Float32Array).map(Math.abs);
		await compare(one(op), { x });
	});

	test.each(["Sum", "Mean", "Max", "Min"])("%s of several", async (op) => {
		const inputs = ["x", "z", "x"];
		const parts: ModelParts = { nodes: [node(op, inputs, ["y"])], inputs: [value("x"), value("z")] };
		await compare(parts, { x: input([3, 5]), z: input([5], 3) });
	});

	test.each([2, 3, 0.5, -1])("Pow by %d", async (exponent) => {
		const x = input([3, 5]);
		x.data = (x.data as Float32Array).map((v) => Math.abs(v) + 0.1);
		const parts: ModelParts = { nodes: [node("Pow", ["x", "e"], ["y"])], initializers: [scalar("e", exponent)] };
		await compare(parts, { x });
	});

	test("Pow by what depends on the data is refused", async () => {
		const net = await importing({ nodes: [node("Pow", ["x", "x"], ["y"])] });
		const { tensor } = await import("../../ops/creation.ts");
		expect(() => net.forward(tensor([1, 2]))).toThrow(
			'm: Pow "Pow_y": its exponent must be one number that is a constant',
		);
	});
});

describe("reductions", () => {
	test.each(["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"])("%s, its axes attribute or input", async (op) => {
		await compare(one(op, { axes: ints(1, -1), keepdims: 0n }, {}, 11));
		await compare(one(op, { axes: ints(1) }, {}, 7));
		await compare(one(op, { keepdims: 0n }, {}, 11));
		await compare(one(op, { keepdims: 0n }, { axes: [0, 2] }, 18));
		await compare(one(op, {}, {}, 18));
		await compare(one(op, { noop_with_empty_axes: 1n }, { axes: [] }, 18));
	});
});
