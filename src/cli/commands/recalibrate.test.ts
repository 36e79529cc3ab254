// Statistics re-estimated from the command line: of a run, of weights, of an ONNX model.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { model, node, value, weight } from "../../../test/support/onnx-builder.ts";
import { runForTest } from "../../../test/support/terminal.ts";
import { encodeNpy } from "../../model-files/npy.ts";
import { decodeSafetensors, encodeSafetensors } from "../../model-files/safetensors.ts";
import { decodeOnnx, encodeOnnx, exportOnnx, makeTensor } from "../../onnx/index.ts";
import { buildNetwork, presetNamed } from "../../presets/index.ts";

let root: string;
let images: string;
/** Brighter images. */
let bright: string;
let trained: string;
const at = (...path: string[]) => join(root, ...path);

beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-recalibrate-"));
	images = writeImageFolder(at("images"), { train: 256, test: 64 });
	bright = writeImageFolder(at("bright"), { train: 200, test: 64, seed: 2 });
	for (const [prefix, count] of [["train", 200] as const, ["t10k", 64] as const]) {
		const file = at("bright", `${prefix}-images-idx3-ubyte`);
		const bytes = readFileSync(file);
		for (let i = 16; i < 16 + count * 784; i++) bytes[i] = 60 + (bytes[i] >> 1);
		writeFileSync(file, bytes);
	}
	trained = at("run");
	const options = ["--data", images, "--epochs", "3", "--batch-size", "32", "--lr", "0.3", "--out", trained, "--quiet"];
	const { code, err } = await runForTest("train", "lenet-bn", ...options);
	expect(code, err).toBe(0);
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

interface Line {
	event: string;
	[key: string]: unknown;
}

async function recalibrated(...args: string[]): Promise<Line[]> {
	const { code, out, err } = await runForTest("recalibrate", ...args, "--threads", "1", "--json");
	expect(code, err).toBe(0);
	return out
		.trim()
		.split("\n")
		.map((line): Line => JSON.parse(line));
}

function accuracyIn(lines: readonly Line[]): [before: number, after: number] {
	const { accuracy } = lines[lines.length - 1];
	const { before, after } = accuracy as { before: number; after: number };
	return [before, after];
}

const state = (file: string) => decodeSafetensors(readFileSync(file)).tensors;
const values = (file: string, name: string) => Array.from(state(file)[name].numbers(), Number);
const changedNames = (a: string, b: string) => {
	const [before, after] = [state(a), state(b)];
	expect(Object.keys(after)).toEqual(Object.keys(before));
	return Object.keys(before).filter((name) => String(before[name].data) !== String(after[name].data));
};
const isStatistic = (name: string) => /^(model\.)?(1|5|10|13)\.running_(mean|var)$/.test(name);

