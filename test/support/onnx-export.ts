// A network of ours as an ONNX model: run by ONNX Runtime, and read back, it gives what the network gives.

import { expect } from "vitest";
import { noGrad } from "../../src/autograd/tape.ts";
import { encodeOnnx, type OnnxModel } from "../../src/model-files/onnx/index.ts";
import type { Module } from "../../src/nn/module.ts";
import { type ExportOnnxOptions, exportOnnx, importOnnx } from "../../src/onnx/index.ts";
import { tensor } from "../../src/ops/creation.ts";
import { Generator } from "../../src/random/generator.ts";
import { scope } from "../../src/tensor/scope.ts";
import { difference, input, runImported } from "./onnx-compare.ts";
import { runOnnxRuntime, type Values } from "./onnxruntime.ts";

/** Gives every parameter and buffer numbers of its own, so that no scale is 1 and no running mean 0. */
export function randomized<Net extends Module>(net: Net, seed = 1): Net {
	const generator = new Generator(seed);
	for (const [name, one] of [...net.namedParameters(), ...net.namedBuffers()]) {
		if (one.dtype === "int32") continue;
		const [low, high] = name.endsWith("running_var") ? [0.5, 2] : [-0.5, 0.5];
		generator.fillUniform(one.view() as Float32Array, low, high);
	}
	return net;
}

/** The network's output in evaluation. */
export function evaluate(net: Module, inputs: readonly Values[]): Values {
	net.eval();
	return scope(() =>
		noGrad(() => {
			const y = net.forward(...inputs.map(({ shape, data }) => tensor(data as Float32Array, shape)));
			return { shape: y.shape, data: y.dataSync() as Float32Array };
		}),
	);
}

interface Expected extends Omit<ExportOnnxOptions, "inputShape" | "input"> {
	/** Sizes of the batch to compare at. Default 1 and 5. */
	batches?: readonly number[];
	/** Largest difference, as a share of the largest value. Default 1e-5. */
	tolerance?: number;
	/** Whether to read the model back as well. Default true. */
	reimport?: boolean;
}

/**
 * Exports `net` for examples of each shape of `inputShapes`, and compares with what ONNX Runtime makes of it and with
 * the network that it is read back as. Returns the model.
 */
export async function expectExported(
	net: Module,
	inputShapes: readonly (readonly number[])[],
	{ batches = [1, 5], tolerance = 1e-5, reimport = true, ...options }: Expected = {},
): Promise<OnnxModel> {
	const examples = scope(() => {
		const inputs = inputShapes.map((shape, i) =>
			tensor(input([2, ...shape], i + 1).data as Float32Array, [2, ...shape]),
		);
		return exportOnnx(net, { ...options, input: inputs });
	});
	const bytes = encodeOnnx(examples);
	const back = reimport ? await importOnnx(bytes) : null;
	const names = examples.graph.input.map(({ name }) => name);
	for (const batch of batches) {
		const inputs = inputShapes.map((shape, i) => input([batch, ...shape], 10 * batch + i));
		const feeds = Object.fromEntries(names.map((name, i) => [name, inputs[i]]));
		const ours = evaluate(net, inputs);
		const { output } = await runOnnxRuntime(bytes, feeds);
		expect(output.shape, `batch ${batch}`).toEqual(ours.shape);
		expect(difference(output.data, ours.data), `batch ${batch}`).toBeLessThan(tolerance);
		if (!back) continue;
		const again = runImported(back, feeds).output;
		expect(again.shape, `read back, batch ${batch}`).toEqual(ours.shape);
		expect(difference(again.data, ours.data), `read back, batch ${batch}`).toBeLessThan(tolerance);
	}
	return examples;
}
