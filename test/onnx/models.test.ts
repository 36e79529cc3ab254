// Networks that PyTorch's exporter wrote (make-models.py): run here, by ONNX Runtime and by PyTorch, and trained.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { init, inspectNorms, nn, optim, scope, tensor } from "../../src/index.ts";
import { BatchNorm } from "../../src/nn/layers/batch-norm.ts";
import { encodeOnnx, importOnnx, readOnnx } from "../../src/onnx/index.ts";
import { difference, runImported } from "../support/onnx-compare.ts";
import { floats, runOnnxRuntime } from "../support/onnxruntime.ts";

interface Described {
	files: Record<string, { opset: number; norms: number }>;
	/** The names of PyTorch's state dict, with shapes. */
	state: Record<string, number[]>;
	logits: number[];
	/** Of three steps of gradient descent. */
	losses: number[];
}

const cases: { models: Record<string, Described> } = JSON.parse(
	readFileSync(join(import.meta.dirname, "cases.json"), "utf8"),
);
const files = Object.values(cases.models).flatMap((described) =>
	Object.entries(described.files).map(([name, file]) => ({ name, ...file, described })),
);
const shape = [4, 3, 64, 64];
const image = floats(
	shape,
	Array.from({ length: 4 * 3 * 64 * 64 }, (_, i) => Math.sin(i)),
);
const pathOf = (name: string) => join(import.meta.dirname, "models", `${name}.onnx`);

beforeAll(async () => {
	await init({ threads: 1 });
});

describe.each(files)("$name", ({ name, opset, norms, described }) => {
	test("comes out of reading and writing byte for byte", async () => {
		const bytes = readFileSync(pathOf(name));
		const model = await readOnnx(pathOf(name));
		expect(model.opset()).toBe(opset);
		expect(Buffer.compare(bytes, encodeOnnx(model))).toBe(0);
	});

	test("gives the logits of PyTorch and of ONNX Runtime", async () => {
		const net = await importOnnx(pathOf(name));
		const { logits } = runImported(net, { image });
		expect(logits.shape).toEqual([4, 10]);
		expect(difference(logits.data, described.logits)).toBeLessThan(1e-5);
		const expected = await runOnnxRuntime(readFileSync(pathOf(name)), { image });
		expect(difference(logits.data, expected.logits.data)).toBeLessThan(1e-5);
	});

	test("has the state dict of PyTorch", async () => {
		const state = (await importOnnx(pathOf(name))).stateDict();
		const found = Object.entries(state).map(([entry, { shape }]) => [entry, shape]);
		expect(Object.fromEntries(found)).toEqual(described.state);
	});

	test("trains as in PyTorch", async () => {
		const net = await importOnnx(pathOf(name));
		net.train();
		const optimizer = new optim.SGD(net.parameters(), { lr: 0.05 });
		const x = tensor(image.data as Float32Array, shape);
		const labels = tensor([3, 7, 1, 0], [4], { dtype: "int32" });
		const losses = described.losses.map(() =>
			scope(() => {
				const loss = nn.functional.crossEntropy(net.forward(x), labels);
				optimizer.zeroGrad();
				loss.backward();
				optimizer.step();
				return loss.item();
			}),
		);
		for (const [step, loss] of losses.entries()) {
			expect(Math.abs(loss / described.losses[step] - 1)).toBeLessThan(step === 0 ? 1e-5 : 1e-3);
		}
	});

	test("has norms that can be frozen and inspected", async () => {
		const net = await importOnnx(pathOf(name));
		const found = net.modules().filter((module) => module instanceof BatchNorm);
		expect(found.length).toBe(norms);
		expect(nn.freezeNorms(net.train())).toBe(norms);
		const before = found.map((layer) => [...(layer.runningMean?.dataSync() ?? [])]);
		scope(() => void net.forward(tensor(image.data as Float32Array, shape)));
		expect(found.map((layer) => [...(layer.runningMean?.dataSync() ?? [])])).toEqual(before);
		const findings = inspectNorms(net.eval(), { batchSize: 32, data: tensor(image.data as Float32Array, shape) });
		expect(findings.every(({ layer }) => layer in Object.fromEntries(net.namedModules()))).toBe(true);
	});
});