describe("evenkeel recalibrate", () => {
	test("a run stays a run: its checkpoint has other statistics and nothing else is other", async () => {
		const lines = await recalibrated(trained, "--data", bright, "--out", at("bright-run"), "--batch-size", "64");
		expect(lines[0]).toMatchObject({ event: "start", mode: "per-layer", passes: 4, batches: 4, examples: 200 });
		const layers = lines.filter(({ event }) => event === "layer");
		expect(layers.map(({ layer, type }) => `${layer} ${type}`)).toEqual([
			...["1 BatchNorm2d", "5 BatchNorm2d", "10 BatchNorm1d", "13 BatchNorm1d"],
		]);
		const [before, after] = accuracyIn(lines);
		expect(after).toBeGreaterThan(before + 0.1);
		expect(lines.at(-1)).toMatchObject({
			accuracy: { examples: 64 },
			files: [at("bright-run", "checkpoint.safetensors"), at("bright-run", "model.safetensors")],
		});
		for (const file of ["checkpoint.safetensors", "model.safetensors"]) {
			const changed = changedNames(join(trained, file), at("bright-run", file));
			expect([changed.length, changed.every(isStatistic)]).toEqual([8, true]);
		}
		const metadata = (dir: string) => decodeSafetensors(readFileSync(join(dir, "checkpoint.safetensors"))).metadata;
		expect(metadata(at("bright-run"))).toEqual(metadata(trained));
		const resumed = await runForTest("train", "--resume", at("bright-run"), "--epochs", "4", "--quiet");
		expect([resumed.code, resumed.err]).toEqual([0, ""]);
	});

	test("weights alone, in the type that they have; the same however they are split", async () => {
		const half = at("half.safetensors");
		expect((await runForTest("export", trained, half, "--dtype", "f16")).code).toBe(0);
		await recalibrated(half, "--preset", "lenet-bn", "--data", bright, "--out", at("half-new.safetensors"));
		expect(state(at("half-new.safetensors"))["1.running_var"].dtype).toBe("F16");
		expect(changedNames(half, at("half-new.safetensors")).every(isStatistic)).toBe(true);

		const full = join(trained, "model.safetensors");
		for (const size of ["7", "200"]) {
			await recalibrated(
				full,
				"--preset",
				"lenet-bn",
				"--data",
				bright,
				"--out",
				at(`by-${size}.safetensors`),
				"--batch-size",
				size,
			);
		}
		const [a, b] = ["7", "200"].map((size) => values(at(`by-${size}.safetensors`), "13.running_var"));
		for (const [i, variance] of a.entries()) expect(Math.abs(variance / b[i] - 1)).toBeLessThan(2e-6);
		const fromFile = at("from-checkpoint.safetensors");
		await recalibrated(
			join(trained, "checkpoint.safetensors"),
			"--data",
			bright,
			"--out",
			fromFile,
			"--batch-size",
			"200",
		);
		expect(values(fromFile, "13.running_var")).toEqual(b);
	});

	test("modes, a part of the images, and inputs of one's own without labels", async () => {
		const out = at("modes.safetensors");
		const lines = await recalibrated(trained, "--data", bright, "--out", out, "--mode", "one-pass", "--limit", "50");
		expect(lines[0]).toMatchObject({ mode: "one-pass", passes: 1, examples: 50 });
		const inputs = at("inputs.npy");
		const bytes = readFileSync(at("bright", "train-images-idx3-ubyte")).subarray(16);
		writeFileSync(inputs, encodeNpy({ shape: [200, 1, 28, 28], data: Float32Array.from(bytes, (byte) => byte / 255) }));
		const own = await recalibrated(trained, "--data", inputs, "--out", out);
		expect(own.at(-1)).toMatchObject({ event: "end", accuracy: null });
		await recalibrated(trained, "--data", bright, "--out", at("same.safetensors"));
		expect(changedNames(out, at("same.safetensors"))).toEqual([]);
	});

	test("for people: how far the statistics moved, the accuracy, the files", async () => {
		const { code, out, err } = await runForTest(
			"recalibrate",
			trained,
			"--data",
			bright,
			"--out",
			at("told.safetensors"),
		);
		expect([code, err]).toEqual([0, ""]);
		expect(out).toMatch(/200 examples, 4 passes in .*; 200 train images from .*bright; 64 test images/);
		// Three decimals, or three digits and an exponent.
		const number = String.raw`\d+\.\d+(e-\d+)?`;
		const row = [`13 +BatchNorm1d +84 +200 +${number}`, `${number} +${number}`, number, `${number}$`].join(" … ");
		expect(out).toMatch(new RegExp(row, "m"));
		expect(out).toMatch(
			/test accuracy \d+\.\d% before, \d+\.\d% after, on 64 examples\nwritten: .*told\.safetensors\n$/,
		);
	});

	test.each(["never.safetensors", "never"])("Ctrl-C: nothing is written, exit code 130: %s", async (name) => {
		vi.spyOn(process, "on").mockImplementation((event, listener) => {
			if (event === "SIGINT") queueMicrotask(() => listener("SIGINT"));
			return process;
		});
		const { code, err } = await runForTest("recalibrate", trained, "--data", bright, "--out", at(name));
		vi.restoreAllMocks();
		expect([code, err]).toEqual([130, "stopped; nothing was written\n"]);
		expect(existsSync(at(name))).toBe(false);
	});

	test.each<[(run: string) => string[], number, RegExp]>([
		[(run) => [run, "--out", "x.safetensors"], 2, /required option '--data <source>' not specified/],
		[(run) => [run, "--data", "nowhere", "--out", "x.safetensors"], 2, /--data nowhere: there is no such folder/],
		[(run) => [run, "--data", "nowhere.npy", "--out", "x.safetensors"], 2, /nowhere\.npy: there is no such file/],
		[(run) => [run, "--data", "mnist", "--out", "x.onnx"], 2, /--out x\.onnx: .*run is no ONNX model/],
		[
			(run) => [join(run, "model.safetensors"), "--data", "mnist", "--out", "x.safetensors"],
			2,
			/name it with --preset/,
		],
		[
			(run) => [join(run, "model.safetensors"), "--data", "mnist", "--out", "folder"],
			2,
			/name a file that ends with \.safetensors/,
		],
		[() => ["lenet-bn", "--data", "mnist", "--out", "x.safetensors"], 2, /lenet-bn: it has no weights to re-estimate/],
		[() => ["x.onnx", "--data", "mnist", "--out", "x.safetensors"], 2, /is an ONNX model, and is written as one/],
		[
			(run) => [run, "--data", "mnist", "--out", "x.safetensors", "--mode", "fast"],
			2,
			/must be one of per-layer, one-pass, by-batch/,
		],
	])("wrong usage %#", async (args, code, message) => {
		const ended = await runForTest("recalibrate", ...args(trained));
		expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(message)]);
		expect(ended.err.split("\n")).toHaveLength(2);
	});
});

