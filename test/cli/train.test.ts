// What `evenkeel train` says when all goes well. What it does is in test/end-to-end.

import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runProgram } from "../../src/cli/program.ts";
import { readCheckpoint } from "../../src/train/index.ts";
import { writeImageFolder } from "../support/image-folder.ts";
import { recordTerminal, runForTest } from "../support/terminal.ts";

let root: string;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-train-"));
	writeImageFolder(join(root, "images"));
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

const args = (out: string, ...more: string[]): string[] => [
	...["train", "keras-mlp-bn", "--data", join(root, "images"), "--batch-size", "16", "--epochs", "2", "--threads", "1"],
	...["--out", join(root, out), ...more],
];

test("for people: data, layers, plan, a line an epoch, what the norms learned, what was written", async () => {
	const plot = join(root, "curves.svg");
	const { code, out, err } = await runForTest(...args("people", "--show-affine", "--plot", plot));
	expect({ code, err }).toEqual({ code: 0, err: "" });
	expect(out).toContain(`64 train images from ${join(root, "images")}`);
	expect(out).toMatch(/3 {2}BatchNorm1d {2}\[N, 128\] +256\n/);
	expect(out).toMatch(
		/102,026\n\nkeras-mlp-bn: 64 examples, 2 epochs, batch size 16, Adam, learning rate 0.001, seed 0, wasm on 1 thread\n/,
	);
	expect(out.match(/^epoch \d\/2 {2}loss/gm)).toHaveLength(2);
	expect(out).toMatch(/BatchNorm1d "3" {2}scale +\d\.\d{3} +\d\.\d{3} +\d\.\d{3} .* … 122 more\n +shift +-0\.\d{3}/);
	expect(out).toMatch(/done after .*: loss \d\.\d+, train accuracy .*%, test accuracy .*%, .* examples\/s\n/);
	for (const file of [join(root, "people/checkpoint.safetensors"), join(root, "people/model.safetensors"), plot]) {
		expect(out).toContain(`written  ${file}\n`);
		expect(existsSync(file)).toBe(true);
	}
	expect(readFileSync(plot, "utf8")).toContain("<title>keras-mlp-bn</title>");
});

test("for programs: nothing but JSON on stdout", async () => {
	const { code, out, err } = await runForTest(...args("json", "--json", "--show-affine"));
	expect(code).toBe(0);
	const lines = out
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
	expect(lines.map(({ event }) => event)).toEqual(["start", "epoch", "epoch", "affine", "end"]);
	expect(lines[3].layers[0]).toMatchObject({ layer: 'BatchNorm1d "3"' });
	expect(lines[3].layers[0].weight).toHaveLength(128);
	expect(err).toContain("epoch 2/2");
});

test("--trace writes one step, its ops and their kernels", async () => {
	const trace = join(root, "trace.json");
	expect(await runForTest(...args("traced", "--quiet", "--trace", trace))).toMatchObject({ code: 0 });
	const { traceEvents } = JSON.parse(readFileSync(trace, "utf8"));
	const names = traceEvents.map(({ name }: { name: string }) => name);
	for (const name of ["batchNorm", "batchNorm backward", "batch_norm_forward_columns"]) expect(names).toContain(name);
	expect(names.filter((name: string) => name === "batchNorm")).toHaveLength(1);
});

test("--trace of a run that has nothing left to train says so, and names no file", async () => {
	const trace = join(root, "no-trace.json");
	writeFileSync(trace, "of another run");
	const { code, out } = await runForTest("train", "--resume", join(root, "traced"), "--threads", "1", "--trace", trace);
	expect(code).toBe(0);
	expect(out).toContain(`--trace ${trace}: there was no step left to trace\n`);
	expect(out).not.toContain(`written  ${trace}`);
	expect(readFileSync(trace, "utf8")).toBe("of another run");
});

