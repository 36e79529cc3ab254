// Networks of one's own as ONNX, what the file says of itself, and what cannot be written.

import { beforeAll, describe, expect, test } from "vitest";
import { version } from "../../../package.json" with { type: "json" };
import { difference, input, runImported } from "../../../test/support/onnx-compare.ts";
import { evaluate, expectExported, randomized } from "../../../test/support/onnx-export.ts";
import { runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import { init } from "../../backend/init.ts";
import * as nn from "../../nn/index.ts";
import { relu } from "../../ops/activation/op.ts";
import { full, tensor, zeros } from "../../ops/creation.ts";
import * as math from "../../ops/elementwise/op.ts";
import { gatherRows } from "../../ops/gather/op.ts";
import { crossEntropy } from "../../ops/loss/op.ts";
import { matmul } from "../../ops/matmul/op.ts";
import { batchNorm } from "../../ops/norm/batch-norm/op.ts";
import { avgPool1d, maxPool1d } from "../../ops/pool/op.ts";
import { argmax, argmin, max, mean, min, sum } from "../../ops/reduce/op.ts";
import { concat, flatten, permute, reshape, slice, transpose } from "../../ops/shape/op.ts";
import { buildNetwork, presetNamed } from "../../presets/index.ts";
import { defaultGenerator } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { encodeOnnx, floatAttribute, importOnnx, intAttribute, type OnnxModel } from "../index.ts";
import { exportOnnx } from "./export-onnx.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

type Forward = (...inputs: Tensor[]) => Tensor;

/** A module made of a function. */
class Calls extends nn.Module {
	readonly #run: Forward;

	constructor(run: Forward) {
		super();
		this.#run = run;
	}

	override forward(...inputs: Tensor[]): Tensor {
		return this.#run(...inputs);
	}
}

/** The operators of a model, without literals. */
function operatorsOf(model: OnnxModel): string[] {
	return model.graph.node.map(({ opType }) => opType).filter((opType) => opType !== "Constant");
}

/** The axes that a graph declares: lengths and names. */
function axesOf({ type }: OnnxModel["graph"]["input"][number]): (number | string | undefined)[] {
	if (type?.value.case !== "tensorType") return [];
	const { dim } = type.value.value.shape ?? { dim: [] };
	return dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : value.value));
}

const arithmetic: Forward = (a, b) => math.add(math.mul(a, b), math.div(math.sub(a, 2), math.add(math.abs(b), 1)));
const comparisons: Forward = (a, b) =>
	math.mul(math.toFloat(math.greater(a, b)), math.toFloat(math.notEqual(relu(a), 0)));
const reductions: Forward = (x) =>
	math.add(sum(x, [1, 2]), math.mul(mean(x, [1, 2]), math.sub(max(x, [2, 1]), min(x, [1, 2]))));
const pieces: Forward = (a, b) => concat([slice(slice(a, 1, 1), 2, -3, -1), b], 2);
const unneeded: Forward = (x) => {
	crossEntropy(x, tensor(new Int32Array(x.shape[0])));
	return math.neg(x);
};

