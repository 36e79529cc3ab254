// Wrong input to `evenkeel train`: each ends in one line on stderr that says what is wrong, where and what to do, with
// exit code 2 for wrong usage and 1 for everything else, and what lay on the disk before is still there as it was.

import { createHash } from "node:crypto";
import fs, { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { writeImageFolder } from "../support/image-folder.ts";
import { runForTest } from "../support/terminal.ts";

let root: string;
/** 64 + 20 good images. */
let images: string;
/** A folder for one test. */
let dir: string;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-errors-"));
	images = writeImageFolder(join(root, "images"));
});

beforeEach(() => {
	dir = mkdtempSync(join(root, "test-"));
});

afterEach(() => {
	vi.restoreAllMocks();
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

/** Runs `evenkeel train` and checks how it fails, and that no file that was there has changed. */
async function fails(code: 1 | 2, message: RegExp, ...args: string[]): Promise<void> {
	const before = snapshot(dir);
	await failsHow(code, message, ...args);
	const after = snapshot(dir);
	for (const [file, contents] of Object.entries(before)) expect(after[file], file).toBe(contents);
}

/** Runs `evenkeel train` on one thread with the good images, unless told otherwise, and checks how it fails. */
async function failsHow(code: 1 | 2, message: RegExp, ...args: string[]): Promise<void> {
	const data = args.includes("--data") || args.includes("--resume") ? [] : ["--data", images];
	const out = args.includes("--out") || args.includes("--resume") ? [] : ["--out", join(dir, "out")];
	const threads = args.includes("--threads") ? [] : ["--threads", "1"];
	const result = await runForTest("train", ...args, ...data, ...out, ...threads);
	expect(result.err).toMatch(message);
	expect(result.err).toMatch(/^evenkeel train: [^\n]+\n$/);
	expect(result.code).toBe(code);
}

/** Every file below `folder` and the hash of its contents. */
function snapshot(folder: string): Record<string, string> {
	const files = readdirSync(folder, { recursive: true }).map(String).sort();
	return Object.fromEntries(
		files
			.filter((file) => statSync(join(folder, file)).isFile())
			.map((file) => [
				file,
				createHash("sha256")
					.update(readFileSync(join(folder, file)))
					.digest("hex"),
			]),
	);
}

/** Writes a module of the user's into the test's folder. */
function userFile(text: string, name = "net.mjs"): string {
	const file = join(dir, name);
	writeFileSync(file, text);
	return file;
}

/** A preset as a user writes it, with some of its properties replaced. */
function userPreset(replaced: string, name = "net.mjs"): string {
	return userFile(
		`export default ({ nn, optim, tensor }) => ({
		inputShape: [1, 28, 28], batchSize: 16, epochs: 1, lr: 0.1,
		build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 8), new nn.BatchNorm1d(8), new nn.Linear(8, 10)),
		optimizer: (net, lr) => new optim.SGD(net.parameters(), { lr }),
		${replaced}
	});`,
		name,
	);
}

describe("options", () => {
	test.each<[string[], RegExp]>([
		[["--epochs", "0"], /'--epochs <n>' argument '0' is invalid: it must be a whole number of at least 1/],
		[["--epochs=-1"], /'--epochs <n>' argument '-1' is invalid: it must be a whole number of at least 1/],
		[["--epochs", "abc"], /'--epochs <n>' argument 'abc' is invalid/],
		[["--epochs", "1.5"], /'--epochs <n>' argument '1.5' is invalid/],
		[["--batch-size", "0"], /'--batch-size <n>' argument '0' is invalid: it must be a whole number of at least 1/],
		[["--lr", "NaN"], /'--lr <x>' argument 'NaN' is invalid: it must be a number of at least 0/],
		[["--lr=-1"], /'--lr <x>' argument '-1' is invalid/],
		[["--threads", "0"], /'--threads <n>' argument '0' is invalid: it must be auto or a whole number from 1 to 64/],
		[["--threads", "many"], /'--threads <n>' argument 'many' is invalid/],
		[["--seed=-1"], /'--seed <n>' argument '-1' is invalid: it must be a whole number of at least 0/],
		[["--limit", "0"], /'--limit <n>' argument '0' is invalid/],
		[["--checkpoint-every", "0"], /'--checkpoint-every <n>' argument '0' is invalid/],
		[["--norm", "bach"], /--norm bach: there is no such normalization; there are batch, none/],
		[["--epoch", "1"], /unknown option '--epoch'; did you mean --epochs\? \(see evenkeel train --help\)/],
		[["lenet"], /too many arguments/],
	])("%j", async (args, message) => {
		await fails(2, message, "lenet-bn", ...args);
		// Found out before anything was made.
		expect(readdirSync(dir)).toEqual([]);
	});

	test("an unknown preset", () =>
		fails(2, /unknown preset "lenet-bnn"; there are lenet-bn, lenet, .* or a file of your own/, "lenet-bnn"));
	test("no preset", () => fails(2, /name a preset or a file to train: evenkeel train lenet-bn/));

	test("a folder of data that is not there", () =>
		fails(
			2,
			/--data .*nothing: there is no such folder, and it is not one of fashion-mnist, mnist/,
			"lenet-bn",
			"--data",
			join(dir, "nothing"),
		));

	test("a plot into a folder that is not there", () =>
		fails(
			2,
			/--plot .*curves.svg: the folder .*nothing does not exist; make it first/,
			"lenet-bn",
			"--plot",
			join(dir, "nothing/curves.svg"),
		));

	test("a plot that is a folder", () =>
		fails(2, /--plot .*: this is a folder; name the file in it, such as .*curves.svg/, "lenet-bn", "--plot", dir));

	test("a folder to write to that is a file", async () => {
		writeFileSync(join(dir, "out"), "a file");
		await fails(
			1,
			/--out .*out: nothing can be written there: .*exists already/,
			"lenet-bn",
			"--out",
			join(dir, "out"),
		);
		await fails(
			1,
			/--out .*out\/deeper: nothing can be written there: .*a part of the path is a file/,
			"lenet-bn",
			"--out",
			join(dir, "out/deeper"),
		);
	});

	// Nobody, root included, makes folders there.
	test.runIf(process.platform === "linux")("a folder that lets nobody write", () =>
		fails(1, /--out \/sys\/evenkeel: nothing can be written there: /, "lenet-bn", "--out", "/sys/evenkeel"),
	);
});

describe("data", () => {
	async function withFile(name: string, change: (bytes: Buffer) => Buffer, message: RegExp): Promise<void> {
		const data = writeImageFolder(join(dir, "images"));
		writeFileSync(join(data, name), change(readFileSync(join(data, name))));
		await fails(1, message, "lenet-bn", "--data", data);
	}

	test("a wrong magic number", () =>
		withFile(
			"train-images-idx3-ubyte",
			(bytes) => Buffer.concat([Buffer.from([1, 2, 3, 4]), bytes.subarray(4)]),
			/train-images-idx3-ubyte: not an IDX file: .* found 01 02 03 04/,
		));
	test("a truncated file", () =>
		withFile(
			"train-images-idx3-ubyte",
			(bytes) => bytes.subarray(0, 1000),
			/train-images-idx3-ubyte: cut short: .*found 1000/,
		));
	test("a truncated file of the test images", () =>
		withFile("t10k-labels-idx1-ubyte", (bytes) => bytes.subarray(0, 10), /t10k-labels-idx1-ubyte: cut short/));
	test("label 11", () =>
		withFile(
			"train-labels-idx1-ubyte",
			(bytes) => Buffer.concat([bytes.subarray(0, 13), Buffer.from([11]), bytes.subarray(14)]),
			/train-labels-idx1-ubyte: label 11 at index 5 is none of the 10 classes/,
		));
	test("labels in the place of images", () =>
		withFile(
			"train-images-idx3-ubyte",
			() => readFileSync(join(images, "train-labels-idx1-ubyte")),
			/expected images, uint8 \[N, H, W\], found uint8 \[64\]/,
		));
	test("damaged compression", () =>
		withFile(
			"train-images-idx3-ubyte",
			() => Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]),
			/gzip file is damaged/,
		));

	test("more images than labels", async () => {
		const data = writeImageFolder(join(dir, "images"));
		writeFileSync(join(data, "train-labels-idx1-ubyte"), readFileSync(join(data, "t10k-labels-idx1-ubyte")));
		await fails(1, /has 64 images and .*train-labels-idx1-ubyte 20 labels/, "lenet-bn", "--data", data);
	});
	test("a file that is missing", async () => {
		const data = writeImageFolder(join(dir, "images"));
		rmSync(join(data, "t10k-images-idx3-ubyte"));
		await fails(
			1,
			/there is no t10k-images-idx3-ubyte.gz \(nor t10k-images-idx3-ubyte\) in this folder/,
			"lenet-bn",
			"--data",
			data,
		);
	});
	test("images of another size", () =>
		fails(
			1,
			/the preset lenet-bn takes images \[1, 28, 28\] .* are \[1, 32, 32\]/,
			"lenet-bn",
			"--data",
			writeImageFolder(join(dir, "large"), { size: 32 }),
		));
	test("images with colors", () =>
		fails(
			1,
			/the preset lenet-bn takes images \[1, 28, 28\] .* are \[3, 28, 28\]/,
			"lenet-bn",
			"--data",
			writeImageFolder(join(dir, "color"), { channels: 3 }),
		));
	test("a batch of one", () =>
		fails(
			1,
			/with a batchSize of 1: BatchNorm1d "10": .*more than one value a channel/,
			"lenet-bn",
			"--batch-size",
			"1",
		));
	test("a last batch of one", () =>
		fails(
			1,
			/33 examples in batches of 16 leave a last batch of one; pass dropLast/,
			"lenet-bn",
			"--batch-size",
			"16",
			"--limit",
			"33",
		));
});

