// What folding tools get wrong about versions, modes and neighbors. Each is folded rightly, or the norm stays with a
// reason while the rest is folded; ONNX Runtime says whether the outputs are what they were.

import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { integers, type ModelParts, model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { difference } from "../../../test/support/onnx-compare.ts";
import {
	behindFoldable,
	bn,
	foldAndCompare,
	folding,
	inputs,
	normConstants,
	normInputs,
	random,
	refused,
} from "../../../test/support/onnx-fold.ts";
import { runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import {
	AttributeProtoSchema,
	type TensorProto,
	TrainingInfoProtoSchema,
} from "../../model-files/onnx/generated/onnx-ml_pb.ts";
import { decodeOnnx, encodeOnnx, makeTensor } from "../../model-files/onnx/index.ts";
import { foldOnnx } from "./fold-onnx.ts";

describe("what kind of norm it is", () => {
	const rest = [node("Conv", ["h", "w"], ["a"])];
	const weights = [random("w", [4, 4, 1, 1])];

	test.each([7, 8, 9, 13, 14, 15, 17, 21])("operator set %d folds", async (opset) => {
		const { left } = await foldAndCompare(behindFoldable([...rest, bn("a", "y")], weights, { opset }), { inputs });
		expect(left).toEqual([]);
	});

	test("statistics of each element of a map (before version 9)", async () => {
		const own = ["scale", "shift", "mean", "var"].map((part, i) => {
			const positive = noise(4 * 16, 60 + i).map((v) => 1.5 + v);
			return weight(`m.${part}`, [4, 4, 4], positive);
		});
		const mapped = node("BatchNormalization", normInputs("a", "m"), ["y"], { spatial: 0n }, { name: "bn" });
		for (const opset of [7, 8]) {
			expect(
				await refused(behindFoldable([...rest, mapped], [...weights, ...own], { opset }), { runs: false }),
			).toMatch(/each element of a map has statistics of its own \(spatial is 0\)/);
		}
		const ignored = behindFoldable([...rest, bn("a", "y", "bn", { spatial: 1n })], weights, { opset: 8 });
		expect((await foldAndCompare(ignored, { inputs })).left).toEqual([]);
	});

	test("training mode since version 14", async () => {
		const parts = behindFoldable([...rest, bn("a", "y", "bn", { training_mode: 1n }, ["m", "v"])], weights, {
			opset: 15,
		});
		expect(await refused(parts, { runs: false })).toMatch(/it is training \(training_mode is 1\)/);
	});

	test.each([["saved"], ["", "", "saved"]])("before that, outputs say so, read or not: %j", async (...outputs) => {
		const parts = behindFoldable([...rest, bn("a", "y", "bn", {}, outputs)], weights, { opset: 9 });
		expect(await refused(parts, { runs: false })).toMatch(/it is training \(it returns statistics\)/);
		const empty = behindFoldable([...rest, bn("a", "y", "bn", {}, [""])], weights, { opset: 9 });
		expect(folding(model(empty)).left).toEqual([]);
	});

	test("version 6 says is_test", async () => {
		const training = sixth(rest, weights, 0);
		expect(await refused(training, { runs: false })).toMatch(/it is training \(is_test is 0\)/);
		const { model: folded, report } = foldOnnx(model(sixth(rest, weights, 1)));
		expect(report.left).toEqual([]);
		// ONNX Runtime begins with version 7, which computes the same.
		const now = await runOnnxRuntime(
			encodeOnnx(model(behindFoldable([...rest, bn("a", "y")], weights, { opset: 7 }))),
			inputs,
		);
		folded.proto.opsetImport[0].version = 7n;
		folded.proto.irVersion = 4n;
		expect(difference((await runOnnxRuntime(encodeOnnx(folded), inputs)).y.data, now.y.data)).toBeLessThan(1e-5);
	});

	test("a model without a version", () => {
		const made = model(behindFoldable([...rest, bn("a", "y")], weights));
		made.proto.opsetImport = [];
		expect(folding(made).left[0]).toContain("does not say which version");
	});

	test("a variance below zero, and numbers of different lengths", () => {
		const parts = behindFoldable([...rest, bn("a", "y")], weights);
		const others = parts.initializers?.filter(({ name }) => name !== "bn.var") ?? [];
		const given = (tensor: TensorProto) => folding(model({ ...parts, initializers: [...others, tensor] })).left[0];
		expect(given(weight("bn.var", [4], [1, 1, -1, 1]))).toContain("channel 2 gives no finite numbers");
		expect(given(weight("bn.var", [3], [1, 1, 1]))).toContain("are of 4, 4, 4, 3 values");
	});

	test("another domain's operators of these names are left alone", () => {
		const foreign = { domain: "com.example" };
		const parts = behindFoldable(
			[
				node("Conv", ["h", "w"], ["a"], {}, foreign),
				bn("a", "b"),
				node("BatchNormalization", normInputs("b", "bn"), ["y"], {}, { ...foreign, name: "other" }),
			],
			weights,
		);
		expect(folding(model(parts)).left).toEqual([
			expect.stringMatching(/^BatchNormalization "bn": before it: com.example.Conv .* which cannot take it/),
		]);
	});
});

/** The same with every norm of version 6, the second one testing or not. */
function sixth(rest: ModelParts["nodes"], weights: readonly TensorProto[], isTest: 0 | 1): ModelParts {
	const parts = behindFoldable([...rest, bn("a", "y", "bn", { is_test: BigInt(isTest) })], weights, {
		opset: 6,
		ir: 3,
	});
	return { ...parts, nodes: parts.nodes.map((one, i) => (i === 1 ? bn("a0", "h", "first", { is_test: 1n }) : one)) };
}

describe("what it stands beside", () => {
	test("grouped transposed convolutions: outputs are the second axis, within their group", async () => {
		for (const group of [2, 4]) {
			const parts = behindFoldable(
				[node("ConvTranspose", ["h", "w"], ["a"], { group: BigInt(group), strides: [2n, 1n] }), bn("a", "y", "n")],
				[random("w", [4, 3, 2, 3]), ...normConstants("n", 3 * group, 70)],
			);
			expect((await foldAndCompare(parts, { inputs })).left).toEqual([]);
		}
	});

	const before = [node("Relu", ["h"], ["r"]), bn("r", "b")];
	test.each<[string, ModelParts["nodes"][number]]>([
		["pads", node("Conv", ["b", "w"], ["y"], { pads: [0n, 0n, 0n, 1n] })],
		["auto_pad", node("Conv", ["b", "w"], ["y"], { auto_pad: "SAME_LOWER" })],
	])("a following convolution that pads: %s", async (_, conv) => {
		const parts = behindFoldable([...before, conv], [random("w", [4, 4, 3, 3])]);
		expect(await refused(parts)).toMatch(
			/behind it: Conv "Conv_y": it pads with zeros, which the norm's shift would have to reach/,
		);
		// Without a shift, padding does no harm.
		const zero = ["bn.shift", "bn.mean"].map((name) => weight(name, [4], [0, 0, 0, 0]));
		const initializers = [
			...(parts.initializers?.filter(({ name }) => !/^bn\.(shift|mean)$/.test(name)) ?? []),
			...zero,
		];
		expect((await foldAndCompare({ ...parts, initializers }, { inputs })).left).toEqual([]);
	});

	test.each<[string, ModelParts["nodes"], readonly TensorProto[], RegExp]>([
		[
			"a transposed convolution",
			[node("ConvTranspose", ["b", "w"], ["y"])],
			[random("w", [4, 3, 2, 2])],
			/it is transposed/,
		],
		[
			"a transposed convolution of one pixel with gaps",
			[node("ConvTranspose", ["b", "w"], ["y"], { strides: [2n, 2n] })],
			[random("w", [4, 3, 1, 1])],
			/it is transposed/,
		],
		[
			"a convolution and something else",
			[node("Conv", ["b", "w"], ["c"]), node("Add", ["b", "c"], ["y"])],
			[random("w", [4, 4, 1, 1])],
			/Add "Add_y" reads it/,
		],
		[
			"a product that sums over pixels",
			[node("MatMul", ["b", "w"], ["y"])],
			[random("w", [4, 4])],
			/it is not known how many axes|it normalizes axis 1 of/,
		],
		[
			"a product that sums over examples",
			[
				node("GlobalAveragePool", ["b"], ["c"]),
				node("Flatten", ["c"], ["d"]),
				node("Gemm", ["d", "w"], ["y"], { transA: 1n }),
			],
			[random("w", [2, 3])],
			/Gemm "Gemm_y" reads it transposed, and sums over examples/,
		],
		[
			"a Reshape that mixes examples, as far as can be seen",
			[node("Reshape", ["b", "s"], ["c"]), node("Gemm", ["c", "w"], ["y"])],
			[random("w", [32, 2]), integers("s", [-1, 32])],
			/Reshape "Reshape_c" reads it, which cannot take it/,
		],
		[
			"a Flatten from another axis",
			[node("Flatten", ["b"], ["c"], { axis: 2n }), node("Gemm", ["c", "w"], ["y"])],
			[random("w", [16, 2])],
			/Flatten "Flatten_c" reads it, which cannot take it/,
		],
		[
			"a maximum",
			[node("MaxPool", ["b"], ["c"], { kernel_shape: [2n, 2n] }), node("Conv", ["c", "w"], ["y"])],
			[random("w", [4, 4, 1, 1])],
			/MaxPool "MaxPool_c" reads it/,
		],
		[
			"an average that counts zeros",
			[
				node("AveragePool", ["b"], ["c"], { kernel_shape: [2n, 2n], pads: [1n, 1n, 1n, 1n], count_include_pad: 1n }),
				node("Conv", ["c", "w"], ["y"]),
			],
			[random("w", [4, 4, 1, 1])],
			/AveragePool "AveragePool_c" reads it/,
		],
		["nothing", [node("Relu", ["h"], ["y"])], [], /nothing reads the output/],
	])("behind a norm: %s", async (_, nodes, initializers, reason) => {
		expect(await refused(behindFoldable([...before, ...nodes], initializers))).toMatch(reason);
	});

	test.each<[string, ModelParts["nodes"], readonly TensorProto[], RegExp]>([
		[
			"a Relu between",
			[node("Conv", ["h", "w"], ["a"]), node("Relu", ["a"], ["c"]), bn("c", "y")],
			[random("w", [4, 4, 1, 1])],
			/Relu "Relu_c" makes its input/,
		],
		[
			"a product over pixels",
			[node("MatMul", ["h", "w"], ["a"]), bn("a", "y")],
			[random("w", [4, 4])],
			/it is not known how many axes MatMul|it normalizes axis 1 of 4, and MatMul "MatMul_a" makes the last one/,
		],
		[
			"a row for each pixel",
			[node("Conv", ["h", "w"], ["a"]), node("Add", ["a", "p"], ["c"]), bn("c", "y")],
			[random("w", [4, 4, 1, 1]), random("p", [4])],
			/the constant of Add "Add_c" is not one value a channel/,
		],
		[
			"a Reshape that mixes examples",
			[
				node("Flatten", ["h"], ["f"]),
				node("Gemm", ["f", "w"], ["a"]),
				node("Reshape", ["a", "s"], ["c"]),
				bn("c", "y"),
			],
			[random("w", [64, 24]), integers("s", [-1, 4, 3, 1])],
			/Reshape "Reshape_c" mixes the channels of Gemm "Gemm_a"/,
		],
		[
			"a Flatten of maps",
			[node("Conv", ["h", "w"], ["a"]), node("Flatten", ["a"], ["c"]), bn("c", "y", "bn")],
			[random("w", [2, 4, 3, 4])],
			/it has 4 channels, Conv "Conv_a" makes 2/,
		],
		[
			"a bias for each row",
			[node("Flatten", ["h"], ["f"]), node("Gemm", ["f", "w", "c"], ["a"]), bn("a", "y")],
			[random("w", [64, 4]), random("c", [2, 1])],
			/the bias of Gemm "Gemm_a" is not one row/,
		],
	])("before a norm: %s", async (_, nodes, initializers, reason) => {
		expect(await refused(behindFoldable(nodes, initializers))).toMatch(reason);
	});

	test("a product that is returned, and its sum", async () => {
		const nodes = [
			node("Flatten", ["h"], ["f"]),
			node("MatMul", ["f", "w"], ["z"]),
			node("Add", ["z", "b"], ["a"]),
			bn("a", "y"),
		];
		const more = { outputs: [value("y"), value("z")] };
		const parts = behindFoldable(nodes, [random("w", [64, 4]), random("b", [4])], more);
		expect(await refused(parts)).toMatch(/the graph also returns the output of MatMul "MatMul_z"/);
	});

	test("a sum between two norms", async () => {
		const nodes = [node("Relu", ["h"], ["r"]), bn("r", "a", "inner"), node("Add", ["a", "p"], ["c"]), bn("c", "y")];
		const initializers = [random("p", [4, 1, 1]), ...normConstants("inner", 4, 80)];
		const { left, operators } = await foldAndCompare(behindFoldable(nodes, initializers), { inputs });
		expect(left[1]).toMatch(/BatchNormalization "inner" makes its input, with Add "Add_c" between/);
		expect(operators).toEqual(["Conv", "Relu", "BatchNormalization", "Add", "BatchNormalization"]);
	});

	test("Identity and Dropout between, in all their versions", async () => {
		const flag = makeTensor("f", { type: "bool", shape: [], data: Uint8Array.of(0) });
		const cases: [number, ModelParts["nodes"][number]][] = [
			[7, node("Dropout", ["i"], ["d"], { ratio: 0.9 })],
			[10, node("Dropout", ["i"], ["d", "mask"])],
			[13, node("Dropout", ["i"], ["d"])],
			[13, node("Dropout", ["i", "", "f"], ["d"])],
		];
		for (const [opset, dropout] of cases) {
			const nodes = [node("Conv", ["h", "w"], ["a"]), node("Identity", ["a"], ["i"]), dropout, bn("d", "y")];
			const { left, operators } = await foldAndCompare(
				behindFoldable(nodes, [random("w", [4, 4, 1, 1]), flag], { opset }),
				{ inputs },
			);
			expect([left, operators]).toEqual([[], ["Conv", "Conv", "Identity", "Dropout"]]);
		}
		flag.rawData = Uint8Array.of(1);
		const nodes = [node("Conv", ["h", "w"], ["a"]), node("Dropout", ["a", "", "f"], ["d"]), bn("d", "y")];
		expect(folding(model(behindFoldable(nodes, [random("w", [4, 4, 1, 1]), flag]))).left[0]).toMatch(
			/Dropout "Dropout_d" makes its input, which cannot take it/,
		);
	});
});

describe("what folding does not touch", () => {
	test("norms in subgraphs and functions are named", () => {
		const made = model(behindFoldable([node("Relu", ["h"], ["y"])], []));
		const inner = model({ nodes: [bn("h", "r", "inner")], inputs: [], outputs: [value("r")] }).graph;
		made.graph.node[2].attribute.push(create(AttributeProtoSchema, { name: "body", type: 5, g: inner }));
		expect(folding(made).left).toEqual([
			'BatchNormalization "inner": it stands in a subgraph of Relu "Relu_y", where nothing is folded',
		]);
	});

	test("a model that says how it is trained", () => {
		const made = model(behindFoldable([bn("h", "y")], []));
		made.proto.trainingInfo.push(create(TrainingInfoProtoSchema, {}));
		const { left, how } = folding(made);
		expect([how, left.map((line) => line.slice(-36))]).toEqual([
			[],
			Array(2).fill("be trained, by the names of its weights".slice(-36)),
		]);
	});

	test("what is annotated for quantization", () => {
		for (const name of ["w0", "a0"]) {
			const made = model(behindFoldable([node("Relu", ["h"], ["y"])], []));
			made.graph.quantizationAnnotation = [
				{ $typeName: "onnx.TensorAnnotation", tensorName: name, quantParameterTensorNames: [] },
			];
			expect(folding(made).left[0]).toContain("is annotated for quantization");
		}
	});

	test("operators that are not known, and fields that are not", async () => {
		const made = model(behindFoldable([node("Fancy", ["h"], ["y"], {}, { domain: "com.example" })], []));
		const bytes = new Uint8Array([...encodeOnnx(made), 0xfa, 0x3f, 1, 42]);
		const { model: folded, report } = foldOnnx(decodeOnnx(bytes));
		expect(report.left).toEqual([]);
		const written = encodeOnnx(folded);
		expect([...written.subarray(-4)]).toEqual([0xfa, 0x3f, 1, 42]);
		expect(folded.graph.node.map(({ opType }) => opType)).toEqual(["Conv", "Fancy"]);
	});
});