describe("what forward does with ops", () => {
	test.each<[string, Forward, number[][]]>([
		[
			"arithmetic, with numbers and broadcasting",
			arithmetic,
			[
				[3, 4],
				[1, 4],
			],
		],
		["unary functions", (x) => math.exp(math.neg(math.sqrt(math.log(math.add(math.square(x), 2))))), [[3, 4]]],
		["powers and bounds", (x) => math.pow(math.clamp(math.abs(x), 0.25), 1.5), [[3, 4]]],
		["a bound from above", (x) => math.clamp(x, undefined, 0.25), [[3, 4]]],
		["maximum and minimum", (a, b) => math.maximum(math.minimum(a, b), math.mul(a, 0.5)), [[5], [5]]],
		["reductions", reductions, [[4, 5]]],
		["axes that are kept", (x) => math.sub(x, min(x, [1, 2], { keepDims: true })), [[4, 5]]],
		["the mean over the batch", (x) => math.sub(x, mean(x, 0)), [[4]]],
		[
			"products of matrices",
			(a, b) => matmul(a, transpose(b)),
			[
				[3, 4],
				[5, 4],
			],
		],
		[
			"concat and slice",
			pieces,
			[
				[3, 4],
				[2, 2],
			],
		],
		[
			"pools of sequences",
			(x) => concat([avgPool1d(x, 3, { padding: 1 }), maxPool1d(x, 3, { padding: 1, stride: 1 })], 2),
			[[3, 9]],
		],
		["the batch merged with others", (x) => permute(reshape(x, [-1, 2, 2]), [0, 2, 1]), [[4, 4]]],
		["two lengths that follow the batch", (x) => reshape(concat([x, x], 0), [2, x.shape[0], -1]), [[6, 2]]],
		["flatten of everything", (x) => flatten(x), [[3, 4]]],
		["slices of the batch", (x) => concat([slice(x, 0, 1), slice(x, 0, 0, 1)], 0), [[3]]],
		["the last row of the batch", (x) => slice(x, 0, -1), [[3]]],
		["up to the last row of the batch", (x) => slice(x, 0, 0, -1), [[3]]],
		["rows by number", (x) => permute(gatherRows(permute(x, [1, 0]), [2, 0, 2]), [1, 0]), [[4]]],
		[
			"a norm of the batch, with an activation",
			(x) => batchNorm(x, { training: true, activation: "relu" }),
			[[3, 4, 4]],
		],
		["a tensor that forward makes", (x) => math.mul(x, tensor([1, -2, 3])), [[3]]],
		["one that follows the batch", (x) => concat([x, full([x.shape[0], 2], 0.5), zeros([x.shape[0], 1])], 1), [[3]]],
		["another handle on the same memory", (x) => math.add(x.detach(), math.clone(x)), [[3]]],
		[
			"scopes within",
			(x) =>
				scope(() =>
					math.add(
						scope(() => math.mul(x, 2)),
						relu(x),
					),
				),
			[[3]],
		],
		["an op that nobody needs", unneeded, [[3]]],
		["an input that is passed on", (x) => x, [[3]]],
	])("%s", async (name, run, shapes) => {
		await expectExported(new Calls(run), shapes, { batches: name.includes("of the batch") ? [2, 5] : [1, 4] });
	});

	// Comparisons and places are not among what importOnnx reads.
	test.each<[string, Forward, number[][]]>([
		["comparisons", comparisons, [[5], [5]]],
		[
			"comparisons of bytes",
			(a, b) => math.toFloat(math.lessEqual(math.greaterEqual(a, b), math.less(a, 0.1))),
			[[5], [5]],
		],
		["equality", (x) => math.toFloat(math.equal(relu(x), 0)), [[5]]],
		["places", (x) => math.sub(math.toFloat(argmax(x, 1)), math.toFloat(argmin(x, 1))), [[6, 4]]],
	])("%s", async (_, run, shapes) => {
		await expectExported(new Calls(run), shapes, { reimport: false });
	});

	test("bounds that count from the end of the batch need no computing", () => {
		const model = exportOnnx(new Calls((x) => slice(x, 0, -2, -1)), { inputShape: [3] });
		expect(operatorsOf(model)).toEqual(["Slice"]);
	});

	test("a batch of one, where there is no batch", async () => {
		const model = exportOnnx(new Calls((x) => matmul(x, x)), { input: zeros([3, 3]), dynamicBatch: false });
		expect(axesOf(model.graph.input[0])).toEqual([3, 3]);
		const { output } = await runOnnxRuntime(encodeOnnx(model), { input: input([3, 3]) });
		expect(output.shape).toEqual([3, 3]);
		const one = exportOnnx(new nn.Linear(4, 2), { inputShape: [4], dynamicBatch: false });
		expect([one.graph.input[0], one.graph.output[0]].map(axesOf)).toEqual([
			[1, 4],
			[1, 2],
		]);
	});

	test("whole numbers as input", async () => {
		const net = new Calls((rows, table) => gatherRows(math.clone(table), rows));
		const model = exportOnnx(net, {
			input: [tensor([1, 0], [2], { dtype: "int32" }), zeros([2, 5])],
		});
		const feeds = { input_1: { shape: [3], data: Int32Array.of(1, 0, 2) }, input_2: input([3, 5]) };
		const { output } = await runOnnxRuntime(encodeOnnx(model), feeds);
		expect(output.data.slice(5, 10)).toEqual(feeds.input_2.data.slice(0, 5));
	});
});