describe("evenkeel recalibrate model.onnx", () => {
	test("an exported network: the statistics that the run gets, in a file otherwise the same byte for byte", async () => {
		const net = buildNetwork(presetNamed("lenet-bn"), { norm: "batch" });
		net.loadStateDict(state(join(trained, "model.safetensors")));
		const bytes = encodeOnnx(exportOnnx(net, { inputShape: [1, 28, 28] }));
		writeFileSync(at("lenet.onnx"), bytes);
		const lines = await recalibrated(at("lenet.onnx"), "--data", bright, "--out", at("new.onnx"));
		const [scoreBefore, scoreAfter] = accuracyIn(lines);
		expect(scoreAfter).toBeGreaterThan(scoreBefore + 0.1);
		await recalibrated(trained, "--data", bright, "--out", at("reference.safetensors"));

		const [before, after] = [bytes, readFileSync(at("new.onnx"))].map((file) => decodeOnnx(file));
		const changed: string[] = [];
		for (const [i, tensor] of after.graph.initializer.entries()) {
			const old = before.graph.initializer[i];
			if (Buffer.compare(old.rawData, tensor.rawData) !== 0) changed.push(tensor.name);
			after.graph.initializer[i] = old;
		}
		expect(changed).toHaveLength(8);
		expect(Buffer.compare(encodeOnnx(after), bytes)).toBe(0);
		const written = decodeOnnx(readFileSync(at("new.onnx")));
		for (const name of changed) {
			const tensor = written.graph.initializer.find((one) => one.name === name);
			const found = tensor ? Array.from(written.read(tensor).data, Number) : [];
			const count = 200 * ({ 1: 24 * 24, 5: 8 * 8 }[name.split(".")[0]] ?? 1);
			// ONNX tracks the biased variance, the run the unbiased one.
			const factor = name.endsWith("running_var") ? count / (count - 1) : 1;
			const expected = values(at("reference.safetensors"), name);
			expect(found).toHaveLength(expected.length);
			for (const [channel, number] of found.entries()) {
				expect(Math.abs(number * factor - expected[channel]) / (Math.abs(expected[channel]) + 0.1)).toBeLessThan(0.02);
			}
		}
	});

	const batchNorm = (attributes = {}) =>
		model({
			inputs: [value("x", [16, 1, 28, 28])],
			nodes: [node("BatchNormalization", ["x", "w", "b", "m", "v"], ["y"], attributes, { name: "bn" })],
			initializers: ["w", "b", "m", "v"].map((name, i) => weight(name, [1], [i % 2])),
		});

	test("a model that takes batches of one size; pixels to be normalized first; no scores to measure by", async () => {
		writeFileSync(at("fixed.onnx"), encodeOnnx(batchNorm()));
		const lines = await recalibrated(
			at("fixed.onnx"),
			"--data",
			bright,
			"--out",
			at("fixed-new.onnx"),
			"--mean",
			"0.5",
			"--std",
			"0.1",
		);
		expect(lines[0]).toMatchObject({ examples: 192, batches: 12 });
		expect(lines.at(-1)).toMatchObject({
			accuracy: null,
			notes: ["the last 8 of 200 examples are left out: it takes batches of 16 only"],
		});
		const bytes = readFileSync(at("bright", "train-images-idx3-ubyte")).subarray(16, 16 + 192 * 784);
		const mean = (bytes.reduce((a, b) => a + b, 0) / bytes.length / 255 - 0.5) / 0.1;
		const stored = decodeOnnx(readFileSync(at("fixed-new.onnx")));
		expect(stored.read(stored.graph.initializer[2]).data[0]).toBeCloseTo(mean, 4);
	});

	test("a norm that trains in the file, which no statistics help", async () => {
		writeFileSync(at("trains.onnx"), encodeOnnx(batchNorm({ training_mode: 1n })));
		const args = ["recalibrate", at("trains.onnx"), "--data", bright, "--out", at("trains-new.onnx")];
		const { code, out, err } = await runForTest(...args);
		expect(code, err).toBe(0);
		expect(out).toMatch(/^note: "bn" trains in the file: .* never reads its running statistics/m);
		expect(out).toMatch(/^note: the last 8 of 200 examples are left out/m);
	});

	test("norms that share statistics of Constant nodes, or behind one Identity", async () => {
		const ends = ["m", "v"].map((name, i) => weight(name, [2], [i, i]));
		const norms = [
			["x", "w1", "a"],
			["a", "w2", "y"],
		].map(([from, scale, to]) => node("BatchNormalization", [from, scale, "b", "cm", "cv"], [to]));
		const data = { dtype: "float32" as const, shape: [4, 2], data: Float32Array.of(1, 2, 3, 5, 8, 4, 7, 6) };
		writeFileSync(at("two.npy"), encodeNpy(data));
		for (const shared of [
			ends.map((one) => node("Constant", [], [`c${one.name}`], { value: one })),
			ends.map(({ name }) => node("Identity", [name], [`c${name}`])),
		]) {
			const made = model({
				inputs: [value("x", ["N", 2])],
				nodes: [...shared, ...norms],
				initializers: [...ends, ...["w1", "w2", "b"].map((name, i) => weight(name, [2], [3, i]))],
			});
			writeFileSync(at("shared.onnx"), encodeOnnx(made));
			const lines = await recalibrated(at("shared.onnx"), "--data", at("two.npy"), "--out", at("shared-new.onnx"));
			expect(lines.filter(({ event }) => event === "layer")).toHaveLength(2);
			expect(decodeOnnx(readFileSync(at("shared-new.onnx"))).check()).toBeUndefined();
		}
	});

	test("what does not fit", async () => {
		writeFileSync(at("fixed.onnx"), encodeOnnx(batchNorm()));
		const wide = writeImageFolder(at("wide"), { size: 32 });
		const fails = async (...args: string[]) => (await runForTest("recalibrate", ...args, "--out", at("x.onnx"))).err;
		expect(await fails(at("fixed.onnx"), "--data", wide)).toMatch(
			/it takes \[N, 1, 28, 28\], and --data .*wide holds \[N, 1, 32, 32\]/,
		);
		expect(await fails(at("fixed.onnx"), "--data", images, "--batch-size", "8")).toMatch(
			/takes batches of 16 only; leave it out/,
		);
		const two = model({ inputs: [value("x"), value("z")], nodes: [node("Add", ["x", "z"], ["y"])] });
		writeFileSync(at("two.onnx"), encodeOnnx(two));
		expect(await fails(at("two.onnx"), "--data", images)).toMatch(/it takes 2 inputs \(x, z\); recalibrate it in code/);
		const none = model({ nodes: [node("Relu", ["x"], ["y"])] });
		writeFileSync(at("none.onnx"), encodeOnnx(none));
		expect(await fails(at("none.onnx"), "--data", images)).toMatch(/no norm with running statistics/);
		expect(existsSync(at("x.onnx"))).toBe(false);
	});
});

