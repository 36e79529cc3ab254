import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { runForTest } from "../../../test/support/terminal.ts";
import { encodeSafetensors } from "../../model-files/safetensors.ts";

let root: string;
let images: string;
let run: string;

beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-inspect-"));
	images = writeImageFolder(join(root, "images"), { train: 256, test: 64 });
	run = join(root, "run");
	const options = ["--data", images, "--epochs", "4", "--batch-size", "16", "--lr", "0.005", "--out", run, "--quiet"];
	const { code, err } = await runForTest("train", "lenet", "--norm", "batch", ...options);
	expect(code, err).toBe(0);
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

interface Line {
	event: string;
	[key: string]: unknown;
}

async function inspected(...args: string[]): Promise<Line[]> {
	const { code, out, err } = await runForTest("inspect", ...args, "--json");
	expect(code, err).toBe(0);
	return out
		.trim()
		.split("\n")
		.map((line): Line => JSON.parse(line));
}

describe("evenkeel inspect", () => {
	test("a preset: layers, norms and what the batch size does to them", async () => {
		const lines = await inspected("lenet-bn", "--batch-size", "32", "--replicas", "4");
		expect(lines[0]).toMatchObject({ event: "start", batchSize: 32, replicas: 4, data: null });
		expect(lines.filter(({ event }) => event === "layer")).toHaveLength(16);
		const norms = lines.filter(({ event }) => event === "norm");
		expect(norms.map(({ type, channels }) => `${type} ${channels}`)).toEqual([
			...["BatchNorm2d 6", "BatchNorm2d 16", "BatchNorm1d 120", "BatchNorm1d 84"],
		]);
		expect(norms[0]).toMatchObject({ layer: "1", scale: { min: 1, mean: 1, max: 1 }, batches: 0 });
		const kinds = new Set(lines.filter(({ event }) => event === "finding").map(({ kind }) => kind));
		expect([...kinds].sort()).toEqual(["bias-before-norm", "small-batch"]);
	});

	test("a sound preset has no finding, and says so", async () => {
		const { code, out } = await runForTest("inspect", "resnet-mini");
		expect(code).toBe(0);
		expect(out).toContain("No findings.");
		expect(out).toMatch(/5\.shortcut\.1 +BatchNorm2d +1\.000 … 1\.000/);
		const other = await runForTest("inspect", "resnet-mini", "--norm", "group", "--batch-size", "2");
		expect(other.out).toMatch(/GroupNorm[\s\S]*No findings\./);
	});

	test("a run's folder: the checkpoint knows its network, batch size and norm", async () => {
		const lines = await inspected(run, "--data", images);
		expect(lines[0]).toMatchObject({
			batchSize: 16,
			source: expect.stringContaining("preset lenet with the weights of"),
		});
		const [norm] = lines.filter(({ event }) => event === "norm");
		expect(norm.batches).toBe(64);
		expect(lines.filter(({ kind }) => kind === "statistics-far" || kind === "never-updated")).toEqual([]);
	});

	test("weights alone: the norms by their names", async () => {
		const lines = await inspected(join(run, "model.safetensors"));
		expect(lines.filter(({ event }) => event === "norm").map(({ layer }) => layer)).toEqual(["1", "5", "10", "13"]);
		expect(lines.filter(({ event }) => event === "layer")).toEqual([]);
		const known = await inspected(join(run, "model.safetensors"), "--preset", "lenet-bn");
		expect(known.filter(({ event }) => event === "layer")).toHaveLength(16);
	});

	test("weights in which a norm was never run", async () => {
		const vector = (value: number) => ({ dtype: "F32" as const, shape: [3], data: new Float32Array(3).fill(value) });
		const file = join(root, "fresh.safetensors");
		const state = {
			"bn.weight": vector(1),
			"bn.bias": vector(0),
			"bn.running_mean": vector(0),
			"bn.running_var": vector(1),
		};
		writeFileSync(file, encodeSafetensors({ ...state, "ln.weight": vector(1), "ln.bias": vector(0) }));
		const { out } = await runForTest("inspect", file);
		expect(out).toMatch(/error never-updated in "bn": the running mean is 0/);
		expect(out).toMatch(/ln +LayerNorm/);
		expect(out).toContain("1 finding\n");
	});

	test.each<[string[], number, RegExp]>([
		[[], 2, /missing required argument 'network'/],
		[["alexnet"], 2, /unknown preset "alexnet"/],
		[["nothing.safetensors"], 2, /nothing\.safetensors: there is no such file; check the path/],
		[["lenet-bn", "--batch-size", "0"], 2, /whole number of at least 1/],
		[["lenet-bn", "--norm", "fancy"], 1, /unknown normalization "fancy"/],
	])("wrong input %j", async (args, code, message) => {
		const ended = await runForTest("inspect", ...args);
		expect([ended.code, ended.out]).toEqual([code, ""]);
		expect(ended.err).toMatch(message);
	});

	test("weights of another network, and data without a network", async () => {
		const file = join(run, "model.safetensors");
		expect((await runForTest("inspect", file, "--preset", "mlp-bn")).err).toMatch(/not of the preset mlp-bn/);
		const blind = await runForTest("inspect", file, "--data", images);
		expect([blind.code, blind.err]).toEqual([2, expect.stringContaining("name the network with --preset")]);
	});
});