/** Two layers that share a weight, one of which runs twice. */
class Tied extends nn.Module {
	inward = new nn.Linear(4, 3, { bias: false });
	twice = new nn.Linear(3, 3);

	override forward(x: Tensor): Tensor {
		const h = this.twice.forward(this.twice.forward(this.inward.forward(x)));
		return math.add(
			matmul(h, this.inward.weight),
			nn.functional.linear(x, matmul(transpose(this.inward.weight), this.inward.weight)),
		);
	}
}

describe("the file", () => {
	test("names parameters, buffers and nodes as the network does", async () => {
		const net = randomized(buildNetwork(presetNamed("resnet-mini"), { norm: "batch" }));
		const model = await expectExported(net, [[1, 28, 28]], { batches: [3] });
		const state = Object.keys(net.stateDict()).filter((name) => !name.endsWith("num_batches_tracked"));
		expect(model.graph.initializer.map(({ name }) => name).sort()).toEqual(state.sort());
		const names = model.graph.node.map(({ name }) => name);
		expect(names).toContain("/4/body/0/Conv");
		expect(names).toContain("/4/Add");
		expect(new Set(names).size).toBe(names.length);
		expect(operatorsOf(model)).toContain("BatchNormalization");
		const back = await importOnnx(model);
		expect(Object.keys(back.stateDict()).sort()).toEqual(Object.keys(net.stateDict()).sort());
	});

	test("a batch norm and its activation are two nodes", () => {
		const model = exportOnnx(buildNetwork(presetNamed("lenet-bn"), { norm: "batch" }), { inputShape: [1, 28, 28] });
		expect(operatorsOf(model)).toEqual([
			...[
				"Conv",
				"BatchNormalization",
				"Sigmoid",
				"AveragePool",
				"Conv",
				"BatchNormalization",
				"Sigmoid",
				"AveragePool",
			],
			...["Flatten", "Gemm", "BatchNormalization", "Sigmoid", "Gemm", "BatchNormalization", "Sigmoid", "Gemm"],
		]);
	});

	test("says who made it, for which operators, and which axis is the batch", () => {
		const net = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.Flatten());
		const model = exportOnnx(net, {
			inputShape: [1, 5, 6],
			opset: 18,
			name: "tiny",
			description: "a test",
			metadata: { classes: "a,b" },
		});
		expect(model.proto).toMatchObject({
			producerName: "evenkeel",
			producerVersion: version,
			docString: "a test",
			irVersion: 8n,
		});
		expect(model.opset()).toBe(18);
		expect(model.graph.name).toBe("tiny");
		expect(model.proto.metadataProps).toMatchObject([{ key: "classes", value: "a,b" }]);
		expect(axesOf(model.graph.input[0])).toEqual(["N", 1, 5, 6]);
		expect(axesOf(model.graph.output[0])).toEqual(["N", 24]);
		expect(model.graph.valueInfo.map((info) => [info.name, axesOf(info)])).toEqual([
			["/0/Conv_output_0", ["N", 2, 3, 4]],
		]);
	});

	test("stores a shared weight once, and what follows from weights alone as a number", async () => {
		const net = randomized(new Tied());
		const model = await expectExported(net, [[4]]);
		expect(model.graph.initializer.map(({ name }) => name)).toEqual([
			...["inward.weight", "twice.weight", "twice.bias", "inward.weight_1"],
		]);
		expect(operatorsOf(model)).toEqual(["Gemm", "Gemm", "Gemm", "MatMul", "Gemm", "Add"]);
	});

	test("a standardized weight is stored as it convolves, and goes by its name", () => {
		const net = randomized(new nn.Conv2d(3, 4, 3, { weightStandardization: true }));
		const model = exportOnnx(net, { inputShape: [3, 5, 5] });
		expect(operatorsOf(model)).toEqual(["Conv"]);
		const weight = model.graph.initializer.find(({ name }) => name === "weight");
		const stored = weight ? model.read(weight).data : [];
		expect(difference(stored as Float32Array, net.effectiveWeight().dataSync())).toBe(0);
	});

	test("is computed in float32 on the reference backend as well", async () => {
		await init({ backend: "reference" });
		try {
			const net = randomized(buildNetwork(presetNamed("lenet-bn"), { norm: "batch" }));
			await expectExported(net, [[1, 28, 28]], { batches: [2] });
		} finally {
			await init({ threads: 1 });
		}
	});
});