test("weights of an earlier run stay until this one has a checkpoint, and not beside it", async () => {
	const diverging = join(root, "diverging.mjs");
	const steps = (count: number) => `
		let calls = 0;
		export default ({ nn, optim }) => ({
			name: "keras-mlp-bn", inputShape: [1, 28, 28], batchSize: 16, epochs: 2, lr: 0.01,
			build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10)),
			optimizer(net, lr) {
				const sgd = new optim.SGD(net.namedParameters(), { lr });
				const step = sgd.step.bind(sgd);
				sgd.step = () => { if (calls++ === ${count}) throw new Error("the end"); step(); };
				return sgd;
			},
		});`;
	const model = join(root, "twice/model.safetensors");
	expect(await runForTest(...args("twice", "--quiet"))).toMatchObject({ code: 0 });
	writeFileSync(diverging, steps(0));
	const again = ["--data", join(root, "images"), "--threads", "1", "--quiet", "--out", join(root, "twice")];
	expect(await runForTest("train", diverging, ...again)).toMatchObject({ code: 1 });
	expect(existsSync(model)).toBe(true);
	writeFileSync(diverging.replace("diverging", "later"), steps(2));
	expect(await runForTest("train", diverging.replace("diverging", "later"), ...again)).toMatchObject({ code: 1 });
	expect(existsSync(model)).toBe(false);
	expect(readdirSync(join(root, "twice"))).toEqual(["checkpoint.safetensors"]);
});

test("--quiet says nothing, and with --json only that", async () => {
	expect(await runForTest(...args("quiet", "--quiet"))).toEqual({ code: 0, out: "", err: "" });
	const { out, err } = await runForTest(...args("quiet", "--quiet", "--json"));
	expect(out.trim().split("\n")).toHaveLength(4);
	expect(err).toBe("");
});

