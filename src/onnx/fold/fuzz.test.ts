// Folding damaged models: refused with an EvenkeelError, or folded into a model that is still sound.

import { describe, expect, test } from "vitest";
import { fuzz, fuzzTimeout } from "../../../test/support/fuzz.ts";
import { integers, model, node, value } from "../../../test/support/onnx-builder.ts";
import { bn, normConstants, random } from "../../../test/support/onnx-fold.ts";
import { decodeOnnx, encodeOnnx } from "../../model-files/onnx/index.ts";
import { foldOnnx } from "./fold-onnx.ts";

/** A bit of everything that takes, or stands beside, a norm. */
const sound = encodeOnnx(
	model({
		nodes: [
			node("Conv", ["x", "w1", "b1"], ["a"], { pads: [1n, 1n, 1n, 1n] }),
			bn("a", "b", "n1", { epsilon: 0.01 }),
			node("Relu", ["b"], ["c"]),
			bn("c", "d", "n2"),
			node("ConvTranspose", ["d", "w2"], ["e"], { group: 2n }),
			node("Dropout", ["e"], ["f"]),
			bn("f", "g", "n3"),
			node("Reshape", ["g", "shape"], ["h"]),
			node("Gemm", ["h", "w3", "b3"], ["i"], { alpha: 0.5, transB: 1n }),
			bn("i", "j", "n4"),
			node("Cast", ["w4"], ["w5"], { to: 1n }),
			node("MatMul", ["j", "w5"], ["k"]),
			node("Add", ["k", "b4"], ["l"]),
			bn("l", "y", "n5"),
		],
		inputs: [value("x", [1, 2, 2, 2])],
		initializers: [
			random("w1", [4, 2, 3, 3]),
			random("b1", [4]),
			random("w2", [4, 1, 1, 1]),
			integers("shape", [0, -1]),
			random("w3", [3, 8]),
			random("b3", [1]),
			random("w4", [3, 2]),
			random("b4", [2]),
			...[4, 4, 2, 3, 2].flatMap((channels, i) => normConstants(`n${i + 1}`, channels, 10 * i)),
		],
	}),
);

describe("foldOnnx of damaged models", () => {
	test("the sound one folds to none", () => {
		expect(foldOnnx(decodeOnnx(sound)).report.left).toEqual([]);
	});

	test.each([
		["as it is", { rest: "keep" }],
		["with all there is to ask for", { rest: "mul-add", fixInputs: true }],
	] as const)(
		"%s",
		(_, options) => {
			const { read, refused } = fuzz({
				seeds: [sound],
				read: (bytes) => {
					const { model: folded } = foldOnnx(decodeOnnx(bytes), options);
					folded.check();
					return encodeOnnx(folded);
				},
				verify: (bytes) => void decodeOnnx(bytes),
			});
			expect([read > 0, refused > 0]).toEqual([true, true]);
		},
		fuzzTimeout,
	);
});
