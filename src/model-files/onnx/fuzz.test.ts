// Damaged files: an error that says so, or a model; never a crash, a hang, or memory out of proportion.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged, numRuns } from "../../../test/support/damaged.ts";
import { model, node, noise, value, weight } from "../../../test/support/onnx-builder.ts";
import { EvenkeelError } from "../../errors.ts";
import { AttributeProtoSchema } from "./generated/onnx-ml_pb.ts";
import { OnnxGraph } from "./graph.ts";
import { decodeOnnx, encodeOnnx } from "./model.ts";
import { allTensors } from "./walk.ts";

/** A model with something of everything. */
function small(): Uint8Array {
	const inner = model({ nodes: [node("Relu", ["x"], ["b"])], inputs: [], outputs: [value("b")] }).graph;
	const branch = node("If", ["c"], ["z"]);
	branch.attribute = [create(AttributeProtoSchema, { name: "then_branch", type: 5, g: inner })];
	return encodeOnnx(
		model({
			nodes: [
				node("Conv", ["x", "w"], ["y"], { pads: [1n, 1n, 1n, 1n], auto_pad: "NOTSET", alpha: 0.5 }),
				node("Constant", [], ["k"], { value: weight("", [2], [1, 2]) }),
				branch,
			],
			inputs: [value("x", ["N", 2, 5, 5]), value("c", [], "bool")],
			outputs: [value("y"), value("z")],
			initializers: [weight("w", [2, 2, 3, 3], noise(36))],
		}),
	);
}

const real = readFileSync(join(import.meta.dirname, "../../../test/onnx/models/mobilenet-16.onnx"));

/** Does with a file what tools do. */
function use(bytes: Uint8Array): void {
	const model = decodeOnnx(bytes);
	for (const tensor of allTensors(model.proto)) {
		try {
			model.read(tensor);
		} catch (error) {
			if (!(error instanceof EvenkeelError)) throw error;
		}
	}
	const graph = new OnnxGraph(model);
	for (const one of graph.nodes()) for (const name of one.input) graph.constantTensor(name);
	decodeOnnx(encodeOnnx(model));
}

test("damaged models", () => {
	let read = 0;
	fc.assert(
		fc.property(damaged([small(), small(), real]), (bytes) => {
			try {
				use(bytes);
				read++;
			} catch (error) {
				if (!(error instanceof EvenkeelError)) throw error;
				expect(error.message).toMatch(/^ONNX model: ./);
			}
		}),
		{ numRuns },
	);
	// Damage that still leaves a model, as in the middle of a weight, must have been among it.
	expect(read).toBeGreaterThan(numRuns / 100);
	expect(read).toBeLessThan(numRuns);
});

test("any bytes", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			try {
				use(bytes);
			} catch (error) {
				if (!(error instanceof EvenkeelError)) throw error;
			}
		}),
		{ numRuns },
	);
});
