// What folds, for every operator that takes a norm, on ONNX Runtime before and after.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { integers, type ModelParts, model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { difference, input, runImported } from "../../../test/support/onnx-compare.ts";
import { bn, foldAndCompare, normConstants, random } from "../../../test/support/onnx-fold.ts";
import { floats, runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import { init } from "../../backend/init.ts";
import { encodeOnnx, readOnnx } from "../../model-files/onnx/index.ts";
import { tensor } from "../../ops/creation.ts";
import { fold } from "../../surgery/fold/fold.ts";
import { importOnnx } from "../import-onnx.ts";
import { foldOnnx } from "./fold-onnx.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

describe("into what a norm reads", () => {
	test.each<[string, number, ModelParts["nodes"], ReturnType<typeof random>[], number[]]>([
		[
			"Conv without a bias",
			4,
			[node("Conv", ["x", "w"], ["a"]), bn("a", "y")],
			[random("w", [4, 3, 3, 3])],
			[2, 3, 6, 7],
		],
		[
			"Conv with a bias, padded, strided and dilated",
			4,
			[
				node("Conv", ["x", "w", "b"], ["a"], { pads: [2n, 1n, 0n, 3n], strides: [2n, 1n], dilations: [1n, 2n] }),
				bn("a", "y"),
			],
			[random("w", [4, 3, 3, 2]), random("b", [4], 4)],
			[2, 3, 6, 7],
		],
		[
			"grouped Conv, and an epsilon of its own",
			6,
			[node("Conv", ["x", "w"], ["a"], { group: 3n }), bn("a", "y", "bn", { epsilon: 0.1 })],
			[random("w", [6, 2, 3, 3])],
			[2, 6, 5, 5],
		],
		["Conv along one axis", 4, [node("Conv", ["x", "w"], ["a"]), bn("a", "y")], [random("w", [4, 3, 5])], [2, 3, 9]],
		[
			"Conv over three axes",
			4,
			[node("Conv", ["x", "w"], ["a"]), bn("a", "y")],
			[random("w", [4, 2, 2, 3, 2])],
			[1, 2, 4, 4, 4],
		],
		[
			"ConvTranspose",
			5,
			[
				node("ConvTranspose", ["x", "w"], ["a"], {
					strides: [2n, 2n],
					pads: [1n, 1n, 1n, 1n],
					output_padding: [1n, 0n],
				}),
				bn("a", "y"),
			],
			[random("w", [3, 5, 3, 3])],
			[2, 3, 4, 5],
		],
		[
			"Gemm, alpha and beta, its bias a column too few",
			4,
			[node("Gemm", ["x", "w", "c"], ["a"], { alpha: 0.5, beta: -1.5 }), bn("a", "y")],
			[random("w", [3, 4]), random("c", [1], 4)],
			[5, 3],
		],
		[
			"Gemm, transB",
			4,
			[node("Gemm", ["x", "w", "c"], ["a"], { transB: 1n }), bn("a", "y")],
			[random("w", [4, 3]), random("c", [1, 4], 4)],
			[5, 3],
		],
		[
			"Gemm, transA, no bias",
			4,
			[node("Gemm", ["x", "w"], ["a"], { transA: 1n }), bn("a", "y")],
			[random("w", [3, 4])],
			[3, 5],
		],
		["MatMul", 4, [node("MatMul", ["x", "w"], ["a"]), bn("a", "y")], [random("w", [3, 4])], [5, 3]],
		[
			"MatMul and its Add",
			4,
			[node("MatMul", ["x", "w"], ["a"]), node("Add", ["b", "a"], ["c"]), bn("c", "y")],
			[random("w", [3, 4]), random("b", [4], 4)],
			[5, 3],
		],
		[
			"Conv behind constants a channel",
			4,
			[
				node("Conv", ["x", "w"], ["a"]),
				node("Add", ["a", "p"], ["b"]),
				node("Mul", ["q", "b"], ["c"]),
				node("Sub", ["c", "r"], ["d"]),
				node("Div", ["d", "s"], ["e"]),
				bn("e", "y"),
			],
			[
				random("w", [4, 3, 3, 3]),
				random("p", [1, 4, 1, 1], 4),
				random("q", [4, 1, 1], 5),
				random("r", [], 6),
				weight("s", [1, 4, 1, 1], [2, 0.5, 3, 1]),
			],
			[2, 3, 6, 6],
		],
		[
			"Conv behind averages",
			4,
			[
				node("Conv", ["x", "w"], ["a"]),
				node("AveragePool", ["a"], ["b"], { kernel_shape: [2n, 2n], pads: [1n, 0n, 0n, 1n] }),
				node("GlobalAveragePool", ["b"], ["c"]),
				node("Flatten", ["c"], ["d"]),
				bn("d", "y"),
			],
			[random("w", [4, 3, 3, 3])],
			[2, 3, 6, 6],
		],
		[
			"Gemm whose output becomes images",
			2,
			[node("Gemm", ["x", "w", "c"], ["a"]), node("Reshape", ["a", "shape"], ["b"]), bn("b", "y")],
			[random("w", [3, 12]), random("c", [12], 4), integers("shape", [-1, 2, 3, 2])],
			[5, 3],
		],
	])("%s", async (_, channels, nodes, initializers, shape) => {
		const parts = {
			nodes,
			inputs: [value("x", shape)],
			initializers: [...initializers, ...normConstants("bn", channels)],
		};
		const { left, how, operators, initializers: names } = await foldAndCompare(parts, { inputs: { x: input(shape) } });
		expect(left).toEqual([]);
		expect(how).toEqual([expect.stringMatching(/^BatchNormalization "bn" before (Conv|ConvTranspose|Gemm|MatMul) "/)]);
		expect(operators).not.toContain("BatchNormalization");
		expect(operators).not.toContain("Mul");
		expect(operators.filter((one) => one === "Add").length).toBe(how[0].includes("MatMul") ? 1 : 0);
		expect(names.filter((name) => name.startsWith("bn"))).toEqual([]);
	});
});

describe("into what reads a norm", () => {
	test.each<[string, number, ModelParts["nodes"], ReturnType<typeof random>[], number[]]>([
		["Conv", 3, [bn("a", "b"), node("Conv", ["b", "w"], ["y"])], [random("w", [4, 3, 3, 3])], [2, 3, 6, 7]],
		[
			"grouped Conv",
			6,
			[bn("a", "b"), node("Conv", ["b", "w", "c"], ["y"], { group: 2n })],
			[random("w", [4, 3, 3, 3]), random("c", [4])],
			[2, 6, 5, 5],
		],
		[
			"Conv of one pixel that keeps the size",
			3,
			[bn("a", "b"), node("Conv", ["b", "w"], ["y"], { auto_pad: "SAME_UPPER" })],
			[random("w", [4, 3, 1, 1])],
			[2, 3, 5, 5],
		],
		[
			"ConvTranspose of one pixel",
			4,
			[bn("a", "b"), node("ConvTranspose", ["b", "w"], ["y"], { group: 2n })],
			[random("w", [4, 3, 1, 1])],
			[2, 4, 3, 3],
		],
		[
			"Gemm, alpha and beta",
			3,
			[bn("a", "b"), node("Gemm", ["b", "w", "c"], ["y"], { alpha: 2, beta: 0.5, transB: 1n })],
			[random("w", [4, 3]), random("c", [4])],
			[5, 3],
		],
		["MatMul", 3, [bn("a", "b"), node("MatMul", ["b", "w"], ["y"])], [random("w", [3, 4])], [5, 3]],
		[
			"MatMul and its Add",
			3,
			[bn("a", "b"), node("MatMul", ["b", "w"], ["c"]), node("Add", ["c", "d"], ["y"])],
			[random("w", [3, 4]), random("d", [4])],
			[5, 3],
		],
		[
			"Gemm behind a pool, a Dropout and Flatten",
			3,
			[
				bn("a", "b"),
				node("AveragePool", ["b"], ["c"], { kernel_shape: [2n, 2n] }),
				node("Dropout", ["c"], ["d"]),
				node("Flatten", ["d"], ["e"]),
				node("Gemm", ["e", "w"], ["y"]),
			],
			[random("w", [3 * 5 * 6, 2])],
			[2, 3, 6, 7],
		],
		[
			"Gemm behind a Reshape that keeps the batch",
			3,
			[bn("a", "b"), node("Reshape", ["b", "s"], ["c"]), node("Gemm", ["c", "w"], ["y"])],
			[random("w", [12, 2]), integers("s", [0, -1])],
			[5, 3, 2, 2],
		],
		[
			"MatMul behind a Reshape whose size the graph declares",
			3,
			[bn("a", "b"), node("Reshape", ["b", "s"], ["c"]), node("MatMul", ["c", "w"], ["y"])],
			[random("w", [12, 2]), integers("s", [-1, 12])],
			[5, 3, 2, 2],
		],
		[
			"two convolutions, one behind an average",
			3,
			[
				bn("a", "b"),
				node("Conv", ["b", "w"], ["c"], { strides: [2n, 2n] }),
				node("GlobalAveragePool", ["b"], ["d"]),
				node("Conv", ["d", "v"], ["e"]),
				node("Add", ["c", "e"], ["y"]),
			],
			[random("w", [4, 3, 3, 3]), random("v", [4, 3, 1, 1], 5)],
			[2, 3, 6, 6],
		],
	])("%s", async (_, channels, nodes, initializers, shape) => {
		const parts = {
			nodes: [node("Relu", ["x"], ["a"]), ...nodes],
			inputs: [value("x", shape)],
			initializers: [...initializers, ...normConstants("bn", channels)],
		};
		const made = { ...parts, outputs: [value("y")] };
		const declared = withShapes(made, shape);
		const { left, how, operators } = await foldAndCompare(declared, { inputs: { x: input(shape) } });
		expect(left).toEqual([]);
		expect(how[0]).toMatch(/^BatchNormalization "bn" behind (Conv|ConvTranspose|Gemm|MatMul) "/);
		expect(operators).not.toContain("BatchNormalization");
		// Only a product without a sum needs a node for the shift.
		expect(operators.length).toBe(nodes.length + (nodes.at(-1)?.opType === "MatMul" ? 1 : 0));
	});
});

/** As exporters do: says the shape of what the norm makes. */
function withShapes(parts: ModelParts, shape: readonly number[]) {
	const made = model(parts);
	made.graph.valueInfo.push(...model({ nodes: [], outputs: [value("b", shape)] }).graph.output);
	return made;
}

describe("norms behind norms", () => {
	const chain = [
		node("Relu", ["x"], ["a"]),
		bn("a", "b", "n1"),
		node("Identity", ["b"], ["c"]),
		bn("c", "d", "n2"),
		bn("d", "y", "n3"),
	];
	const constants = [1, 2, 3].flatMap((i) => normConstants(`n${i}`, 3, 10 * i));

	test("the first takes the others", async () => {
		const inputs = { x: input([2, 3, 4, 4]) };
		const { how, left, operators } = await foldAndCompare({ nodes: chain, initializers: constants }, { inputs });
		expect(how).toEqual([
			'BatchNormalization "n2" norm BatchNormalization "n1"',
			'BatchNormalization "n3" norm BatchNormalization "n1"',
		]);
		expect(left).toEqual([
			expect.stringMatching(
				/^BatchNormalization "n1": before it: Relu .* which cannot take it; behind it: the graph also returns/,
			),
		]);
		expect(operators).toEqual(["Relu", "BatchNormalization", "Identity"]);
	});

	test("a convolution before them takes all; one behind them too", async () => {
		const inputs = { x: input([2, 3, 4, 4]) };
		const before = [node("Conv", ["x", "w"], ["a"]), ...chain.slice(1)];
		const all = await foldAndCompare(
			{ nodes: before, initializers: [random("w", [3, 3, 1, 1]), ...constants] },
			{ inputs },
		);
		expect([all.left, all.operators]).toEqual([[], ["Conv", "Identity"]]);
		const behind = [...chain.slice(0, 4), bn("d", "e", "n3"), node("Conv", ["e", "w"], ["y"])];
		const other = await foldAndCompare(
			{ nodes: behind, initializers: [random("w", [3, 3, 2, 2]), ...constants] },
			{ inputs },
		);
		expect([other.left, other.operators]).toEqual([[], ["Relu", "Identity", "Conv"]]);
	});
});

describe("what PyTorch's exporter wrote", () => {
	const folder = join(import.meta.dirname, "../../../test/onnx/models");
	const image = floats([2, 3, 64, 64], noise(2 * 3 * 64 * 64, 3));

	test.each(["resnet-7", "resnet-13", "resnet-17", "mobilenet-9", "mobilenet-12", "mobilenet-16"])(
		"%s",
		async (name) => {
			const path = join(folder, `${name}.onnx`);
			const source = await readOnnx(path);
			const norms = source.graph.node.filter(({ opType }) => opType === "BatchNormalization").length;
			const { model, report } = foldOnnx(source);
			expect(report.left).toEqual([]);
			expect(report.folded).toHaveLength(norms);
			expect(report.nodes).toEqual({ before: source.graph.node.length, after: model.graph.node.length });
			expect(model.graph.node.some(({ opType }) => opType === "BatchNormalization" || opType === "Identity")).toBe(
				false,
			);
			const bytes = encodeOnnx(model);
			expect(bytes.length).toBeLessThan(readFileSync(path).length);
			const before = (await runOnnxRuntime(readFileSync(path), { image })).logits.data;
			const after = (await runOnnxRuntime(bytes, { image })).logits.data;
			expect(difference(after, before)).toBeLessThan(1e-5);
			const ours = runImported(await importOnnx(source), { image }).logits.data;
			const oursAfter = runImported(await importOnnx(bytes), { image }).logits.data;
			expect(difference(ours, before)).toBeLessThan(1e-5);
			expect(difference(oursAfter, after)).toBeLessThan(1e-5);
		},
	);

	test("names, metadata and value infos of what stays", async () => {
		const source = await readOnnx(join(folder, "resnet-17.onnx"));
		source.proto.metadataProps.push({ $typeName: "onnx.StringStringEntryProto", key: "made", value: "here" });
		const { model } = foldOnnx(source);
		const weights = model.graph.initializer.map(({ name }) => name);
		expect(weights).toContain("layer1.0.conv1.weight");
		expect(weights).toContain("layer1.0.conv1.bias");
		expect(weights.filter((entry) => entry.includes("bn"))).toEqual([]);
		expect(model.proto.metadataProps).toEqual(source.proto.metadataProps);
		expect(model.graph.output).toEqual(source.graph.output);
	});

	test("imported, as a network: fold does the same", async () => {
		const net = await importOnnx(join(folder, "resnet-17.onnx"));
		const before = runImported(net, { image }).logits.data;
		const { left, layers } = fold(net, tensor(image.data as Float32Array, image.shape));
		expect([left, layers.before - layers.after]).toEqual([[], 20]);
		expect(difference(runImported(net, { image }).logits.data, before)).toBeLessThan(1e-5);
	});

	test("but not one of several outputs, of which forward shows the first", async () => {
		const parts = {
			nodes: [node("Conv", ["x", "w"], ["a"]), bn("a", "y")],
			outputs: [value("y"), value("a")],
			initializers: [random("w", [4, 3, 3, 3]), ...normConstants("bn", 4)],
		};
		const net = await importOnnx(model(parts));
		const { left } = fold(net, tensor(noise(3 * 36), [1, 3, 6, 6]));
		expect(left[0].reason).toMatch(
			/several outputs, and forward returns the first; fold the model itself, by foldOnnx/,
		);
	});
});