describe("the network stays as it was", () => {
	test("in mode, statistics, generators and hooks", () => {
		const net = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Dropout());
		net.at(1)?.eval();
		const before = Object.values(net.stateDict()).map((one) => [...one.dataSync()]);
		const generator = defaultGenerator().state();
		exportOnnx(net, { inputShape: [3], training: true });
		exportOnnx(net, { inputShape: [3] });
		expect(Object.values(net.stateDict()).map((one) => [...one.dataSync()])).toEqual(before);
		expect(defaultGenerator().state()).toEqual(generator);
		expect(net.modules().map(({ training }) => training)).toEqual([true, true, false, true]);
		expect(net.modules().some(({ observed }) => observed)).toBe(false);
	});
});

describe("training", () => {
	test("norms by the batch, dropout, and weights that are computed from parameters", async () => {
		const net = randomized(
			new nn.Sequential(
				new nn.Conv2d(2, 4, 3, { weightStandardization: true }),
				new nn.BatchNorm2d(4, { decay: 0.75 }),
				new nn.ReLU(),
				new nn.BatchRenorm2d(4, { rMax: 1.1, dMax: 0.1 }),
				new nn.SwitchableNorm2d(4),
				new nn.BatchNorm2d(4).freeze(),
				new nn.Dropout(0.25),
			),
		);
		const model = exportOnnx(net, { inputShape: [2, 6, 6], training: true });
		const norms = model.graph.node.filter(({ opType }) => opType === "BatchNormalization");
		expect(norms.map((node) => [intAttribute(node, "training_mode", 0), node.output.length])).toEqual([
			[1, 3],
			[0, 1],
		]);
		// Rounded: the weight of the old average, as ONNX has it.
		expect(norms.map((node) => floatAttribute(node, "momentum", 0).toFixed(5))).toEqual(["0.75000", "0.90000"]);
		expect(operatorsOf(model)).toContain("Dropout");
		expect(operatorsOf(model)).toContain("LayerNormalization");

		// But for the frozen norm, which trains where everything does, and dropout's own numbers.
		const without = new nn.Sequential(...[...net].slice(0, -2));
		const back = await importOnnx(exportOnnx(without, { inputShape: [2, 6, 6], training: true }));
		expect(back.training).toBe(true);
		const x = input([3, 2, 6, 6]);
		const ours = scope(() =>
			without
				.train()
				.forward(tensor(x.data as Float32Array, x.shape))
				.dataSync(),
		);
		expect(difference(runImported(back, { input: x }).output.data, ours)).toBeLessThan(1e-5);
		expect(difference(evaluate(without, [x]).data, ours)).toBeGreaterThan(1e-2);
	});

	test("is for opset 14 and later", () => {
		const net = new nn.Sequential(new nn.BatchNorm1d(3));
		expect(() => exportOnnx(net, { inputShape: [3], training: true, opset: 13 })).toThrow(
			'BatchNorm1d "0": batchNorm: batch normalization in training needs opset 14',
		);
	});
});

