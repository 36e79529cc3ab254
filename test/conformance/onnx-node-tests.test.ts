// The ONNX project's own vectors: one model a folder, with inputs and the outputs they must give. They are not ours to
// keep here; EVENKEEL_ONNX_NODE_TESTS names a folder that holds them. Debian has them as libonnx-testdata
// (/usr/share/libonnx-testdata/data/node), and onnx makes them: onnx/backend/test/case/node.
//
// The four norms must all pass, forward and training. Other operators must give the right answer or an error.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../../src/backend/init.ts";
import { EvenkeelError } from "../../src/errors.ts";
import { TensorProtoSchema } from "../../src/model-files/onnx/generated/onnx-ml_pb.ts";
import {
	makeTensor,
	type OnnxModel,
	type OnnxTensor,
	readOnnx,
	type ValueInfoProto,
} from "../../src/model-files/onnx/index.ts";
import { readTensor } from "../../src/model-files/onnx/tensor.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { expectClose, runImported } from "../support/onnx-compare.ts";
import type { Values } from "../support/onnxruntime.ts";

const folder = process.env.EVENKEEL_ONNX_NODE_TESTS ?? "";
const names = folder === "" ? [] : readdirSync(folder).filter((name) => existsSync(join(folder, name, "model.onnx")));
const norm = /^test_(batchnorm|instancenorm|layer_normalization|group_normalization)_/;
/** Models named so write an operator out in others. */
const norms = names.filter((name) => norm.test(name) && !name.includes("_expanded"));
/** Casts to 16 bits round, which we do not: everything is computed in float32. */
const others = names.filter((name) => !norms.includes(name) && !name.startsWith("test_cast"));

if (folder === "") console.warn("EVENKEEL_ONNX_NODE_TESTS is not set: ONNX's own vectors of the norms are skipped");

beforeAll(async () => {
	await init({ threads: 1 });
});

function read(path: string): OnnxTensor {
	return readTensor(fromBinary(TensorProtoSchema, readFileSync(path)), path);
}

/** `input_0.pb`, `input_1.pb`, …, by the names that the graph gives them. */
function readAll(
	set: string,
	kind: "input" | "output",
	declared: readonly { name: string }[],
): Record<string, OnnxTensor> {
	const entries = declared.map(({ name }, i): [string, OnnxTensor] => [name, read(join(set, `${kind}_${i}.pb`))]);
	return Object.fromEntries(entries);
}

/** Makes inputs that are shapes, axes and the like part of the model: it is run for one of each. */
function bind(model: OnnxModel, inputs: Record<string, OnnxTensor>): Record<string, Values> {
	const data = Object.entries(inputs).filter(([, { type }]) => type === "float");
	for (const [name, tensor] of Object.entries(inputs)) {
		if (tensor.type === "float") continue;
		model.graph.input = model.graph.input.filter((one) => one.name !== name);
		model.graph.initializer.push(makeTensor(name, tensor));
	}
	return Object.fromEntries(data);
}

/** The values of a model that are given as tensors; others hold sequences and the like. */
function isTensor({ type }: ValueInfoProto): boolean {
	return type?.value.case === "tensorType";
}

async function run(name: string, tolerance = 1e-5): Promise<void> {
	const sets = readdirSync(join(folder, name)).filter((set) => set.startsWith("test_data_set"));
	for (const set of sets) {
		const model = await readOnnx(join(folder, name, "model.onnx"));
		const { input, output } = model.graph;
		if (![...input, ...output].every(isTensor))
			throw new EvenkeelError(`${name}: not all inputs and outputs are tensors`);
		const outputs = readAll(join(folder, name, set), "output", output);
		const inputs = bind(model, readAll(join(folder, name, set), "input", input));
		expectClose(runImported(await importOnnx(model), inputs), outputs, tolerance);
	}
}

/** Runs a model; true if it was refused, with an error that says why. */
async function isRefused(name: string): Promise<boolean> {
	try {
		// Some of these were written down with four digits.
		await run(name, 1e-4);
		return false;
	} catch (error) {
		if (error instanceof EvenkeelError) return true;
		throw error;
	}
}

describe.skipIf(folder === "")("ONNX's vectors", () => {
	test("there are some of the norms", () => expect(norms.length).toBeGreaterThanOrEqual(6));

	test.each(norms)("%s", (name) => run(name));

	test("of other operators: the right answer, or none", async () => {
		const wrong: string[] = [];
		let refused = 0;
		for (const name of others) {
			try {
				if (await isRefused(name)) refused++;
			} catch (error) {
				wrong.push(`${name}: ${error instanceof Error ? error.message : error}`);
			}
		}
		console.log(`${others.length - refused - wrong.length} vectors of other operators are met, ${refused} refused`);
		expect(wrong).toEqual([]);
	});
});
