// Norms exchanged from the command line, and the way on from there: training goes on, files load, and back again.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { runForTest } from "../../../test/support/terminal.ts";
import { decodeSafetensors } from "../../model-files/safetensors.ts";
import { readCheckpoint } from "../../train/index.ts";

let root: string;
let images: string;
const at = (...path: string[]) => join(root, ...path);

beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-convert-"));
	images = writeImageFolder(at("images"), { train: 256, test: 64 });
	await train("lenet-bn", "lenet", "--lr", "0.3", "--epochs", "3");
	await train("resnet-mini", "resnet", "--limit", "48", "--epochs", "1");
	await train("keras-mlp-bn", "keras", "--epochs", "1");
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

async function train(preset: string, out: string, ...options: string[]): Promise<void> {
	await succeeds("train", preset, "--data", images, "--batch-size", "16", "--out", at(out), "--quiet", ...options);
}

async function succeeds(...args: string[]): Promise<string> {
	const { code, out, err } = await runForTest(...args);
	expect(code, err).toBe(0);
	return out;
}

interface Line {
	event: string;
	[key: string]: unknown;
}

async function converted(...args: string[]): Promise<Line[]> {
	const out = await succeeds("convert", ...args, "--json");
	return out
		.trim()
		.split("\n")
		.map((line): Line => JSON.parse(line));
}

const tensors = (file: string) => decodeSafetensors(readFileSync(file)).tensors;
const ofNorm = (lines: Line[]) =>
	lines.filter(({ event }) => event === "norm").map(({ layer, to }) => `${layer} ${to}`);

