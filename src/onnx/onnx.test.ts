import "../autograd/backward.ts";
import "../ops/tensor-methods.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { integers, type ModelParts, model, node, noise, value, weight } from "../../test/support/onnx-builder.ts";
import { compare, expectClose, input, runImported } from "../../test/support/onnx-compare.ts";
import { floats, runOnnxRuntime } from "../../test/support/onnxruntime.ts";
import { init } from "../backend/init.ts";
import { encodeOnnx, makeTensor, writeOnnx } from "../model-files/onnx/index.ts";
import * as nn from "../nn/index.ts";
import { tensor } from "../ops/creation.ts";
import { defaultGenerator } from "../random/index.ts";
import { scope } from "../tensor/scope.ts";
import { liveTensors } from "../tensor/tensor.ts";
import { GraphModule, importOnnx, type OnnxModel, updateOnnx } from "./index.ts";
import { pathOfEntry, pathOfNode } from "./names.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

const importing = (parts: ModelParts) => importOnnx(encodeOnnx(model(parts)), { name: "m.onnx" });

/** Linear, batch normalization, ReLU, linear. */
function mlp(): OnnxModel {
	const vector = (name: string, seed: number) => weight(name, [4], noise(4, seed));
	return model({
		nodes: [
			node("Gemm", ["x", "fc1.weight", "fc1.bias"], ["a"], { transB: 1n }),
			node("Identity", ["bn.bias"], ["bn.running_mean"]),
			node("BatchNormalization", ["a", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], ["b"]),
			node("Relu", ["b"], ["c"]),
			node("MatMul", ["c", "w2"], ["y"], {}, { name: "/fc2/MatMul" }),
		],
		inputs: [value("x", ["N", 3])],
		initializers: [
			weight("fc1.weight", [4, 3], noise(12, 2)),
			vector("fc1.bias", 3),
			vector("bn.weight", 4),
			vector("bn.bias", 5),
			weight(
				"bn.running_var",
				[4],
				noise(4, 6).map((v) => 1 + v / 2),
			),
			makeTensor("w2", { type: "double", shape: [4, 2], data: Float64Array.from(noise(8, 7)) }),
		],
	});
}

