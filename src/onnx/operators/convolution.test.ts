import { beforeAll, describe, expect, test } from "vitest";
import { type ModelParts, model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { compare, input } from "../../../test/support/onnx-compare.ts";
import { init } from "../../backend/init.ts";
import { encodeOnnx } from "../../model-files/onnx/index.ts";
import { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d } from "../../nn/index.ts";
import { importOnnx } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

type Attributes = Parameters<typeof node>[3];

function conv(op: string, shape: number[], attributes: Attributes, biases = 0, opset = 17): ModelParts {
	const size = shape.reduce((a, b) => a * b, 1);
	const initializers = [weight("c.weight", shape, noise(size, 3))];
	if (biases) initializers.push(weight("c.bias", [biases], noise(biases, 4)));
	const inputs = ["x", "c.weight", ...(biases ? ["c.bias"] : [])];
	return { nodes: [node(op, inputs, ["y"], attributes)], initializers, opset };
}

const pads = (...list: number[]) => ({ pads: list.map(BigInt) });
const ints = (...list: number[]) => list.map(BigInt);

describe("Conv", () => {
	test.each<[string, number[], Attributes, number, number[]]>([
		["plain", [4, 3, 3, 3], {}, 4, [2, 3, 7, 8]],
		["no bias, kernel_shape", [4, 3, 3, 2], { kernel_shape: ints(3, 2) }, 0, [1, 3, 7, 8]],
		["strides, dilations", [4, 3, 3, 3], { strides: ints(2, 1), dilations: ints(1, 2) }, 4, [2, 3, 9, 9]],
		["even pads", [4, 3, 3, 3], pads(1, 2, 1, 2), 4, [2, 3, 7, 8]],
		["uneven pads", [4, 3, 3, 3], pads(0, 2, 1, 0), 4, [2, 3, 7, 8]],
		["groups", [4, 2, 3, 3], { group: 2n, ...pads(1, 1, 1, 1) }, 4, [2, 4, 5, 6]],
		["depthwise", [4, 1, 3, 3], { group: 4n }, 4, [2, 4, 5, 6]],
		["VALID", [4, 3, 3, 3], { auto_pad: "VALID" }, 4, [2, 3, 7, 8]],
		["SAME_UPPER", [4, 3, 4, 3], { auto_pad: "SAME_UPPER" }, 4, [2, 3, 7, 8]],
		["SAME_LOWER", [4, 3, 4, 3], { auto_pad: "SAME_LOWER" }, 4, [2, 3, 7, 8]],
		["SAME_UPPER, stride 2", [4, 3, 3, 3], { auto_pad: "SAME_UPPER", strides: ints(2, 2) }, 4, [2, 3, 7, 8]],
		["SAME_LOWER, stride 2", [4, 3, 3, 3], { auto_pad: "SAME_LOWER", strides: ints(2, 2) }, 4, [2, 3, 7, 8]],
		["one axis", [4, 3, 3], { strides: ints(2), ...pads(1, 1) }, 4, [2, 3, 9]],
		["one axis, uneven pads", [4, 3, 3], pads(2, 0), 4, [2, 3, 9]],
		["one axis, SAME_LOWER", [4, 3, 4], { auto_pad: "SAME_LOWER", strides: ints(2) }, 4, [2, 3, 9]],
	])("%s", async (_, shape, attributes, biases, x) => {
		const net = await compare(conv("Conv", shape, attributes, biases), { x: input(x) });
		const [layer] = [...net.namedChildren()].map(([name, module]) => [name, module] as const);
		expect(layer[0]).toBe("c");
		expect(layer[1]).toBeInstanceOf(shape.length === 3 ? Conv1d : Conv2d);
		expect(Object.keys(net.stateDict())).toEqual(biases ? ["c.weight", "c.bias"] : ["c.weight"]);
	});

	test.each([7, 11, 22])("version %d", async (opset) => {
		await compare(conv("Conv", [4, 3, 3, 3], pads(1, 1, 1, 1), 4, opset), { x: input([1, 3, 5, 5]) });
	});

	test("a weight that is computed", async () => {
		const net = await compare(
			{
				nodes: [node("Neg", ["w"], ["v"]), node("Conv", ["x", "v"], ["y"], { kernel_shape: ints(3, 3) })],
				inputs: [value("x"), value("w", [2, 3, 3, 3])],
			},
			{ x: input([1, 3, 5, 5]), w: input([2, 3, 3, 3], 9) },
		);
		expect(net.parameters()).toEqual([]);
	});

	test("three axes are refused, and a kernel_shape that is not the weight's", async () => {
		const imported = (parts: ModelParts) => importOnnx(encodeOnnx(model(parts)), { name: "m" });
		await expect(imported(conv("Conv", [1, 1, 2, 2, 2], {}))).rejects.toThrow(
			'm: Conv "Conv_y": convolutions run along one or two axes, this one has 3',
		);
		await expect(imported(conv("Conv", [1, 1, 2, 2], { kernel_shape: ints(3, 3) }))).rejects.toThrow(
			"kernel_shape [3, 3] is not that of its weight, [1, 1, 2, 2]",
		);
		await expect(imported(conv("Conv", [1, 1, 2, 2], pads(-1, 0, 0, 0)))).rejects.toThrow("pads [-1, 0, 0, 0] must be");
	});
});

describe("ConvTranspose", () => {
	test.each<[string, number[], Attributes, number, number[]]>([
		["plain", [3, 4, 3, 3], {}, 4, [2, 3, 4, 5]],
		["strides, no bias", [3, 4, 3, 2], { strides: ints(2, 3) }, 0, [2, 3, 4, 5]],
		[
			"pads, output_padding",
			[3, 4, 3, 3],
			{ strides: ints(2, 2), output_padding: ints(1, 1), ...pads(1, 1, 1, 1) },
			4,
			[2, 3, 4, 5],
		],
		["uneven pads", [3, 4, 3, 3], { strides: ints(2, 2), ...pads(0, 1, 1, 2) }, 4, [2, 3, 4, 5]],
		["groups, dilations", [4, 3, 3, 2], { group: 2n, dilations: ints(2, 1) }, 6, [2, 4, 4, 5]],
		["output_shape", [3, 4, 3, 3], { strides: ints(3, 2), output_shape: ints(10, 8) }, 4, [1, 3, 3, 3]],
		[
			"output_shape, SAME_UPPER",
			[3, 4, 4, 4],
			{ strides: ints(3, 2), output_shape: ints(9, 7), auto_pad: "SAME_UPPER" },
			4,
			[1, 3, 3, 3],
		],
		["SAME_UPPER", [3, 4, 4, 4], { strides: ints(3, 3), auto_pad: "SAME_UPPER" }, 4, [1, 3, 3, 4]],
		["SAME_LOWER", [3, 4, 4, 4], { strides: ints(3, 3), auto_pad: "SAME_LOWER" }, 4, [1, 3, 3, 4]],
		["one axis", [3, 4, 3], { strides: ints(2), output_padding: ints(1), ...pads(1, 0) }, 4, [2, 3, 5]],
	])("%s", async (_, shape, attributes, biases, x) => {
		const net = await compare(conv("ConvTranspose", shape, attributes, biases), { x: input(x) });
		const [[, layer]] = net.namedChildren();
		expect(layer).toBeInstanceOf(shape.length === 3 ? ConvTranspose1d : ConvTranspose2d);
	});
});

test("a module that is called twice is one layer; one with other options shares its weight", async () => {
	const parts = conv("Conv", [3, 3, 3, 3], pads(1, 1, 1, 1), 3);
	const names = ["c.weight", "c.bias"];
	parts.nodes = [
		node("Conv", ["x", ...names], ["a"], pads(1, 1, 1, 1)),
		node("Conv", ["a", ...names], ["b"], pads(1, 1, 1, 1)),
		node("Conv", ["b", ...names], ["y"]),
	];
	const net = await compare(parts, { x: input([1, 3, 5, 5]) });
	expect([...net.namedChildren()].map(([name]) => name)).toEqual(["c", "c_1"]);
	expect(net.parameters().length).toBe(2);
});