test("on a terminal a bar moves while it trains", async () => {
	const recorded = recordTerminal({ isTTY: true, env: { NO_COLOR: "1" } });
	await runProgram(args("tty"), recorded.terminal);
	expect(recorded.err()).toMatch(/\repoch 1\/2 [━╸─]+ +\d+% {2}loss \d\.\d{4}/);
	expect(recorded.err()).toMatch(/\r.\[K$/);
});

test("a network and data of the user's own, with a schedule", async () => {
	const file = join(root, "own-net.mjs");
	writeFileSync(
		file,
		`export default ({ nn, optim, tensor }) => ({
			inputShape: [3], batchSize: 4, epochs: 3, lr: 0.02, loss: "mse",
			build: ({ norm }) => new nn.Sequential(new nn.Linear(3, 4), ...(norm === "batch" ? [new nn.BatchNorm1d(4)] : []), new nn.Linear(4, 1)),
			optimizer: (net, lr) => new optim.SGD(net.namedParameters(), { lr }),
			schedule: (optimizer, { steps }) => optim.cosineAnnealingLR(optimizer, { tMax: steps }),
			data() {
				const x = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
				const y = Float32Array.from({ length: 20 }, (_, i) => x[3 * i] - x[3 * i + 1]);
				const train = [tensor(x, [20, 3]), tensor(y, [20, 1])];
				return { train, test: train, source: "a sine" };
			},
		});`,
	);
	const out = join(root, "own");
	const {
		code,
		out: said,
		err,
	} = await runForTest("train", file, "--norm", "none", "--json", "--out", out, "--threads", "1");
	expect({ code, err: err.includes("data     a sine\n") }).toEqual({ code: 0, err: true });
	const lines = said
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
	expect(lines[0]).toMatchObject({ preset: "own-net", trainExamples: 20, testExamples: 20, data: "a sine" });
	expect(lines[3].loss).toBeLessThan(lines[1].loss);
	expect(lines[3]).not.toHaveProperty("trainAccuracy");
	// The checkpoint remembers the file.
	const again = await runForTest("train", "--resume", out, "--threads", "1", "--json");
	expect(again.code).toBe(0);
	expect(JSON.parse(again.out.trim().split("\n").at(-1) ?? "").weights).toBe(lines.at(-1).weights);
	// And is told where it has gone.
	mkdirSync(join(root, "moved"));
	const moved = join(root, "moved/own-net.mjs");
	renameSync(file, moved);
	expect(await runForTest("train", "--resume", out, "--threads", "1")).toMatchObject({
		code: 2,
		err: expect.stringContaining(`the file of its preset, ${file}, is no longer there; say where it is now`),
	});
	expect(await runForTest("train", moved, "--resume", out, "--threads", "1", "--quiet")).toMatchObject({ code: 0 });
});

test("a run goes on when its data has moved", async () => {
	const [before, after] = [writeImageFolder(join(root, "before")), join(root, "after")];
	const run = ["--epochs", "1", "--threads", "1", "--quiet", "--out", join(root, "data-moved")];
	expect(await runForTest("train", "keras-mlp-bn", "--data", before, ...run)).toMatchObject({ code: 0 });
	renameSync(before, after);
	const again = ["train", "--resume", join(root, "data-moved"), "--epochs", "2", "--threads", "1", "--quiet"];
	expect(await runForTest(...again, "--data", after)).toMatchObject({ code: 0, err: "" });
	expect(readCheckpoint(join(root, "data-moved")).state).toMatchObject({ epochs: 2, settings: { data: after } });
});

describe("a folder with as many classes as the network of the user's own has", () => {
	function presetFile(classes: number | undefined, outputs: number): string {
		const file = join(root, `classes-${classes}-${outputs}.mjs`);
		writeFileSync(
			file,
			`export default ({ nn, optim }) => ({
				inputShape: [1, 8, 8], ${classes === undefined ? "" : `classes: ${classes},`} batchSize: 16, epochs: 1, lr: 0.01,
				build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(64, ${outputs})),
				optimizer: (net, lr) => new optim.SGD(net.namedParameters(), { lr }),
			});`,
		);
		return file;
	}
	const options = (data: string) => ["--data", data, "--out", join(root, "classes"), "--threads", "1", "--quiet"];

	test.each([
		[26, 26, 26],
		[5, 5, 5],
		[undefined, 26, 26],
		[30, 30, 26],
	])("classes: %s, %i outputs, %i labels", async (classes, outputs, labels) => {
		const data = writeImageFolder(join(root, `labels-${labels}`), { size: 8, classes: labels });
		expect(await runForTest("train", presetFile(classes, outputs), ...options(data))).toMatchObject({
			code: 0,
			err: "",
		});
	});

	test("a label that is none of them", async () => {
		const data = writeImageFolder(join(root, "labels-26"), { size: 8, classes: 26 });
		const { code, err } = await runForTest("train", presetFile(5, 5), ...options(data));
		expect({ code, err }).toEqual({
			code: 1,
			err: expect.stringMatching(/train-labels-idx1-ubyte: label \d+ at index \d+ is none of the 5 classes/),
		});
	});
});

describe("a file of the user's own that returns the wrong thing is told so", () => {
	const preset = (parts: string) => {
		const file = join(root, "wrong.mjs");
		// A module is loaded once.
		const fresh = file.replace("wrong", `wrong-${parts.length}`);
		writeFileSync(
			fresh,
			`export default ({ nn, optim, tensor }) => ({
				name: "wrong", inputShape: [1, 28, 28], batchSize: 16, epochs: 1, lr: 0.01,
				build: () => new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10)),
				optimizer: (net, lr) => new optim.SGD(net.namedParameters(), { lr }),
				${parts}
			});`,
		);
		return fresh;
	};

	test.each([
		[
			"optimizer: (net, lr) => { new optim.SGD(net.namedParameters(), { lr }); },",
			/^preset wrong: optimizer\(\) must return an optimizer, .*, got nothing$/,
		],
		[
			"optimizer: async (net, lr) => new optim.SGD(net.namedParameters(), { lr }),",
			/^preset wrong: optimizer\(\) must return .*, got a Promise$/,
		],
		["schedule: () => 3,", /^preset wrong: schedule\(\) must return a schedule, .*, or nothing, got 3$/],
		[
			"data: () => ({ train: [[1, 2], [0, 1]] }),",
			/^preset wrong: data\(\): train: Trainer: examples are a data set, or \[x, y\]/,
		],
		[
			"data: () => ({ train: [tensor([1], [1]), tensor([1], [1])], test: 4 }),",
			/^preset wrong: data\(\): test: Trainer: examples are a data set/,
		],
	])("%s", async (parts, message) => {
		const options = ["--data", join(root, "images"), "--out", join(root, "wrong"), "--threads", "1", "--quiet"];
		const { code, err } = await runForTest("train", preset(parts), ...options);
		expect(code).toBe(1);
		expect(err.trim().replace("evenkeel train: ", "")).toMatch(message);
	});
});

test("--data that is an address stays one", async () => {
	const server = createServer((_, response) => void response.writeHead(404).end());
	await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
	const { port } = server.address() as AddressInfo;
	const from = `http://127.0.0.1:${port}/set`;
	const { err } = await runForTest("train", "lenet-bn", "--data", from, "--out", join(root, "address"), "--quiet");
	server.close();
	expect(err).toContain(`${from}/train-images-idx3-ubyte.gz: the server answered 404`);
});

test("--help shows every preset, a file of one's own, and examples", async () => {
	const { code, out } = await runForTest("train", "--help");
	expect(code).toBe(0);
	for (const part of ["lenet-bn", "resnet-mini", "export default ({ nn, optim }) => ({", "--resume runs/lenet-bn"]) {
		expect(out).toContain(part);
	}
});