describe("training that goes wrong", () => {
	test("a learning rate that is far too large", () =>
		fails(
			1,
			/the loss is (NaN|Infinity), so training stopped before the update: .*lower the learning rate/,
			"lenet",
			"--lr",
			"1e38",
			"--batch-size",
			"16",
			"--epochs",
			"3",
		));

	test("a NaN in the user's data, met by a norm and not", async () => {
		const data =
			"data: () => ({ train: [tensor(Float32Array.from({ length: 16 * 784 }, (_, i) => i === 900 ? NaN : i % 7), [16, 1, 28, 28]), tensor(new Int32Array(16))] }),";
		await fails(1, /BatchNorm1d "2": .*NaN/, userPreset(data));
		const plain = "build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10)),";
		await fails(
			1,
			/the loss is NaN, .* the input is at fault: example \d+ of the batch holds NaN/,
			userPreset(data + plain, "plain.mjs"),
		);
	});

	test("a NaN in the user's weights", () =>
		fails(
			1,
			/the parameter 1.weight holds NaN/,
			userPreset(
				"build: () => { const net = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10)); net.parameters()[0].view()[3] = NaN; return net; },",
			),
		));
});

describe("a file of the user's", () => {
	test("that is not there", () => fails(2, /net.mjs: there is no such file; check the path/, join(dir, "net.mjs")));
	test("that throws", () =>
		fails(1, /net.mjs: it cannot be loaded: Error: out of luck/, userFile('throw new Error("out of luck");')));
	test("with a syntax error", () => fails(1, /net.mjs: it cannot be loaded: /, userFile("export default {")));
	test("that exports nothing", () =>
		fails(1, /net.mjs: it has no default export; end it with export default/, userFile("export const a = 1;")));
	test("that exports something else", () =>
		fails(1, /net.mjs: expected a preset \{ name, .*, got 42/, userFile("export default 42;")));
	test("with a wrong property", () =>
		fails(1, /net.mjs: batchSize must be a whole number of at least 1, got 0/, userPreset("batchSize: 0,")));
	test("whose build fails", () =>
		fails(1, /preset net: build\(\) failed: TypeError: /, userPreset("build: () => undefined.x,")));
	test("whose build makes no network", () =>
		fails(1, /preset net: build\(\) must return a Module, got 7/, userPreset("build: () => 7,")));
	test("whose data fails", () =>
		fails(
			1,
			/preset net: data\(\) failed: Error: offline/,
			userPreset('data: () => { throw new Error("offline"); },'),
		));
	test("whose layers do not fit the images", () =>
		fails(
			1,
			/Linear.*|linear.*/,
			userPreset("build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(99, 10)),"),
		));
});

describe("checkpoints", () => {
	const run = (): string => join(dir, "run");
	const file = (): string => join(run(), "checkpoint.safetensors");

	beforeEach(async () => {
		const args = [
			"train",
			"keras-mlp-bn",
			"--data",
			images,
			"--batch-size",
			"16",
			"--epochs",
			"1",
			"--threads",
			"1",
			"--out",
			run(),
		];
		expect((await runForTest(...args)).code).toBe(0);
	});

	test("of another preset", () =>
		fails(
			2,
			/--resume .*run: its checkpoint is of the preset keras-mlp-bn, not of lenet-bn; go on with it/,
			"lenet-bn",
			"--resume",
			run(),
		));
	test("with another batch size", () =>
		fails(
			2,
			/--batch-size 8: the run in .* was started with 16, and going on must not change it/,
			"--resume",
			run(),
			"--batch-size",
			"8",
		));
	test("with other data", () =>
		fails(
			1,
			/resume: dataHash was "[0-9a-f]{64}" when .* and is "[0-9a-f]{64}" now/,
			"--resume",
			run(),
			"--data",
			writeImageFolder(join(dir, "other"), { seed: 9 }),
		));
	test("when the data has changed", async () => {
		const moved = writeImageFolder(join(dir, "images"));
		const out = join(dir, "again");
		await runForTest("train", "keras-mlp-bn", "--data", moved, "--epochs", "1", "--threads", "1", "--out", out);
		writeImageFolder(moved, { seed: 9 });
		await fails(1, /resume: dataHash was "[0-9a-f]{64}" when .* and is "[0-9a-f]{64}" now/, "--resume", out);
	});
	test("that are cut short", async () => {
		writeFileSync(file(), readFileSync(file()).subarray(0, 20_000));
		await fails(1, /checkpoint.safetensors: .*cut short/, "--resume", run());
	});
	test("that are damaged", async () => {
		writeFileSync(file(), Buffer.from("no tensors here, by any means"));
		await fails(1, /checkpoint.safetensors: not a safetensors file/, "--resume", run());
	});
	test("that are weights", async () => {
		writeFileSync(file(), readFileSync(join(run(), "model.safetensors")));
		await fails(1, /checkpoint.safetensors: these are tensors, but not a checkpoint of evenkeel/, "--resume", run());
	});
	test("that are not there", async () => {
		mkdirSync(join(dir, "empty"));
		await fails(
			1,
			/there is no checkpoint.safetensors in this folder, so there is nothing to go on from/,
			"--resume",
			join(dir, "empty"),
		);
	});

	test("a full disk keeps the one before", async () => {
		const fsync = fs.fsyncSync;
		let writes = 0;
		vi.spyOn(fs, "fsyncSync").mockImplementation((descriptor) => {
			if (++writes < 3) return fsync(descriptor);
			throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC", syscall: "fsync" });
		});
		const message = /checkpoint.safetensors: it was not written: the disk is full; free some space/;
		await failsHow(1, message, "--resume", run(), "--epochs", "3", "--checkpoint-every", "1");
		expect(readdirSync(run()).sort()).toEqual(["checkpoint.safetensors", "model.safetensors"]);
		// What was written last is whole: the run goes on from it.
		vi.restoreAllMocks();
		const { code, err } = await runForTest("train", "--resume", run(), "--epochs", "2", "--threads", "1");
		expect(err).toBe("");
		expect(code).toBe(0);
	});
});
