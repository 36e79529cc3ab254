// Norms that nothing takes, as Mul and Add, on ONNX Runtime before and after.

import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { integers, type ModelParts, model, node, noise, value } from "../../../test/support/onnx-builder.ts";
import { input } from "../../../test/support/onnx-compare.ts";
import { bn, foldAndCompare, normConstants } from "../../../test/support/onnx-fold.ts";
import { OperatorSetIdProtoSchema } from "../../model-files/onnx/generated/onnx-ml_pb.ts";
import { makeTensor } from "../../model-files/onnx/index.ts";
import { foldOnnx } from "./fold-onnx.ts";

describe("a norm that nothing takes, as Mul and Add", () => {
	test.each([7, 9, 14, 15])("operator set %d", async (opset) => {
		const parts = {
			nodes: [node("Relu", ["x"], ["a"]), bn("a", "y")],
			initializers: normConstants("bn", 3),
			opset,
			inputs: [value("x", ["N", 3, "H"])],
		};
		const inputs = { x: input([2, 3, 5]) };
		const { how, left, operators } = await foldAndCompare(parts, { inputs, rest: "mul-add" });
		expect([how, left, operators]).toEqual([['BatchNormalization "bn" mul-add'], [], ["Relu", "Mul", "Add"]]);
		expect((await foldAndCompare(parts, { inputs })).operators).toEqual(["Relu", "BatchNormalization"]);
	});

	/** A norm of floats behind `nodes`, which make "c" of a half "h", of a type that the graph does not declare. */
	const mixed = (nodes: ModelParts["nodes"]): ModelParts => ({
		nodes: [
			node("Cast", ["x"], ["h"], { to: 10n }),
			...nodes,
			node("Reshape", ["c", "shape"], ["a"]),
			bn("a", "d"),
			node("Cast", ["d"], ["y"], { to: 1n }),
		],
		initializers: [
			...normConstants("bn", 3),
			makeTensor("w", { type: "float16", shape: [3, 3, 1, 1], data: noise(9, 4) }),
			integers("shape", [2, 3, 5, 4]),
		],
		inputs: [value("x", ["N", 3, "H", "W"])],
	});

	test("in the type of what the norm reads, where that is another than its own", async () => {
		const inputs = { x: input([2, 3, 5, 4]) };
		const parts = mixed([node("Conv", ["h", "w"], ["b"]), node("Relu", ["b"], ["c"])]);
		const { how, folded } = await foldAndCompare(parts, { inputs, rest: "mul-add", tolerance: 1e-2 });
		expect(how).toEqual(['BatchNormalization "bn" mul-add']);
		const types = folded.graph.initializer.map(({ name, dataType }) => [name, dataType]);
		expect(types).toEqual(
			expect.arrayContaining([
				["bn_scale", 10],
				["bn_shift", 10],
			]),
		);
	});

	test("needs that type", () => {
		const made = model(mixed([node("Unknown", ["h"], ["c"], {}, { domain: "example" })]));
		made.proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: "example", version: 1n }));
		const { report } = foldOnnx(made, { rest: "mul-add" });
		expect(report.left.map(({ reason }) => reason)).toEqual([
			expect.stringMatching(/it is not known of which type "a" is/),
		]);
	});

	test("needs the number of axes", async () => {
		const parts = { nodes: [node("Relu", ["x"], ["a"]), bn("a", "y")], initializers: normConstants("bn", 3) };
		const { left } = await foldAndCompare(parts, { inputs: { x: input([2, 3, 5]) }, rest: "mul-add" });
		expect(left).toEqual([
			expect.stringMatching(/Relu .* cannot take it; .*; as Mul and Add: it is not known how many axes it reads/),
		]);
	});
});
