import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { model, node, noise, value } from "../../../test/support/onnx-builder.ts";
import { difference } from "../../../test/support/onnx-compare.ts";
import { behindFoldable, bn, normConstants, random } from "../../../test/support/onnx-fold.ts";
import { floats, runOnnxRuntime } from "../../../test/support/onnxruntime.ts";
import { runForTest } from "../../../test/support/terminal.ts";
import { encodeNpy } from "../../model-files/npy.ts";
import { encodeOnnx, type OnnxModel, readOnnx } from "../../model-files/onnx/index.ts";
import { decodeSafetensors } from "../../model-files/safetensors.ts";

const models = join(import.meta.dirname, "../../../test/onnx/models");
let root: string;
let out: string;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-fold-"));
});
beforeEach(() => {
	out = join(root, "out.onnx");
	rmSync(out, { force: true });
});
afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

function written(name: string, made: OnnxModel): string {
	const file = join(root, name);
	writeFileSync(file, encodeOnnx(made));
	return file;
}

function npy(name: string, shape: readonly number[]): string {
	const file = join(root, name);
	const data = noise(shape.reduce((a, b) => a * b, 1));
	writeFileSync(file, encodeNpy({ shape, data }));
	return file;
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
	const ended = await runForTest("fold", ...args, "--json");
	expect(ended.err).toBe("");
	expect([ended.code, ended.out.trim().split("\n").length]).toEqual([0, 1]);
	return JSON.parse(ended.out);
}