describe("evenkeel convert, a run", () => {
	test("to group norm, which training goes on with", async () => {
		const lines = await converted(at("lenet"), "--to", "group", "--groups", "4", "--out", at("gn"), "--data", images);
		expect(ofNorm(lines)).toEqual([
			...["1 GroupNorm(3 groups)", "5 GroupNorm(4 groups)", "10 GroupNorm(4 groups)", "13 GroupNorm(4 groups)"],
		]);
		expect(lines.at(-1)).toMatchObject({
			...{ event: "end", exact: false, needs: "fine-tuning", parametersChanged: false, recalibrated: 0 },
			...{ accuracy: { examples: 64 }, files: [at("gn", "checkpoint.safetensors"), at("gn", "model.safetensors")] },
		});
		const [before, after] = ["lenet", "gn"].map((dir) => tensors(at(dir, "model.safetensors")));
		for (const name of ["5.weight", "5.bias", "0.weight"]) expect(after[name].data).toEqual(before[name].data);
		expect(Object.keys(after).filter((name) => name.includes("running"))).toEqual([]);
		expect(readCheckpoint(at("gn")).state.settings).toMatchObject({ norm: "group", groups: 4, preset: "lenet-bn" });
		const same = ["lenet-bn", "--norm", "group", "--groups", "4"];
		const out = await succeeds("train", ...same, "--resume", at("gn"), "--epochs", "5", "--json");
		expect(
			out
				.trim()
				.split("\n")
				.map((line) => JSON.parse(line).epoch)
				.filter(Boolean),
		).toEqual([4, 5]);
		expect(await succeeds("inspect", at("gn"))).toMatch(/GroupNorm/);
	});

	test("and back, with statistics from data, or said to lack them", async () => {
		await converted(at("lenet"), "--to", "layer", "--out", at("ln"));
		const blind = await converted(at("ln"), "--to", "batch", "--out", at("blind"));
		expect(blind.at(-1)).toMatchObject({ needs: "recalibration", recalibrated: 0 });
		const lines = await converted(at("ln"), "--to", "batch", "--out", at("bn"), "--data", images, "--limit", "100");
		expect(ofNorm(lines)).toEqual(["1 BatchNorm2d", "5 BatchNorm2d", "10 BatchNorm1d", "13 BatchNorm1d"]);
		expect(lines.at(-1)).toMatchObject({ needs: "fine-tuning", recalibrated: 4 });
		expect(tensors(at("bn", "model.safetensors"))["1.running_var"].data).not.toEqual(new Float32Array(6).fill(1));
		expect(readCheckpoint(at("bn")).state.settings).not.toHaveProperty("groups");
		const told = await succeeds("convert", at("ln"), "--to", "batch", "--out", at("blind"));
		expect(told).toMatch(/needs recalibration, then fine-tuning\.\nwritten: .*\nevenkeel recalibrate .*blind --data/);
		await succeeds("train", "--resume", at("bn"), "--epochs", "4", "--quiet");
	});

	test.each(["lenet", "resnet", "keras"])("%s: frozen, fine-tuned with frozen norms, and thawed", async (run) => {
		const [frozen, thawed] = [at(`${run}-frozen`), at(`${run}-thawed`)];
		const lines = await converted(at(run), "--to", "frozen-affine", "--out", frozen);
		expect(lines.at(-1)).toMatchObject({ exact: true, needs: "nothing", parametersChanged: true });
		const before = tensors(join(at(run), "model.safetensors"));
		for (const [name, { data }] of Object.entries(tensors(join(frozen, "model.safetensors"))))
			expect(data).toEqual(before[name].data);
		const epochs = String(readCheckpoint(frozen).state.epochs + 1);
		await succeeds("train", "--resume", frozen, "--epochs", epochs, "--quiet");
		const tuned = tensors(join(frozen, "model.safetensors"));
		const norm =
			Object.keys(before)
				.find((name) => name.endsWith("running_mean"))
				?.slice(0, -"running_mean".length) ?? "";
		for (const name of ["weight", "bias", "running_mean", "running_var"]) {
			expect(tuned[norm + name].data).toEqual(before[norm + name].data);
		}
		expect((await converted(frozen, "--to", "batch", "--out", thawed)).at(-1)).toMatchObject({ exact: true });
		await succeeds("train", "--resume", thawed, "--epochs", epochs, "--quiet");
	});

	test("the next step that is printed works where a schedule has ended, at its last learning rate", async () => {
		const told = await succeeds("convert", at("resnet"), "--to", "group", "--out", at("resnet-gn"));
		const [, next] = /^evenkeel (train --resume .*)$/m.exec(told) ?? [];
		expect(next).toMatch(/ --epochs 3$/);
		const rates = () => readCheckpoint(at("resnet-gn")).optimizer.groups.map(({ lr }) => lr);
		const before = rates();
		await succeeds(...next.split(" "), "--quiet");
		expect(readCheckpoint(at("resnet-gn")).state).toMatchObject({ epochs: 3, settings: { epochs: 1 } });
		expect(rates()).toEqual(before);
		// As far as it was to go, and no shorter than the schedule.
		await succeeds("train", "--resume", at("resnet-gn"), "--quiet");
		const { code, err } = await runForTest("train", "--resume", at("resnet-gn"), "--epochs", "1");
		expect({ code, err }).toEqual({
			code: 2,
			err: expect.stringContaining("--epochs 1: the schedule of the run in"),
		});
	});

	test("what the optimizer remembers goes along", async () => {
		await converted(at("keras"), "--to", "renorm", "--out", at("keras-renorm"));
		const [before, after] = ["keras", "keras-renorm"].map((dir) => tensors(at(dir, "checkpoint.safetensors")));
		expect(Object.keys(after)).toEqual(Object.keys(before));
		const names = Object.keys(before).filter((name) => name.startsWith("optimizer."));
		expect(names.length).toBeGreaterThan(8);
		for (const name of names) expect(after[name].data).toEqual(before[name].data);
		expect(readCheckpoint(at("keras-renorm")).optimizer).toEqual(readCheckpoint(at("keras")).optimizer);
		await converted(at("keras"), "--to", "frozen-affine", "--out", at("keras-fixed"));
		const kept = Object.keys(tensors(at("keras-fixed", "checkpoint.safetensors"))).filter((name) =>
			name.startsWith("optimizer."),
		);
		expect(kept).toEqual(names.filter((name) => !/\.3\.(weight|bias)$/.test(name)));
		await succeeds("train", "--resume", at("keras-renorm"), "--epochs", "2", "--quiet");
	});
});