describe("what cannot be written is named", () => {
	const inner = (run: Forward) => new nn.Sequential(new nn.Identity(), new Calls(run));
	test.each<[string, Forward, RegExp]>([
		[
			"an op",
			(x) => crossEntropy(x, tensor(new Int32Array(x.shape[0]))),
			/Calls "1": the op crossEntropy cannot be written as ONNX; those that can are conv, /,
		],
		[
			"half of the batch",
			(x) => slice(x, 0, 0, x.shape[0] >> 1),
			/Calls "1": slice: a length follows the batch in a way that a graph cannot say \(1 for 2, 1 for 3, 2 for 5 examples\)/,
		],
		[
			"what depends on the size of the batch",
			(x) => (x.shape[0] > 2 ? relu(x) : math.neg(x)),
			/Calls "1": forward does other things for 3 examples than for 2, from neg on; export with dynamicBatch: false/,
		],
		[
			"numbers that were read off the input",
			(x) => math.mul(x, tensor([mean(x).item(), 1, 1])),
			/Calls "1": mul: a tensor that forward makes for it has other values for another input, .*; compute it from the input by ops$/,
		],
		[
			"a number that was read off the input, the same for a batch that repeats its examples",
			(x) => math.mul(x, max(x).item()),
			/Calls "1": mul: a tensor that forward makes for it has other values for another input, .* by ops$/,
		],
		[
			"a number that follows the size of the batch",
			(x) => math.mul(x, tensor([x.shape[0], 1, 1])),
			/Calls "1": mul: a tensor .*\(\[3\], \[3\], \[3\]\) has other values for other sizes of the batch, .* dynamicBatch: false$/,
		],
		["a mask", (x) => batchNorm(x, { training: true, mask: full([x.shape[0]], 1) }), /ONNX knows no mask/],
		["other than a tensor", () => null as never, /forward must return a tensor, got null/],
	])("%s", (_, run, message) => {
		expect(() => exportOnnx(inner(run), { inputShape: [3] })).toThrow(message);
	});

	const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

	test("numbers read off the input, in options too and for one size of the batch", () => {
		const options = { inputShape: [4], dynamicBatch: false };
		const power = inner((x) => math.pow(x, max(x).item()));
		expect(() => exportOnnx(power, options)).toThrow(
			/Calls "1": pow: its option p is 0\.88\d* for one input and 0\.82\d* for another, .*; compute it from the input by ops$/,
		);
		const whole = tensor(Int32Array.of(1, 5, 2, 7), [1, 4]);
		const scaled = new Calls((x, y) => math.add(y, sumOf(x.dataSync())));
		expect(() => exportOnnx(scaled, { input: [whole, zeros([1, 4])], dynamicBatch: false })).toThrow(/add: a tensor/);
		// What forward decides by a value is in the graph as it was decided.
		const branch = inner((x) => (mean(x).item() > 0.6 ? relu(x) : math.neg(x)));
		expect(operatorsOf(exportOnnx(branch, options))).toEqual([expect.stringMatching(/Relu|Neg/)]);
	});

	test("virtual batches", () => {
		const net = inner((x) => batchNorm(x, { training: true, virtualBatchSize: 2 }));
		expect(() => exportOnnx(net, { input: zeros([4, 3]), dynamicBatch: false })).toThrow(
			"ONNX knows no virtual batches",
		);
	});

	test("wrong options", () => {
		const net = new nn.Linear(3, 2);
		const input = zeros([2, 3]);
		expect(() => exportOnnx(net, {})).toThrow(
			"give the shape of one example, { inputShape: [1, 28, 28] }, or an example",
		);
		expect(() => exportOnnx(net, { inputShape: [3], input })).toThrow("give the shape of one example");
		expect(() => exportOnnx(net, { input, opset: 12 })).toThrow("opset must be a whole number from 13 to 22, got 12");
		expect(() => exportOnnx(net, { input: [] })).toThrow("input is empty");
		expect(() => exportOnnx(net, { input: [input, zeros([3, 3])] })).toThrow(
			"the first axis of each input is the batch",
		);
		expect(() => exportOnnx(net, { inputShape: [4] })).toThrow("expected 3 features at the last axis");
		expect(net.observed).toBe(false);
	});
});
