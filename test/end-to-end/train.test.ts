// `evenkeel train` as its users run it: the built program, in processes that are counted on to be interrupted.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeImageFolder } from "../support/image-folder.ts";

const program = join(import.meta.dirname, "../../dist/cli/main.mjs");
let root: string;
let images: string;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-train-"));
	images = writeImageFolder(join(root, "images"), { train: 2048, test: 100 });
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

interface Ended {
	code: number | null;
	signal: NodeJS.Signals | null;
	out: string;
	err: string;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Ended> } {
	const child = spawn(process.execPath, [program, "train", ...args], {
		cwd: root,
		env: { ...process.env, ...env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let out = "";
	let err = "";
	child.stdout.on("data", (text) => {
		out += text;
	});
	child.stderr.on("data", (text) => {
		err += text;
	});
	const ended = new Promise<Ended>((resolve) => {
		child.on("close", (code, signal) => resolve({ code, signal, out, err }));
	});
	return { child, ended };
}

/** The JSON lines of a run that is to succeed. */
async function run(...args: string[]): Promise<Record<string, unknown>[]> {
	const { code, out, err } = await start(args).ended;
	expect(code, err).toBe(0);
	return out
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
}

/** 64 steps an epoch. */
const lenet = (out: string): string[] => [
	...["lenet-bn", "--epochs", "1", "--seed", "1", "--batch-size", "32", "--json"],
	...["--data", images, "--out", join(root, out)],
];

/** Waits until the run in `out` has written its first checkpoint. */
async function firstCheckpoint(out: string): Promise<void> {
	while (!existsSync(join(root, out, "checkpoint.safetensors"))) await new Promise((done) => setTimeout(done, 5));
}

describe("one run, told in JSON lines", () => {
	let whole: Record<string, unknown>[];

	beforeAll(async () => {
		whole = await run(...lenet("one"), "--threads", "1");
	});

	test("start, epochs, end", () => {
		const [first, epoch, end] = whole;
		expect(whole).toHaveLength(3);
		expect(first).toMatchObject({ event: "start", preset: "lenet-bn", device: "wasm", threads: 1, parameters: 44878 });
		expect(epoch).toMatchObject({ event: "epoch", epoch: 1 });
		for (const figure of ["loss", "trainAccuracy", "testAccuracy", "examplesPerSecond", "seconds"]) {
			expect(epoch[figure], figure).toBeTypeOf("number");
		}
		expect(end).toMatchObject({ event: "end", weights: expect.stringMatching(/^[0-9a-f]{64}$/) });
		expect(end.files).toEqual(["checkpoint.safetensors", "model.safetensors"].map((file) => join(root, "one", file)));
	});

	test("on two threads: the same weights, bit for bit", async () => {
		const two = await run(...lenet("two"), "--threads", "2");
		expect(two.at(-1)?.weights).toBe(whole.at(-1)?.weights);
	});

	test("killed in mid-epoch and resumed: the same weights", async () => {
		const { child, ended } = start([...lenet("killed"), "--checkpoint-every", "3"]);
		await firstCheckpoint("killed");
		child.kill("SIGKILL");
		const { signal, out } = await ended;
		expect(signal).toBe("SIGKILL");
		expect(out).not.toContain('"event":"epoch"');
		const resumed = await run(...lenet("killed"), "--resume", join(root, "killed"), "--threads", "1");
		expect(resumed[0].step).toBeGreaterThan(0);
		expect(resumed[0].step).toBeLessThan(64);
		expect(resumed.at(-1)?.weights).toBe(whole.at(-1)?.weights);
	});

	test("Ctrl-C finishes the step, writes the checkpoint and exits 130; then --resume alone goes on", async () => {
		const { child, ended } = start([...lenet("stopped")]);
		await firstCheckpoint("stopped");
		child.kill("SIGINT");
		const { code, out, err } = await ended;
		expect(code, err).toBe(130);
		expect(JSON.parse(out.trim().split("\n").at(-1) ?? "")).toMatchObject({ event: "end", stopped: "aborted" });
		expect(err).toContain(`go on with: evenkeel train --resume ${join(root, "stopped")}`);
		const resumed = await run("--resume", join(root, "stopped"), "--json");
		expect(resumed.at(-1)?.weights).toBe(whole.at(-1)?.weights);
	});
});

test("with no data on the machine and no network it trains on the sample, and says so", async () => {
	const nowhere = join(root, "nowhere");
	const env = { EVENKEEL_DATASETS: nowhere, XDG_CACHE_HOME: nowhere, EVENKEEL_CACHE: nowhere };
	const args = ["keras-mlp-bn", "--no-download", "--epochs", "1", "--plot", "sample.svg", "--show-affine"];
	const { code, out, err } = await start(args, env).ended;
	expect(code, err).toBe(0);
	expect(out).toMatch(/the sample of Fashion-MNIST that comes with evenkeel, 6,000 of its 60,000 train images/);
	expect(out).toMatch(/BatchNorm1d {2}\[N, 128\]/);
	expect(out).toMatch(/epoch 1\/1 {2}loss \d\.\d+ {2}train \d+\.\d% {2}test +\d+\.\d%/);
	expect(out).toMatch(/BatchNorm1d "3" +scale/);
	expect(out).toContain("written  runs/keras-mlp-bn/model.safetensors");
	expect(readFileSync(join(root, "sample.svg"), "utf8")).toMatch(/^<svg /);
	// No progress bar where nobody looks.
	expect(err).toBe("");
});

test("a second run in the same folder is refused while the first one writes there", async () => {
	const { child, ended } = start([...lenet("shared"), "--epochs", "50", "--threads", "1"]);
	await firstCheckpoint("shared");
	const second = await start(lenet("shared")).ended;
	expect(second).toMatchObject({ code: 1, out: "" });
	expect(second.err).toContain(`--out ${join(root, "shared")}: the run of process ${child.pid} writes there`);
	child.kill("SIGINT");
	expect((await ended).code).toBe(130);
	expect(readdirSync(join(root, "shared"))).toEqual(["checkpoint.safetensors"]);
});

describe("when nobody reads what it prints", () => {
	test("stdout: it stops as after Ctrl-C, with a checkpoint, and exits 141", async () => {
		const { child, ended } = start([...lenet("unread"), "--epochs", "50", "--threads", "1"]);
		await firstCheckpoint("unread");
		child.stdout?.destroy();
		const { code, err } = await ended;
		expect(code, err).toBe(141);
		expect(err).toContain(`go on with: evenkeel train --resume ${join(root, "unread")}`);
	});

	test("stderr: it goes on", async () => {
		const { child, ended } = start([...lenet("unheard"), "--threads", "1"]);
		child.stderr?.destroy();
		const { code, out } = await ended;
		expect(code).toBe(0);
		expect(JSON.parse(out.trim().split("\n").at(-1) ?? "")).toMatchObject({ event: "end" });
		expect(existsSync(join(root, "unheard/model.safetensors"))).toBe(true);
	});

	test("a command that only prints has been read enough", async () => {
		const child = spawn(process.execPath, [program, "train", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
		child.stdout.destroy();
		expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
	});

	test.runIf(existsSync("/dev/full"))("a full disk behind stdout is told in one line", async () => {
		const full = openSync("/dev/full", "w");
		const child = spawn(process.execPath, [program, "explain"], { stdio: ["ignore", full, "pipe"] });
		let err = "";
		child.stderr?.on("data", (text) => {
			err += text;
		});
		const code = await new Promise((resolve) => child.on("close", resolve));
		closeSync(full);
		expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^evenkeel.*: the disk is full; .*\n$/) });
	});
});