test("a variance that half precision cannot hold is refused, and nothing is written", async () => {
	const tensors = Object.entries(state(join(trained, "model.safetensors"))).map(([name, tensor]) => {
		const values = Float32Array.from(tensor.data as Float32Array, Number);
		if (name === "0.weight") values.fill(3000);
		return [name, name.endsWith("tracked") ? tensor : { ...tensor, dtype: "F16", data: values }];
	});
	writeFileSync(at("large.safetensors"), encodeSafetensors(Object.fromEntries(tensors)));
	const fails = async (file: string, data: string, ...args: string[]) =>
		(await runForTest("recalibrate", at(file), "--data", data, ...args)).err;
	const out = ["--preset", "lenet-bn", "--out", at("large-new.safetensors")];
	expect(await fails("large.safetensors", images, ...out)).toMatch(
		/large\.safetensors: "1\.running_(mean|var)" now holds [\d.e+]+, which is too large for F16; .*--dtype f32/,
	);
	expect(existsSync(at("large-new.safetensors"))).toBe(false);

	const half = (name: string, i: number) =>
		makeTensor(name, { type: "float16", shape: [1], data: Float32Array.of(i % 2) });
	const norm = model({
		inputs: [value("x", ["N", 1])],
		nodes: [node("BatchNormalization", ["x", "w", "b", "m", "v"], ["y"])],
		initializers: ["w", "b", "m", "v"].map(half),
	});
	writeFileSync(at("large.onnx"), encodeOnnx(norm));
	const wide = { dtype: "float32" as const, shape: [4, 1], data: Float32Array.of(-900, 900, -900, 900) };
	writeFileSync(at("wide.npy"), encodeNpy(wide));
	expect(await fails("large.onnx", at("wide.npy"), "--out", at("large-new.onnx"))).toMatch(
		/large(\.onnx)?: "v" now holds 810000, which is too large for float16; convert the model to float32 first/,
	);
	expect(existsSync(at("large-new.onnx"))).toBe(false);
});

