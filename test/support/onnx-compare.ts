// One model, run by evenkeel and by ONNX Runtime.

import { expect } from "vitest";
import { noGrad } from "../../src/autograd/tape.ts";
import { encodeOnnx, type OnnxModel } from "../../src/model-files/onnx/index.ts";
import { type GraphModule, importOnnx } from "../../src/onnx/index.ts";
import { tensor } from "../../src/ops/creation.ts";
import { scope } from "../../src/tensor/scope.ts";
import { type ModelParts, model, noise } from "./onnx-builder.ts";
import { floats, runOnnxRuntime, type Values } from "./onnxruntime.ts";

/** float32 noise of `shape`. */
export function input(shape: readonly number[], seed = 7): Values {
	return floats(
		shape,
		noise(
			shape.reduce((a, b) => a * b, 1),
			seed,
		),
	);
}

/** The outputs of an imported network, by name. */
export function runImported(net: GraphModule, inputs: Readonly<Record<string, Values>>): Record<string, Values> {
	return scope(() =>
		noGrad(() => {
			const given = Object.entries(inputs).map(([name, { shape, data }]) => {
				const values =
					data instanceof BigInt64Array ? Int32Array.from(data, Number) : Float32Array.from(data as Float32Array);
				return [name, tensor(values, shape)];
			});
			const outputs = Object.entries(net.run(Object.fromEntries(given)));
			return Object.fromEntries(
				outputs.map(([name, y]) => [name, { shape: y.shape, data: y.dataSync() as Float32Array }]),
			);
		}),
	);
}

/** The largest difference, as a share of the largest expected value (or of 1, if that is smaller). */
export function difference(found: ArrayLike<number | bigint>, expected: ArrayLike<number | bigint>): number {
	let [largest, apart] = [1, 0];
	for (let i = 0; i < expected.length; i++) {
		const [a, b] = [Number(found[i]), Number(expected[i])];
		if (Number.isNaN(a) !== Number.isNaN(b)) return Number.POSITIVE_INFINITY;
		if (a === b || Number.isNaN(a)) continue;
		largest = Math.max(largest, Math.abs(b));
		apart = Math.max(apart, Math.abs(a - b));
	}
	return apart / largest;
}

/** Checks that `found` has the shapes and, to `tolerance`, the values of `expected`. */
export function expectClose(
	found: Readonly<Record<string, Values>>,
	expected: Readonly<Record<string, Values>>,
	tolerance = 1e-5,
): void {
	for (const [name, { shape, data }] of Object.entries(expected)) {
		expect(found[name].shape, name).toEqual(shape);
		expect(difference(found[name].data, data), name).toBeLessThan(tolerance);
	}
}

/** Runs a model by both and compares all outputs. Returns the imported network. */
export async function compare(
	parts: ModelParts | OnnxModel,
	inputs: Readonly<Record<string, Values>> = { x: input([2, 3, 5]) },
	tolerance = 1e-5,
): Promise<GraphModule> {
	const made = "nodes" in parts ? model(parts) : parts;
	const expected = await runOnnxRuntime(encodeOnnx(made), inputs);
	const net = await importOnnx(encodeOnnx(made));
	expectClose(runImported(net, inputs), expected, tolerance);
	return net;
}