describe("importOnnx", () => {
	test("takes a path, bytes, or a model", async () => {
		const folder = mkdtempSync(join(tmpdir(), "evenkeel-onnx-"));
		try {
			const path = join(folder, "mlp.onnx");
			await writeOnnx(path, mlp());
			for (const source of [path, encodeOnnx(mlp()), mlp()]) {
				const net = await importOnnx(source);
				expect(net).toBeInstanceOf(GraphModule);
				expect([net.inputNames, net.outputNames, net.training]).toEqual([["x"], ["y"], false]);
				expect([...net.namedModules()].slice(1).map(([name, { label }]) => [name, label])).toEqual([
					["fc1", 'Linear "fc1"'],
					["bn", 'BatchNorm1d "bn"'],
					["Relu_c", 'ReLU "Relu_c"'],
					["fc2", 'Linear "fc2"'],
				]);
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	test("names operators that are not known, with their nodes; the model can be changed all the same", async () => {
		const made = model({
			nodes: [
				node("Erf", ["x"], ["a"]),
				node("Relu", ["a"], ["b"], {}, { domain: "com.example" }),
				node("Relu", ["b"], ["c"], {}, { domain: "ai.onnx" }),
				node("Foo", ["c"], ["y"]),
			],
		});
		await expect(importOnnx(made)).rejects.toThrow(
			'operators that cannot be run: Erf "Erf_a", com.example.Relu "Relu_b", Foo "Foo_y"; the model can still be read',
		);
		const bytes = encodeOnnx(made);
		expect(bytes.length).toBeGreaterThan(0);
	});

	test.each([5, 0, 29])("refuses operator set %d", async (opset) => {
		await expect(importing({ nodes: [node("Relu", ["x"], ["y"])], opset })).rejects.toThrow(
			`m.onnx: uses version ${opset} of ONNX's operators; 6 to 28 can be run`,
		);
	});

	test("refuses what broadcasts as before version 7", async () => {
		const parts = { nodes: [node("Add", ["x", "x"], ["y"], { broadcast: 1n })], opset: 6 };
		await expect(importing(parts)).rejects.toThrow('Add "Add_y": it broadcasts as before version 7');
		await importing({ ...parts, nodes: [node("Add", ["x", "x"], ["y"])] });
	});

	test("leaves the program's random numbers as they are", async () => {
		const before = defaultGenerator().state();
		await importOnnx(mlp());
		expect(defaultGenerator().state()).toEqual(before);
	});

	test("an initializer that may be overridden is a weight all the same", async () => {
		const made = mlp();
		made.graph.input.push(...model({ nodes: [], inputs: [value("fc1.weight", [4, 3])] }).graph.input);
		const net = await importOnnx(made);
		expect(net.inputNames).toEqual(["x"]);
		expect(net.stateDict()["fc1.weight"].shape).toEqual([4, 3]);
	});

	test("weights of 16 bits are computed with in float32", async () => {
		const made = mlp();
		const half = made.graph.initializer[0];
		Object.assign(half, makeTensor("fc1.weight", { type: "float16", shape: [4, 3], data: noise(12, 2) }));
		const net = await importOnnx(made);
		const [first] = net.stateDict()["fc1.weight"].dataSync();
		expect(first).not.toBe(noise(12, 2)[0]);
		expect(first).toBeCloseTo(noise(12, 2)[0], 3);
	});

	test("nodes in any order", async () => {
		const made = mlp();
		made.graph.node.reverse();
		const x = input([5, 3]);
		expectClose(runImported(await importOnnx(made), { x }), runImported(await importOnnx(mlp()), { x }), 1e-7);
	});
});

describe("the network", () => {
	test("agrees with ONNX Runtime, before and after optimizations of its own", async () => {
		const x = input([5, 3]);
		const parts = mlp();
		// ONNX Runtime has no product of float by double.
		const last = parts.graph.initializer.length - 1;
		parts.graph.initializer[last] = weight("w2", [4, 2], noise(8, 7));
		const net = await compare(parts, { x });
		const optimized = await runOnnxRuntime(encodeOnnx(parts), { x }, { optimize: true });
		expectClose(runImported(net, { x }), optimized);
	});

	test("several inputs and outputs; forward returns the first", async () => {
		const net = await importing({
			nodes: [node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["difference"])],
			inputs: [value("a"), value("b")],
			outputs: [value("difference"), value("sum")],
		});
		const [a, b] = [tensor([5, 6]), tensor([1, 2])];
		expect([...net.forward(a, b).dataSync()]).toEqual([4, 4]);
		expect([...net.run({ a, b }).sum.dataSync()]).toEqual([6, 8]);
		expect(() => net.forward(a)).toThrow("m.onnx: takes 2 inputs (a, b), got 1");
		expect(() => net.run({ a })).toThrow("m.onnx: inputs are missing: b");
	});

	test("errors name the node", async () => {
		const net = await importing({
			nodes: [node("Add", ["x", "w"], ["y"])],
			initializers: [weight("w", [3], [1, 2, 3])],
		});
		expect(() => net.forward(tensor([1, 2]))).toThrow('Add "Add_y": add: shapes [2] and [3] do not broadcast');
	});

	test("runs in a scope without leaving anything behind", async () => {
		const net = await importing({
			nodes: [node("Mul", ["x", "two"], ["a"]), node("Add", ["a", "c"], ["b"]), node("Pad", ["b", "pads"], ["y"])],
			initializers: [weight("two", [1, 1], [2]), integers("pads", [1, 0, 0, 2]), weight("c", [3], [1, 2, 3])],
		});
		const run = () => scope(() => void net.forward(tensor([1, 2, 3])));
		run();
		const before = liveTensors();
		run();
		expect(liveTensors()).toBe(before);
	});

	test("a layer may be exchanged", async () => {
		const net = await importOnnx(mlp());
		const x = tensor(input([5, 3]).data as Float32Array, [5, 3]);
		Reflect.set(net, "bn", new nn.Identity());
		Reflect.set(net, "fc2", new nn.Sigmoid());
		const hidden = nn.functional.linear(x, net.stateDict()["fc1.weight"], net.stateDict()["fc1.bias"]);
		const expected = nn.functional.sigmoid(nn.functional.relu(hidden)).dataSync();
		expect(net.forward(x).dataSync()).toEqual(expected);
		expect(Object.keys(net.stateDict())).toEqual(["fc1.weight", "fc1.bias"]);
	});

	test("initializers with names that a module has already", async () => {
		const names = ["forward", "path", "training", "__proto__", "blocks.0.gamma"];
		const net = await importing({
			nodes: names.map((name, i) => node("Mul", [i ? `v${i}` : "x", name], [i === 4 ? "y" : `v${i + 1}`])),
			initializers: names.map((name, i) => weight(name, [2], [i + 1, 1])),
		});
		expect([...net.forward(tensor([1, 1])).dataSync()]).toEqual([120, 1]);
		expect(Object.keys(net.stateDict())).toEqual(["forward_", "path_", "training_", "__proto___", "blocks.0.gamma"]);
	});
});

describe("paths of layers", () => {
	test.each([
		["layer1.0.conv1.weight", "weight", "layer1.0.conv1"],
		["0.weight", "weight", "0"],
		["weight", "weight", null],
		["onnx::Conv_497", "weight", null],
		["model/bn/gamma:0.weight", "weight", null],
	])("of the weight %j: %j is that of %j", (name, entry, path) => {
		expect(pathOfEntry(name, entry)).toBe(path);
	});

	test.each([
		["/layer1/layer1.0/conv1/Conv", "Conv", "layer1.0.conv1"],
		["/features/features.0/features.0.0/Conv", "Conv", "features.0.0"],
		["/relu/Relu_1", "Relu", "relu"],
		["Relu_5", "Relu", "Relu_5"],
		["", "Relu", "Relu"],
		["model/dense 1/BiasAdd", "Add", "model.dense_1.BiasAdd"],
	])("of the node %j (%s) is %j", (name, opType, path) => {
		expect(pathOfNode(model({ nodes: [{ name, opType }] }).graph.node[0])).toBe(path);
	});
});

describe("updateOnnx", () => {
	/** An imported network, trained for a step, and the model. */
	async function trained(): Promise<{ made: OnnxModel; net: GraphModule }> {
		const made = mlp();
		const net = await importOnnx(made);
		net.train();
		const x = tensor(input([5, 3]).data as Float32Array, [5, 3]);
		net.forward(x).square().sum().backward();
		for (const parameter of net.parameters()) {
			const values = parameter.view();
			for (const [i, slope] of (parameter.grad?.dataSync() ?? []).entries()) values[i] -= 0.1 * slope;
			parameter.storage.version++;
		}
		return { made, net: net.eval() };
	}

	test("writes what was learned into the model, in the types it has", async () => {
		const { made, net } = await trained();
		const x = input([5, 3]);
		const before = runImported(await importOnnx(mlp()), { x });
		expect(updateOnnx(made, net)).toEqual(
			expect.arrayContaining(["fc1.weight", "bn.bias", "bn.running_mean", "fc2.weight"]),
		);
		const [after, expected] = [runImported(await importOnnx(encodeOnnx(made)), { x }), runImported(net, { x })];
		expectClose(after, expected, 1e-7);
		expect(after.y.data).not.toEqual(before.y.data);
		expect(made.graph.initializer.find(({ name }) => name === "w2")?.dataType).toBe(11);
		// The mean was an Identity of the shift: now both have their own.
		expect(made.graph.node.map(({ opType }) => opType)).not.toContain("Identity");
		expect(updateOnnx(made, net)).toEqual([]);
	});

	test("leaves what has not changed as it is", async () => {
		const made = mlp();
		made.graph.initializer[0].rawData = new Uint8Array();
		made.graph.initializer[0].floatData = [new Uint8Array(noise(12, 2).buffer)];
		const net = await importOnnx(made);
		expect(updateOnnx(made, net)).toEqual([]);
		expect(made.graph.initializer[0].floatData.length).toBe(1);
	});

	test("undoes alpha, beta and group scales", async () => {
		const made = model({
			nodes: [
				node("Gemm", ["x", "w", "b"], ["a"], { alpha: 0.5, beta: 4 }),
				node("GroupNormalization", ["a", "g.weight", "g.bias"], ["y"], { num_groups: 2n }),
			],
			inputs: [value("x", ["N", 3])],
			initializers: [
				weight("w", [3, 4], noise(12)),
				weight("b", [4], noise(4)),
				weight("g.weight", [2], [1, 2]),
				weight("g.bias", [2], [3, 4]),
			],
			opset: 18,
		});
		const net = await importOnnx(made);
		expect(updateOnnx(made, net)).toEqual([]);
		for (const parameter of net.parameters()) {
			const values = parameter.view();
			for (let i = 0; i < parameter.size; i++) values[i] *= 2;
		}
		const x = input([5, 3]);
		expect(updateOnnx(made, net).length).toBe(4);
		expectClose(runImported(await importOnnx(made), { x }), runImported(net, { x }), 1e-6);
		net.stateDict()["g.weight"].view()[1] = 9;
		expect(() => updateOnnx(made, net)).toThrow("channel 1 has learned another than its group");
	});

	test("refuses a network that has become another", async () => {
		const { made, net } = await trained();
		Reflect.set(net, "bn", new nn.Identity());
		expect(() => updateOnnx(made, net)).toThrow('the network no longer has "bn.weight", which the model has');
		Reflect.set(net, "bn", new nn.BatchNorm1d(5));
		expect(() => updateOnnx(made, net)).toThrow('"bn.weight" holds 4 values, "bn.weight" 5');
		const other = await importOnnx(mlp());
		Reflect.set(other, "Relu_c", new nn.Linear(4, 4));
		expect(() => updateOnnx(made, other)).toThrow('the network has "Relu_c.weight", which the model has not');
	});
});

test("running statistics move by ONNX's rule when the network trains", async () => {
	const net = await importOnnx(mlp());
	const x = floats([2, 3], [1, 2, 3, 4, 5, 6]);
	const hidden = nn.functional.linear(
		tensor(x.data as Float32Array, [2, 3]),
		net.stateDict()["fc1.weight"],
		net.stateDict()["fc1.bias"],
	);
	const [a, b] = [hidden.dataSync()[0], hidden.dataSync()[4]];
	const old = net.stateDict()["bn.running_var"].dataSync()[0];
	net.train();
	runImported(net, { x });
	// Of two values the biased variance is a quarter of their squared difference.
	expect(net.stateDict()["bn.running_var"].dataSync()[0]).toBeCloseTo(0.9 * old + (0.1 * (a - b) ** 2) / 4, 5);
});
