import { beforeAll, describe, expect, test } from "vitest";
import { integers, type ModelParts, model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { compare, input } from "../../../test/support/onnx-compare.ts";
import { init } from "../../backend/init.ts";
import { encodeOnnx, makeTensor } from "../../model-files/onnx/index.ts";
import { tensor } from "../../ops/creation.ts";
import { importOnnx } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

type Attributes = Parameters<typeof node>[3];

const ints = (...list: number[]) => list.map(BigInt);
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
const importing = (parts: ModelParts) => importOnnx(encodeOnnx(model(parts)), { name: "m" });
const x = input([2, 3, 5]);

describe("of one node", () => {
	test.each<[string, ModelParts]>([
		["Reshape", one("Reshape", {}, { shape: [0, -1] })],
		["Reshape, version 7", one("Reshape", {}, { shape: [5, 1, 6] }, 7)],
		["Flatten", one("Flatten")],
		["Flatten from 2", one("Flatten", { axis: 2n })],
		["Flatten from 0", one("Flatten", { axis: 0n })],
		["Flatten from -1", one("Flatten", { axis: -1n })],
		["Transpose", one("Transpose", { perm: ints(1, 2, 0) })],
		["Transpose, all", one("Transpose")],
		["Unsqueeze, version 11", one("Unsqueeze", { axes: ints(0, 4) }, {}, 11)],
		["Unsqueeze", one("Unsqueeze", {}, { axes: [-1, 1] })],
		["Slice, version 9", one("Slice", { starts: ints(1), ends: ints(99), axes: ints(2) }, {}, 9)],
		["Slice", one("Slice", {}, { starts: [1, -4], ends: [2 ** 40, -1], axes: [1, -1] })],
		["Slice without axes", one("Slice", {}, { starts: [0, 1], ends: [1, 3] })],
		["Slice with steps", one("Slice", {}, { starts: [0, 1], ends: [5, 5], axes: [1, 2], steps: [2, 3] })],
		["Slice of nothing", one("Slice", {}, { starts: [3], ends: [2], axes: [2] })],
		["Gather one", one("Gather", { axis: 1n }, { i: -1 })],
		["Gather several", one("Gather", { axis: 2n }, { i: [4, 0, 0] })],
		["Identity", one("Identity")],
	])("%s", async (_, parts) => {
		await compare(parts, { x });
		await compare({ ...parts, inputs: [value("x", [2, 3, 5])] }, { x });
	});

	test("Squeeze, by attribute, by input, of all that are 1", async () => {
		const thin = { x: input([1, 3, 1, 5]) };
		await compare(one("Squeeze", { axes: ints(0) }, {}, 11), thin);
		await compare(one("Squeeze", {}, { axes: [-2] }, 13), thin);
		await compare(one("Squeeze", {}, {}, 13), thin);
		const net = await importing(one("Squeeze", {}, { axes: [1] }, 13));
		expect(() => net.forward(tensor([1, 2], [1, 2]))).toThrow(
			'm: Squeeze "Squeeze_y": axis 1 of [1, 2] is not of length 1',
		);
	});

	test("Concat", async () => {
		const parts: ModelParts = {
			nodes: [node("Concat", ["x", "z", "x"], ["y"], { axis: -2n })],
			inputs: [value("x"), value("z")],
		};
		await compare(parts, { x, z: input([2, 1, 5], 3) });
	});

	test.each<[string, Attributes, number[] | null, number]>([
		["attribute", { axis: 2n, split: ints(1, 4) }, null, 11],
		["attribute that is missing", { axis: 2n }, null, 11],
		["input", { axis: -1n }, [2, 3], 13],
		["num_outputs", { axis: 2n, num_outputs: 2n }, null, 18],
	])("Split by %s", async (_, attributes, lengths, opset) => {
		const inputs = lengths ? ["x", "split"] : ["x"];
		const parts: ModelParts = {
			nodes: [node("Split", inputs, ["y", "z"], attributes)],
			outputs: [value("y"), value("z")],
			initializers: [integers("split", lengths ?? [])],
			opset,
		};
		await compare(parts, { x: opset === 11 && !attributes?.split ? input([2, 3, 4]) : x });
	});

	test.each(["constant", "reflect", "edge"])("Pad by %s", async (mode) => {
		await compare(one("Pad", { mode, pads: ints(0, 1, 2, 0, 0, 1) }, {}, 10), { x });
		await compare(one("Pad", { mode }, { pads: [0, 2, 1, 0, 1, 4] }, 13), { x });
		await compare(one("Pad", { mode }, { pads: [0, -1, 1, 0, 0, -2] }, 13), { x });
	});

	test("Pad by a value, along some axes, by what lies at the other end", async () => {
		const parts: ModelParts = {
			nodes: [node("Pad", ["x", "pads", "value", "axes"], ["y"])],
			initializers: [integers("pads", [1, 0, 2, 3]), weight("value", [], [0.5]), integers("axes", [-1, 0])],
			opset: 18,
		};
		await compare(parts, { x });
		await compare(one("Pad", { mode: "wrap" }, { pads: [0, 1, 2, 0, 3, 1] }, 19), { x });
		const short = await importing(one("Pad", {}, { pads: [3, 0] }));
		expect(() => short.forward(tensor([1, 2], [1, 2]))).toThrow("pads [3, 0] must be 4 numbers");
		const net = await importing(one("Pad", { mode: "reflect" }, { pads: [3, 0] }));
		expect(() => net.forward(tensor([1, 2]))).toThrow('pads 3 elements by "reflect" along axis 0, which has only 2');
	});

	test("ConstantOfShape", async () => {
		const parts: ModelParts = {
			nodes: [node("ConstantOfShape", ["s"], ["c"], { value: weight("", [1], [2.5]) }), node("Add", ["x", "c"], ["y"])],
			initializers: [integers("s", [3, 1])],
		};
		await compare(parts, { x });
	});

	test("Cast of data to whole numbers is refused, to a float is none", async () => {
		await compare(one("Cast", { to: 1n }), { x });
		const net = await importing(one("Cast", { to: 7n }));
		expect(() => net.forward(tensor([1]))).toThrow("casts data to whole numbers, which cannot be run");
	});
});

describe("shapes that are computed", () => {
	test("as exporters do for view(): Shape, Gather, Unsqueeze, Concat, Reshape", async () => {
		const parts: ModelParts = {
			nodes: [
				node("Shape", ["x"], ["s"]),
				node("Constant", [], ["zero"], {
					value: makeTensor("", { type: "int64", shape: [], data: BigInt64Array.of(0n) }),
				}),
				node("Gather", ["s", "zero"], ["n"]),
				node("Unsqueeze", ["n", "axis"], ["u"]),
				node("Concat", ["u", "minus"], ["shape"], { axis: 0n }),
				node("Reshape", ["x", "shape"], ["y"]),
			],
			initializers: [integers("axis", [0]), integers("minus", [-1])],
		};
		const net = await compare(parts, { x });
		expect(net.parameters()).toEqual([]);
		await compare(parts, { x: input([5, 2, 2]) });
	});

	test("with arithmetic, slices, casts, and shapes of shapes", async () => {
		await compare(
			{
				nodes: [
					node("Shape", ["x"], ["s"], { start: 1n }),
					node("Slice", ["s", "from", "to", "", "back"], ["r"]),
					node("Mul", ["r", "s"], ["m"]),
					node("Div", ["m", "two"], ["d"]),
					node("Cast", ["d"], ["f"], { to: 1n }),
					node("Sub", ["f", "half"], ["g"]),
					node("Cast", ["g"], ["e"], { to: 7n }),
					node("Squeeze", ["e"], ["q"]),
					node("ConstantOfShape", ["q"], ["c"], { value: weight("", [1], [1]) }),
					node("ReduceSum", ["c"], ["n"], { keepdims: 0n }),
					node("Mul", ["x", "n"], ["y"]),
				],
				initializers: [
					integers("from", [-1]),
					integers("to", [-9]),
					integers("back", [-1]),
					integers("two", 2),
					weight("half", [], [0.5]),
				],
			},
			{ x },
		);
	});

	test("Constant nodes in every form", async () => {
		await compare(
			{
				nodes: [
					node("Constant", [], ["i"], { value_int: 2n }),
					node("Constant", [], ["is"], { value_ints: ints(5, 6) }),
					node("Constant", [], ["f"], { value_float: 1.5 }),
					node("Constant", [], ["fs"], { value_floats: [1, 2, 3, 4, 5, 6] }),
					node("Reshape", ["x", "is"], ["a"]),
					node("Mul", ["a", "f"], ["b"]),
					node("Gather", ["b", "i"], ["c"]),
					node("Add", ["c", "fs"], ["y"]),
				],
			},
			{ x: input([5, 3, 2]) },
		);
	});

	test("what a graph returns may be a constant, or its input", async () => {
		const parts: ModelParts = {
			nodes: [node("Relu", ["x"], ["z"])],
			outputs: [value("w"), value("x"), value("z")],
			initializers: [weight("w", [3], noise(3))],
		};
		const made = model(parts);
		const net = await importOnnx(encodeOnnx(made));
		const given = tensor([1, -2]);
		const outputs = net.run({ x: given });
		expect(Object.keys(outputs)).toEqual(["w", "x", "z"]);
		expect([...outputs.w.dataSync()]).toEqual([...noise(3)]);
		expect(outputs.x).toBe(given);
	});

	test("indices that depend on the data are refused where they are met", async () => {
		const parts: ModelParts = {
			nodes: [node("Relu", ["i"], ["j"]), node("Gather", ["x", "j"], ["y"])],
			inputs: [value("x"), value("i")],
		};
		const net = await importing(parts);
		expect(() => net.forward(tensor([1, 2]), tensor([0]))).toThrow(
			'Gather "Gather_y": its input "j" [1] depends on the data; it can only be run where that is a constant',
		);
	});
});