describe("evenkeel fold, an ONNX model", () => {
	const resnet = join(models, "resnet-17.onnx");

	test("prints nodes, size and difference, and writes what ONNX Runtime computes alike", async () => {
		const ended = await runForTest("fold", resnet, out);
		expect([ended.code, ended.err]).toEqual([0, ""]);
		expect(ended.out).toMatch(/norms +20 +0\n/);
		expect(ended.out).toMatch(/nodes +69 +49\n/);
		expect(ended.out).toMatch(/size +133\.9 kB +1\d\d\.\d kB\n/);
		expect(ended.out).toContain("folded: 20 into what they read\n");
		expect(ended.out).toMatch(
			/largest output difference: \d\.\de-[67], \d\.\de-[67] of the largest output; on random inputs/,
		);
		expect(ended.out).toContain(`written: ${out}\n`);
		const image = floats([2, 3, 64, 64], noise(2 * 3 * 64 * 64));
		const [before, after] = await Promise.all(
			[resnet, out].map((file) => runOnnxRuntime(readFileSync(file), { image })),
		);
		expect(difference(after.logits.data, before.logits.data)).toBeLessThan(1e-4);
	});

	test("as JSON: one object, with every norm that is left and why", async () => {
		const file = written(
			"second.onnx",
			model({
				...behindFoldable([node("Relu", ["h"], ["r"]), bn("r", "y")], []),
				inputs: [value("x", ["N", 3, 6, 6])],
			}),
		);
		const line = await json(file, out, "--seed", "3");
		expect(line).toEqual({
			event: "fold",
			source: `${file}, operator set 17`,
			file: out,
			written: true,
			nodes: { before: 4, after: 3 },
			norms: { before: 2, after: 1 },
			bytes: { before: statSync(file).size, after: statSync(out).size },
			difference: { largest: expect.any(Number), relative: expect.any(Number) },
			tolerance: 1e-3,
			compared: "on random inputs (seed 3)",
			folded: [{ norm: 'BatchNormalization "first"', into: ['Conv "Conv_a0"'], how: "before" }],
			left: [
				{
					norm: 'BatchNormalization "bn"',
					reason: expect.stringMatching(/Relu "Relu_r" makes its input.*the graph also returns/),
				},
			],
		});
		const people = await runForTest("fold", file, out);
		expect(people.out).toMatch(/left BatchNormalization "bn"\n {2}before it: Relu/);
	});

	test("given inputs, for one and for several", async () => {
		const image = npy("image.npy", [3, 3, 64, 64]);
		expect((await json(resnet, out, "--input", image)).compared).toBe(`on ${image}`);
		const two = written(
			"two.onnx",
			model({
				nodes: [node("Conv", ["x", "w"], ["a"]), bn("a", "b"), node("Add", ["b", "z"], ["y"])],
				inputs: [value("x"), value("z", [1])],
				initializers: [random("w", [4, 3, 3, 3]), ...normConstants("bn", 4)],
			}),
		);
		const x = npy("x.npy", [1, 3, 5, 5]);
		expect((await json(two, out, "--input", `x=${x}`)).compared).toBe(`on x=${x}`);
		const open = await json(two, out);
		expect([open.written, open.difference, open.compared]).toEqual([
			true,
			null,
			expect.stringMatching(/"x" is not said to have any shape; give .* --input/),
		]);
		const unnamed = await runForTest("fold", two, out, "--input", x);
		expect([unnamed.code, unnamed.err]).toEqual([2, expect.stringContaining(`say which: --input x=${x}`)]);
		const wrong = await runForTest("fold", resnet, out, "--input", npy("small.npy", [1, 3, 8, 8]));
		expect([wrong.code, wrong.err]).toEqual([
			2,
			expect.stringContaining('it is [1, 3, 8, 8], and "image" takes [?, 3, 64, 64]'),
		]);
	});

	test("outputs that are all NaN: not compared, and said so", async () => {
		const file = written(
			"nan.onnx",
			model({
				nodes: [
					node("Conv", ["x", "w"], ["a"]),
					bn("a", "b"),
					node("Sub", ["b", "b"], ["c"]),
					node("Div", ["c", "c"], ["y"]),
				],
				inputs: [value("x", ["N", 3, 5, 5])],
				initializers: [random("w", [4, 3, 3, 3]), ...normConstants("bn", 4)],
			}),
		);
		const ended = await runForTest("fold", file, out);
		expect(ended.out).toContain(
			"outputs were not compared: on random inputs (seed 0) not one of them is finite; give an example with --input FILE.npy\n",
		);
		expect(await json(file, out)).toMatchObject({ written: true, difference: null });
	});

	test("operators that cannot be run: folded all the same, not compared", async () => {
		const file = written(
			"fancy.onnx",
			model(behindFoldable([node("Fancy", ["h"], ["y"], {}, { domain: "com.example" })], [])),
		);
		const ended = await runForTest("fold", file, out);
		expect(ended.code).toBe(0);
		expect(ended.out).toMatch(/outputs were not compared: .*com\.example\.Fancy/);
		expect((await readOnnx(out)).graph.node.map(({ opType }) => opType)).toEqual(["Conv", "Fancy"]);
	});

	test("outputs that move by more than the tolerance: exit code 1, and nothing is written", async () => {
		const ended = await runForTest("fold", resnet, out, "--tolerance", "1e-12", "--json");
		expect(ended.code).toBe(1);
		expect(JSON.parse(ended.out)).toMatchObject({ written: false, bytes: { after: null }, tolerance: 1e-12 });
		expect(ended.err).toMatch(
			/the outputs move by .*e-.* of the largest, more than --tolerance 1e-12; nothing was written/,
		);
		expect(existsSync(out)).toBe(false);
	});

	test("options of the graph", async () => {
		const parts = {
			nodes: [node("Conv", ["x", "w"], ["a"]), bn("a", "b"), node("Relu", ["b"], ["c"]), bn("c", "y", "n")],
			inputs: [value("x", [2, 3, 5, 5]), value("w", [4, 3, 3, 3])],
			initializers: [random("w", [4, 3, 3, 3]), ...normConstants("bn", 4), ...normConstants("n", 4)],
		};
		const file = written("options.onnx", model(parts));
		expect(((await json(file, out)).left as unknown[]).length).toBe(2);
		expect(((await json(file, out, "--fix-inputs")).left as unknown[]).length).toBe(1);
		const all = await runForTest("fold", file, out, "--fix-inputs", "--mul-add");
		expect(all.out).toContain("folded: 1 into what they read, 1 made a Mul and an Add\n");
		expect((await readOnnx(out)).graph.node.map(({ opType }) => opType)).toEqual(["Conv", "Relu", "Mul", "Add"]);
	});

	test("nothing to fold", async () => {
		const file = written("plain.onnx", model({ nodes: [node("Relu", ["x"], ["y"])], inputs: [value("x", [2])] }));
		expect((await runForTest("fold", file, out)).out).toMatch(
			/norms +0 +0\n[\s\S]*Nothing was folded\.\n.*difference: 0, 0 of/,
		);
	});
});

