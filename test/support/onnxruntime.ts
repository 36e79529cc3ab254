// ONNX Runtime, the oracle for what an ONNX model computes. The WebAssembly build: no install script, no download.

import * as ort from "onnxruntime-web";
import type { OnnxData } from "../../src/model-files/onnx/data-types.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** An array with its shape, as ONNX Runtime takes and returns it. */
export interface Values {
	shape: readonly number[];
	data: OnnxData;
}

/** float32 values of `shape`, from a list. */
export function floats(shape: readonly number[], data: ArrayLike<number>): Values {
	return { shape, data: Float32Array.from(data) };
}

/**
 * Runs a model's bytes on `inputs` and returns all its outputs by name.
 *
 * @param optimize whether ONNX Runtime may fuse and fold; off by default, so that each node does what it says
 */
export async function runOnnxRuntime(
	model: Uint8Array,
	inputs: Readonly<Record<string, Values>>,
	{ optimize = false } = {},
): Promise<Record<string, Values>> {
	const session = await ort.InferenceSession.create(model, {
		executionProviders: ["wasm"],
		graphOptimizationLevel: optimize ? "all" : "disabled",
		logSeverityLevel: 3,
	});
	try {
		const feeds = Object.entries(inputs).map(([name, values]): [string, ort.Tensor] => [name, toOrt(values)]);
		const outputs = await session.run(Object.fromEntries(feeds));
		return Object.fromEntries(
			Object.entries(outputs).map(([name, { dims, data }]) => [name, { shape: dims, data: data as OnnxData }]),
		);
	} finally {
		await session.release();
	}
}

function toOrt({ shape, data }: Values): ort.Tensor {
	const dims = [...shape];
	if (data instanceof Float32Array) return new ort.Tensor("float32", data, dims);
	if (data instanceof BigInt64Array) return new ort.Tensor("int64", data, dims);
	if (data instanceof Int32Array) return new ort.Tensor("int32", data, dims);
	if (data instanceof Uint8Array) return new ort.Tensor("uint8", data, dims);
	throw new TypeError(`no input of ONNX Runtime from a ${data.constructor.name}`);
}