describe("evenkeel convert, weights", () => {
	test("of a network that is named, in the type that they have", async () => {
		const half = at("half.safetensors");
		await succeeds("export", at("lenet"), half, "--dtype", "bf16");
		const out = at("half-gn.safetensors");
		await converted(half, "--preset", "lenet-bn", "--to", "group", "--groups", "2", "--out", out);
		expect(tensors(out)["1.weight"].dtype).toBe("BF16");
		expect(await succeeds("inspect", out, "--preset", "lenet-bn", "--norm", "group", "--groups", "2")).toContain(
			"GroupNorm",
		);
		const back = ["--preset", "lenet-bn", "--norm", "group", "--norm-groups", "2", "--to", "instance"];
		expect(ofNorm(await converted(out, ...back, "--out", at("in.safetensors")))).toEqual([
			...["1 InstanceNorm2d", "5 InstanceNorm2d", "10 LayerNorm", "13 LayerNorm"],
		]);
		const text = await succeeds(
			"convert",
			half,
			"--preset",
			"lenet-bn",
			"--to",
			"layer",
			"--out",
			at("ln.safetensors"),
		);
		expect(text).toMatch(/10 +BatchNorm1d +LayerNorm +another/);
		const hint = /evenkeel (inspect .*)\n/.exec(text)?.[1].split(" ") ?? [];
		await succeeds(...hint);
	});

	test("of a network of one's own: only if it heeds the norm it is asked for", async () => {
		const file = at("own.mjs");
		writeFileSync(
			file,
			`export default ({ nn, optim }) => ({
				inputShape: [1, 28, 28], batchSize: 32, epochs: 1, lr: 0.1,
				build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10), new nn.BatchNorm1d(10)),
				optimizer: (net, lr) => new optim.SGD(net.namedParameters(), { lr }),
			});`,
		);
		await train(file, "own");
		const { code, err } = await runForTest("convert", at("own"), "--to", "group", "--out", at("own-gn"));
		expect([code, err]).toEqual([
			1,
			expect.stringMatching(/preset own builds with --norm group --groups 4 is not the one that/),
		]);
		expect(existsSync(at("own-gn"))).toBe(false);
	});
});

test.each<[(run: string) => string[], number, RegExp]>([
	[(run) => [run, "--out", "x"], 2, /required option '--to <norm>' not specified/],
	[(run) => [run, "--to", "batch", "--groups", "2", "--out", "x"], 2, /--groups 2: batch has no groups/],
	[
		(run) => [run, "--to", "spectral", "--out", "x"],
		2,
		/must be one of batch, sync, group, layer, instance, batch-renorm, frozen-affine/,
	],
	[() => ["model.onnx", "--to", "group", "--out", "x"], 2, /model\.onnx: an ONNX model is converted in code/],
	[() => ["lenet-bn", "--to", "group", "--out", "x.safetensors"], 2, /lenet-bn: it has no weights to convert/],
	[(run) => [join(run, "model.safetensors"), "--to", "group", "--out", "x.safetensors"], 2, /name it with --preset/],
	[
		(run) => [join(run, "model.safetensors"), "--to", "group", "--out", "x"],
		2,
		/name a file that ends with \.safetensors/,
	],
])("wrong usage %#", async (args, code, message) => {
	const ended = await runForTest("convert", ...args(at("lenet")));
	expect([ended.code, ended.err]).toEqual([code, expect.stringMatching(message)]);
	expect(ended.err.split("\n")).toHaveLength(2);
});