test.each(["module.", "_orig_mod.", "module._orig_mod."])("names that all begin with %s are known", async (prefix) => {
	const plain = state(join(trained, "model.safetensors"));
	const wrapped = Object.entries(plain).map(([name, tensor]) => [prefix + name, tensor]);
	writeFileSync(at("wrapped.safetensors"), encodeSafetensors(Object.fromEntries(wrapped)));
	const to = at("wrapped-new.safetensors");
	const [start] = await recalibrated(at("wrapped.safetensors"), "--preset", "lenet-bn", "--data", bright, "--out", to);
	expect(start.source).toContain(`whose names begin with "${prefix}", which is left out`);
	await recalibrated(
		join(trained, "model.safetensors"),
		"--preset",
		"lenet-bn",
		"--data",
		bright,
		"--out",
		at("p.safetensors"),
	);
	for (const name of Object.keys(plain)) expect(values(to, prefix + name)).toEqual(values(at("p.safetensors"), name));
	expect(changedNames(at("wrapped.safetensors"), to)).toHaveLength(8);
});

test("a prefix that not all names have is none", async () => {
	const [first, ...others] = Object.entries(state(join(trained, "model.safetensors")));
	const mixed = [first, ...others.map(([name, tensor]) => [`module.${name}`, tensor])];
	writeFileSync(at("mixed.safetensors"), encodeSafetensors(Object.fromEntries(mixed)));
	const { err } = await runForTest("inspect", at("mixed.safetensors"), "--preset", "lenet-bn");
	expect(err).toMatch(/it is not of the preset lenet-bn/);
});

test("names that a file of weights does not hold are not added", async () => {
	const tensors = Object.entries(state(join(trained, "model.safetensors"))).filter(
		([name]) => !name.endsWith("num_batches_tracked"),
	);
	const old = at("old.safetensors");
	writeFileSync(old, encodeSafetensors(Object.fromEntries(tensors), { writer: "PyTorch 0.4" }));
	await recalibrated(old, "--preset", "lenet-bn", "--data", bright, "--out", at("old-new.safetensors"));
	const written = decodeSafetensors(readFileSync(at("old-new.safetensors")));
	expect(Object.keys(written.tensors)).toEqual(tensors.map(([name]) => name));
	expect(written.metadata).toEqual({ writer: "PyTorch 0.4" });
});
