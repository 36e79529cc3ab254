// What folding tools get wrong about where numbers lie, and who else reads them. Each is folded rightly, or the norm
// stays with a reason while the rest is folded; ONNX Runtime says whether the outputs are what they were.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearField, create } from "@bufbuild/protobuf";
import { afterAll, describe, expect, test } from "vitest";
import { type ModelParts, model, node, value } from "../../../test/support/onnx-builder.ts";
import { difference, input } from "../../../test/support/onnx-compare.ts";
import {
	behindFoldable,
	bn,
	foldAndCompare,
	folding,
	inputs,
	normConstants,
	random,
	refused,
} from "../../../test/support/onnx-fold.ts";
import { runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import {
	AttributeProtoSchema,
	StringStringEntryProtoSchema,
	type TensorProto,
	TensorProto_DataLocation,
	TensorProtoSchema,
} from "../../model-files/onnx/generated/onnx-ml_pb.ts";
import { encodeOnnx, makeTensor, readOnnx, writeOnnx } from "../../model-files/onnx/index.ts";

describe("where the numbers are", () => {
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-fold-"));
	afterAll(() => rmSync(folder, { recursive: true }));

	test("external data: what changes moves into the model, all else stays where it is", async () => {
		const made = model({
			nodes: [
				node("Conv", ["x", "w"], ["a"]),
				bn("a", "b"),
				node("Conv", ["b", "v"], ["y"], { pads: [1n, 1n, 1n, 1n] }),
			],
			initializers: [random("w", [4, 3, 3, 3]), random("v", [2, 4, 3, 3], 3), ...normConstants("bn", 4)],
		});
		let offset = 0;
		const parts: Uint8Array[] = [];
		for (const tensor of made.graph.initializer) {
			parts.push(tensor.rawData);
			const place = { location: "weights.bin", offset: String(offset), length: String(tensor.rawData.length) };
			tensor.externalData = Object.entries(place).map(([key, text]) =>
				create(StringStringEntryProtoSchema, { key, value: text }),
			);
			offset += tensor.rawData.length;
			clearField(tensor, TensorProtoSchema.field.rawData);
			tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
		}
		writeFileSync(join(folder, "weights.bin"), Buffer.concat(parts));
		writeFileSync(join(folder, "model.onnx"), encodeOnnx(made));
		const { folded, left } = await foldAndCompare(await readOnnx(join(folder, "model.onnx")), { inputs });
		expect(left).toEqual([]);
		expect(folded.externalTensors().map(({ name }) => name)).toEqual(["v"]);
		const data = readFileSync(join(folder, "weights.bin"));
		await writeOnnx(join(folder, "folded.onnx"), folded);
		expect(Buffer.compare(readFileSync(join(folder, "weights.bin")), data)).toBe(0);
		expect((await readOnnx(join(folder, "folded.onnx"))).externalTensors()).toHaveLength(1);
	});

	test("numbers in fields by type instead of raw data, and in Constant nodes", async () => {
		const [scale, shift, mean, variance] = normConstants("bn", 4);
		const inField = (tensor: TensorProto) => {
			tensor.floatData = [tensor.rawData];
			clearField(tensor, TensorProtoSchema.field.rawData);
			return tensor;
		};
		const { left, operators } = await foldAndCompare(
			{
				nodes: [
					node("Constant", [], ["bn.mean"], { value_floats: [...new Float32Array(mean.rawData.buffer)] }),
					node("Constant", [], ["w"], { value: inField(random("", [4, 3, 3, 3])) }),
					node("Conv", ["x", "w", "b"], ["a"]),
					bn("a", "y"),
				],
				initializers: [...[scale, shift, variance].map(inField), inField(random("b", [4], 3))],
			},
			{ inputs },
		);
		expect([left, operators]).toEqual([[], ["Conv"]]);
	});

	const halfOf = (tensor: TensorProto) =>
		makeTensor(tensor.name, {
			type: "float16",
			shape: tensor.dims.map(Number),
			data: new Float32Array(tensor.rawData.buffer),
		});

	test("halves that are cast to floats: folded in full precision", async () => {
		const parts = {
			nodes: [
				node("Cast", ["half"], ["w"], { to: 1n }),
				node("Conv", ["x", "w"], ["a"]),
				node("Cast", ["bn.h"], ["bn.scale"], { to: 1n }),
				bn("a", "y"),
			],
			initializers: [
				halfOf(random("half", [4, 3, 3, 3])),
				...normConstants("bn", 4).slice(1),
				halfOf(random("bn.h", [4], 8)),
			],
		};
		const { left, operators, initializers } = await foldAndCompare(parts, { inputs });
		expect([left, operators, initializers]).toEqual([[], ["Conv"], ["w_1", "w_bias"]]);
	});

	test("a model of halves: as near to the same in floats as it was", async () => {
		const floatParts = {
			nodes: [node("Conv", ["x", "w", "b"], ["a"]), bn("a", "y")],
			initializers: [random("w", [4, 3, 3, 3]), random("b", [4], 3), ...normConstants("bn", 4)],
		};
		const half = model({
			nodes: [
				node("Cast", ["x"], ["h"], { to: 10n }),
				node("Conv", ["h", "w", "b"], ["a"]),
				bn("a", "c"),
				node("Cast", ["c"], ["y"], { to: 1n }),
			],
			initializers: floatParts.initializers.map(halfOf),
		});
		const exact = (await runOnnxRuntime(encodeOnnx(model(floatParts)), inputs)).y.data;
		const { folded, left } = await foldAndCompare(half, { inputs, tolerance: 4e-3 });
		expect(left).toEqual([]);
		expect(folded.graph.initializer.map(({ dataType }) => dataType)).toEqual([10, 10]);
		expect(difference((await runOnnxRuntime(encodeOnnx(folded), inputs)).y.data, exact)).toBeLessThan(2e-3);
	});

	test("halves that would be too large, or too small to keep their digits", () => {
		for (const [factor, reason] of [
			[1e4, /too large for float16/],
			[1e-6, /too small for float16/],
		] as const) {
			const scale = random("bn.scale", [4]);
			const tensors = [
				...[random("w", [4, 3, 3, 3]), ...normConstants("bn", 4).slice(1)].map(halfOf),
				makeTensor("bn.scale", {
					type: "float",
					shape: [4],
					data: new Float32Array(scale.rawData.buffer).map((v) => 100 * factor * v),
				}),
			];
			const parts = { nodes: [node("Conv", ["x", "w"], ["a"]), bn("a", "y")], initializers: tensors };
			expect(folding(model(parts)).left[0]).toMatch(reason);
		}
	});

	const alsoInputs = (ir: number): ModelParts => ({
		nodes: [node("Conv", ["x", "w"], ["a"]), bn("a", "y")],
		inputs: [
			value("x"),
			value("w", [4, 3, 3, 3]),
			...["scale", "shift", "mean", "var"].map((part) => value(`bn.${part}`, [4])),
		],
		initializers: [random("w", [4, 3, 3, 3]), ...normConstants("bn", 4)],
		opset: 8,
		ir,
	});

	test("initializers that are graph inputs: before IR version 4 all are, and the new bias too", async () => {
		const { left, folded } = await foldAndCompare(alsoInputs(3), { inputs });
		expect(left).toEqual([]);
		expect(folded.graph.input.map(({ name }) => name)).toEqual(["x", "w", "w_bias"]);
	});

	test("from then on whoever runs the model may replace them: not folded, unless that is forbidden", async () => {
		const { left, how } = await foldAndCompare(alsoInputs(8), { inputs });
		expect([how, left]).toEqual([
			[],
			[expect.stringMatching(/"bn": its scale is also an input of the graph, which .* may replace; option fixInputs/)],
		]);
		const fixed = await foldAndCompare(alsoInputs(8), { inputs, fixInputs: true });
		expect([fixed.left, fixed.folded.graph.input.map(({ name }) => name)]).toEqual([[], ["x"]]);
	});

	test("one of the convolution's weights may be replaced", async () => {
		const parts = behindFoldable([node("Conv", ["h", "w"], ["a"]), bn("a", "y")], [random("w", [4, 4, 1, 1])], {
			inputs: [value("x"), value("w", [4, 4, 1, 1])],
		});
		expect(await refused(parts)).toMatch(/before it: the weight of Conv "Conv_a" is also an input of the graph/);
	});

	test("a scale that nodes compute", async () => {
		const parts = behindFoldable(
			[node("Mul", ["s", "s"], ["bn.scale"]), node("Conv", ["h", "w"], ["a"]), bn("a", "y")],
			[random("w", [4, 4, 1, 1]), random("s", [4])],
		);
		parts.initializers = parts.initializers?.filter(({ name }) => name !== "bn.scale");
		expect(await refused(parts)).toMatch(/its scale is computed, by Mul "Mul_bn.scale"$/);
	});

	test("a mean that is an input, and a weight that is computed", async () => {
		const parts = behindFoldable([node("Conv", ["h", "w"], ["a"]), bn("a", "y")], [random("w", [4, 4, 1, 1])]);
		const initializers = parts.initializers?.filter(({ name }) => name !== "bn.mean");
		const free = { ...parts, initializers, inputs: [value("x"), value("bn.mean", [4])] };
		expect(folding(model(free)).left).toEqual(['BatchNormalization "bn": its mean is an input of the graph']);
		const computed = behindFoldable(
			[node("Neg", ["v"], ["w"]), node("Conv", ["h", "w"], ["a"]), bn("a", "y")],
			[random("v", [4, 4, 1, 1])],
		);
		expect(await refused(computed)).toMatch(/before it: the weight of Conv "Conv_a" is computed, by Neg/);
	});
});

describe("who else looks", () => {
	test("a weight of two convolutions: each gets what it needs", async () => {
		const parts = {
			nodes: [
				node("Conv", ["x", "w", "b"], ["a"]),
				bn("a", "c", "n1"),
				node("Conv", ["x", "w", "b"], ["d"]),
				node("Conv", ["x", "w", "b"], ["e"]),
				bn("e", "f", "n2"),
				node("Sum", ["c", "d", "f"], ["y"]),
			],
			initializers: [
				random("w", [4, 3, 3, 3]),
				random("b", [4], 3),
				...normConstants("n1", 4),
				...normConstants("n2", 4, 50),
			],
		};
		const { left, initializers } = await foldAndCompare(parts, { inputs });
		expect(left).toEqual([]);
		expect(initializers.sort()).toEqual(["b", "w", "w_1", "w_2", "w_bias", "w_bias_1"]);
	});

	test("a weight that the graph also returns", async () => {
		const parts = {
			nodes: [node("Conv", ["x", "w"], ["a"]), bn("a", "y")],
			outputs: [value("y"), value("w")],
			initializers: [random("w", [4, 3, 3, 3]), ...normConstants("bn", 4)],
		};
		const { left, initializers } = await foldAndCompare(parts, { inputs });
		expect([left, initializers]).toEqual([[], ["w", "w_1", "w_bias"]]);
	});

	test("constants that a norm shares with what it folds into, as exporters write equal tensors once", async () => {
		const parts = {
			nodes: [
				node("Identity", ["b"], ["bn.shift"]),
				node("Identity", ["b"], ["bn.mean"]),
				node("Conv", ["x", "w", "b"], ["a"]),
				bn("a", "y"),
			],
			initializers: [
				random("w", [4, 3, 3, 3]),
				random("b", [4], 3),
				...normConstants("bn", 4).filter(({ name }) => !/shift|mean/.test(name)),
			],
		};
		const { left, operators, initializers } = await foldAndCompare(parts, { inputs });
		expect([left, operators, initializers]).toEqual([[], ["Conv"], ["w", "w_bias"]]);
	});

	test("a second consumer of the convolution's output", async () => {
		const parts = behindFoldable(
			[node("Conv", ["h", "w"], ["a"]), bn("a", "b"), node("Add", ["a", "b"], ["y"])],
			[random("w", [4, 4, 1, 1])],
		);
		expect(await refused(parts)).toMatch(
			/before it: the output of Conv "Conv_a" is also read by Add "Add_y"; behind it: Add "Add_y" reads it/,
		);
	});

	test("a subgraph that reads it", () => {
		const branch = model({ nodes: [node("Relu", ["a"], ["r"])], inputs: [], outputs: [value("r")] }).graph;
		const choice = node("If", ["c"], ["z"]);
		choice.attribute = [create(AttributeProtoSchema, { name: "then_branch", type: 5, g: branch })];
		const parts = behindFoldable([node("Conv", ["h", "w"], ["a"]), bn("a", "y"), choice], [random("w", [4, 4, 1, 1])], {
			inputs: [value("x"), value("c")],
		});
		expect(folding(model(parts)).left[0]).toMatch(/the output of Conv "Conv_a" is also read by If/);
	});

	test("a graph output", async () => {
		const parts = behindFoldable([node("Conv", ["h", "w"], ["a"]), bn("a", "y")], [random("w", [4, 4, 1, 1])], {
			outputs: [value("y"), value("a")],
		});
		expect(await refused(parts)).toMatch(
			/before it: the graph also returns the output of Conv "Conv_a"; behind it: the graph also returns the output of BatchNormalization "bn"/,
		);
	});

	test("the norm's own output is returned and read on: its name moves to the convolution's", async () => {
		const parts = {
			nodes: [node("Conv", ["x", "w"], ["a"]), bn("a", "y"), node("Relu", ["y"], ["z"])],
			outputs: [value("y"), value("z")],
			initializers: [random("w", [4, 3, 3, 3]), ...normConstants("bn", 4)],
		};
		const { left, folded } = await foldAndCompare(parts, { inputs });
		expect([left, folded.graph.node[0].output]).toEqual([[], ["y"]]);
	});

	test("a product whose sum is the graph's output", async () => {
		const rows = [5, 3];
		const parts = {
			nodes: [node("Relu", ["x"], ["a"]), bn("a", "b"), node("MatMul", ["b", "w"], ["y"]), node("Neg", ["y"], ["z"])],
			inputs: [value("x", rows)],
			outputs: [value("y"), value("z")],
			initializers: [random("w", [3, 2]), ...normConstants("bn", 3)],
		};
		const { left, operators } = await foldAndCompare(parts, { inputs: { x: input(rows) } });
		expect([left, operators]).toEqual([[], ["Relu", "MatMul", "Add", "Neg"]]);
	});
});