describe("evenkeel fold, a network of evenkeel's", () => {
	let run: string;
	let weights: string;

	beforeAll(async () => {
		const images = writeImageFolder(join(root, "images"), { train: 64, test: 16 });
		run = join(root, "run");
		const options = ["--data", images, "--epochs", "1", "--batch-size", "16", "--lr", "0.005", "--out", run, "--quiet"];
		const { code, err } = await runForTest("train", "lenet-bn", ...options);
		expect(code, err).toBe(0);
		weights = join(root, "folded.safetensors");
	});

	test("a run's folder as ONNX: what ONNX Runtime computes is what it is without folding", async () => {
		const line = await json(run, out);
		expect(line).toMatchObject({
			layers: { before: 16, after: 12 },
			norms: { before: 4, after: 0 },
			left: [],
			written: true,
		});
		expect((line.bytes as { after: number }).after).toBe(statSync(out).size);
		const plain = join(root, "plain.onnx");
		expect((await runForTest("export", run, plain)).code).toBe(0);
		const input = floats([3, 1, 28, 28], noise(3 * 28 * 28));
		const [before, after] = await Promise.all(
			[plain, out].map((file) => runOnnxRuntime(readFileSync(file), { input })),
		);
		expect(difference(after.output.data, before.output.data)).toBeLessThan(1e-5);
		expect((await readOnnx(out)).graph.node.some(({ opType }) => opType === "BatchNormalization")).toBe(false);
		const folded = (await readOnnx(out)).proto.metadataProps.find(({ key }) => key === "evenkeel.folded");
		expect(JSON.parse(folded?.value ?? "null")).toMatchObject({ preset: "lenet-bn", left: [] });
	});

	test("weights: those of the preset without norms, which loads them", async () => {
		const ended = await runForTest("fold", join(run, "model.safetensors"), weights, "--preset", "lenet-bn");
		expect([ended.code, ended.err]).toEqual([0, ""]);
		expect(ended.out).toContain("These are weights of the preset without norms: --preset lenet-bn --norm none\n");
		const { metadata, tensors } = decodeSafetensors(readFileSync(weights));
		expect(JSON.parse(metadata["evenkeel.folded"])).toMatchObject({
			preset: "lenet-bn",
			folded: [{ norm: 'BatchNorm2d "1"', into: ['Conv2d "0"'], how: "before" }, {}, {}, {}],
		});
		expect([metadata.format, Object.keys(tensors).length]).toEqual(["pt", 10]);
		const inspected = await runForTest("inspect", weights, "--preset", "lenet-bn", "--norm", "none");
		expect([inspected.code, inspected.out]).toEqual([0, expect.stringContaining("There is no norm to show.")]);
	});

	test("names that stay, and norms that do not fold", async () => {
		const kept = await runForTest("fold", run, weights, "--keep-names");
		expect(kept.out).toContain("These are weights of no preset: build the network, fold(net, x)");
		expect(Object.keys(decodeSafetensors(readFileSync(weights)).tensors)).toContain("12.weight");
		const other = await runForTest("fold", "lenet", weights, "--norm", "switchable");
		expect(other.out).toMatch(
			/Nothing was folded\.[\s\S]*left SwitchableNorm2d "1"\n {2}what it normalizes by depends on the example/,
		);
	});

	test("given inputs, and a tolerance that is passed", async () => {
		const x = npy("digits.npy", [2, 1, 28, 28]);
		expect((await json(run, weights, "--input", x)).compared).toBe(`on ${x}`);
		rmSync(weights);
		const ended = await runForTest("fold", run, weights, "--tolerance", "0");
		expect([ended.code, existsSync(weights)]).toEqual([1, false]);
		expect(ended.err).toMatch(/more than --tolerance 0; nothing was written/);
	});
});

test.each<[string[], number, RegExp]>([
	[[], 2, /missing required argument 'in'/],
	[["model.onnx", "out.safetensors"], 2, /model\.onnx is an ONNX model, and is written as one/],
	[["model.onnx", "out.onnx", "--preset", "lenet-bn"], 2, /--preset: that is for networks of evenkeel's/],
	[["lenet-bn", "out.onnx", "--mul-add"], 2, /--mul-add: that is for ONNX models/],
	[["nothing.onnx", "out.onnx"], 1, /nothing\.onnx: .*(cannot be read|no such file)/],
	[["nothing.safetensors", "out.onnx", "--preset", "lenet-bn"], 2, /there is no such file/],
	[["lenet-bn", "out.bin"], 2, /out\.bin: it is written in the format that its extension names/],
	[["lenet-bn", "no/such/folder/out.onnx"], 2, /the folder .* does not exist/],
	[["lenet-bn", "out.onnx", "--tolerance", "-1"], 2, /must be a number of at least 0/],
])("wrong usage %j", async (args, code, message) => {
	const ended = await runForTest("fold", ...args);
	expect([ended.code, ended.out]).toEqual([code, ""]);
	expect(ended.err).toMatch(message);
});
