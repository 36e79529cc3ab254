import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeImageFolder } from "../../../test/support/image-folder.ts";
import { runForTest } from "../../../test/support/terminal.ts";
import { decodeSafetensors, encodeSafetensors } from "../../model-files/safetensors.ts";

let root: string;
let run: string;
let out: string;

beforeAll(async () => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-export-"));
	const images = writeImageFolder(join(root, "images"), { train: 64, test: 16 });
	run = join(root, "run");
	const options = ["--data", images, "--epochs", "1", "--batch-size", "16", "--lr", "0.005", "--out", run, "--quiet"];
	const { code, err } = await runForTest("train", "lenet-bn", ...options);
	expect(code, err).toBe(0);
});

beforeEach(() => {
	out = join(root, "out.safetensors");
	rmSync(out, { force: true });
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

const read = (file: string) => decodeSafetensors(readFileSync(file), file);

describe("evenkeel export", () => {
	test("a run's folder: the weights that train wrote, and how PyTorch loads them", async () => {
		const ended = await runForTest("export", run, out);
		expect(ended.code, ended.err).toBe(0);
		expect(read(out)).toEqual(read(join(run, "model.safetensors")));
		expect(ended.out).toContain(`${out}: 30 tensors, 45,334 values, 183.5 kB`);
		expect(ended.out).toContain(`net.load_state_dict(safetensors.torch.load_file(${JSON.stringify(out)}))`);
	});

	test("a checkpoint is not written over", async () => {
		const file = join(run, "checkpoint.safetensors");
		const before = readFileSync(file);
		for (const command of ["export", "fold"]) {
			const { code, err } = await runForTest(command, run, file);
			expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`${file}: this is a run's checkpoint`) });
		}
		expect(readFileSync(file).equals(before)).toBe(true);
	});

	test("a checkpoint's file, as JSON", async () => {
		const ended = await runForTest("export", join(run, "checkpoint.safetensors"), out, "--dtype", "bf16", "--json");
		expect(JSON.parse(ended.out)).toEqual({
			event: "export",
			source: expect.stringContaining("preset lenet-bn with the weights of"),
			file: out,
			format: "safetensors",
			dtype: "bf16",
			tensors: 30,
			values: 45334,
			bytes: readFileSync(out).length,
		});
		const { tensors } = read(out);
		expect([tensors["0.weight"].dtype, tensors["1.num_batches_tracked"].dtype]).toEqual(["BF16", "I64"]);
	});

	test("weights of a network that is not known: names and whole numbers as they are", async () => {
		const file = join(root, "weights.safetensors");
		const weight = { dtype: "F64", shape: [2], data: Float64Array.of(0.1, 2) } as const;
		const mask = { dtype: "BOOL", shape: [1], data: Uint8Array.of(1) } as const;
		writeFileSync(file, encodeSafetensors({ weight, mask }));
		expect((await runForTest("export", file, out)).code).toBe(0);
		expect(read(out).tensors).toEqual({ weight, mask });
		expect((await runForTest("export", file, file, "--dtype", "f32")).code).toBe(0);
		expect(read(file).tensors).toEqual({ weight: { dtype: "F32", shape: [2], data: Float32Array.of(0.1, 2) }, mask });
	});

	test("a checkpoint of a network that only its program knows", async () => {
		const { tensors, metadata } = read(join(run, "checkpoint.safetensors"));
		const state = JSON.parse(metadata["evenkeel.checkpoint"]);
		const unknown = { ...state, settings: {} };
		const folder = join(root, "unknown");
		mkdirSync(folder);
		const file = join(folder, "checkpoint.safetensors");
		writeFileSync(file, encodeSafetensors(tensors, { "evenkeel.checkpoint": JSON.stringify(unknown) }));
		for (const name of [folder, file]) {
			const ended = await runForTest("export", name, out);
			expect(ended.code, ended.err).toBe(0);
			expect(read(out)).toEqual(read(join(run, "model.safetensors")));
		}
	});

	test("weights of a network that is named are checked against it", async () => {
		const weights = join(run, "model.safetensors");
		expect((await runForTest("export", weights, out, "--preset", "lenet-bn")).code).toBe(0);
		expect(read(out)).toEqual(read(weights));
		const other = await runForTest("export", weights, join(root, "no.safetensors"), "--preset", "mlp-bn");
		expect([other.code, other.err]).toEqual([1, expect.stringContaining("it is not of the preset mlp-bn")]);
		expect(readdirSync(root)).not.toContain("no.safetensors");
	});

	test("a preset before it is trained, always with the same weights", async () => {
		expect((await runForTest("export", "keras-mlp-bn", out)).code).toBe(0);
		const first = read(out);
		expect((await runForTest("export", "keras-mlp-bn", out)).code).toBe(0);
		expect(read(out)).toEqual(first);
	});

	test("what does not fit into half precision is named, and nothing is written", async () => {
		const file = join(root, "large.safetensors");
		writeFileSync(file, encodeSafetensors({ w: { dtype: "F32", shape: [1], data: Float32Array.of(1e5) } }));
		const ended = await runForTest("export", file, out, "--dtype", "f16");
		expect([ended.code, ended.err]).toEqual([
			1,
			expect.stringContaining('"w" holds 100000, which is too large for f16'),
		]);
		expect(() => readFileSync(out)).toThrow("ENOENT");
	});

	test("what Keras wrote, for a network of one's own", async () => {
		const preset = join(root, "net.mjs");
		const layers = "new nn.Linear(6, 5), new nn.ReLU(), new nn.BatchNorm1d(5, { eps: 1e-3 }), new nn.Linear(5, 3)";
		writeFileSync(
			preset,
			`export default ({ nn, optim }) => ({ inputShape: [6], batchSize: 1, epochs: 1, lr: 1,
				build: () => new nn.Sequential(${layers}), optimizer: (net, lr) => new optim.SGD(net.parameters(), { lr }) });`,
		);
		const models = join(import.meta.dirname, "../../../test/keras/models");
		for (const file of ["mlp.keras", "mlp.weights.h5", "mlp-keras-2.h5"]) {
			const ended = await runForTest("export", join(models, file), out, "--preset", preset);
			expect(ended.code, ended.err).toBe(0);
			expect(ended.out).toContain(`${file}, written by Keras`);
			const { tensors } = read(out);
			expect(Object.keys(tensors)).toEqual([
				...["0.weight", "0.bias", "2.weight", "2.bias", "2.running_mean", "2.running_var", "2.num_batches_tracked"],
				...["3.weight", "3.bias"],
			]);
			expect(tensors["0.weight"]).toMatchObject({ dtype: "F32", shape: [5, 6] });
		}
		const unnamed = await runForTest("export", join(models, "mlp.keras"), out);
		expect([unnamed.code, unnamed.err]).toEqual([2, expect.stringContaining("name it with --preset")]);
		const other = await runForTest("export", join(models, "mlp.keras"), out, "--preset", "keras-mlp-bn");
		expect([other.code, other.err]).toEqual([
			1,
			expect.stringContaining("its weight is [128, 784], and kernel of [6, 5] would be [5, 6]"),
		]);
	});

	test.each<[string[], number, RegExp]>([
		[["lenet-bn"], 2, /missing required argument 'out'/],
		[
			["lenet-bn", "weights.bin"],
			2,
			/weights\.bin: it is written in the format that its extension names: \.safetensors/,
		],
		[["lenet-bn", "out.safetensors", "--dtype", "f8"], 2, /must be one of f32, f16, bf16/],
		[["nothing.safetensors", "out.safetensors"], 2, /nothing\.safetensors: there is no such file/],
		[["lenet-bn", "no/such/folder/out.safetensors"], 2, /the folder .* does not exist/],
	])("wrong usage %j", async (args, code, message) => {
		const ended = await runForTest("export", ...args);
		expect([ended.code, ended.out]).toEqual([code, ""]);
		expect(ended.err).toMatch(message);
	});
});
