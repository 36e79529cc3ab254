// `evenkeel compare` as its users run it: the built program and its processes, killed and started again.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const program = join(import.meta.dirname, "../../dist/cli/main.mjs");
const sample = join(import.meta.dirname, "../../sample/fashion-mnist");
let root: string;

const tiny = `
name: tiny
title: A tiny grid
base: { preset: lenet, activation: relu, limit: 160, epochs: 1, batchSize: 32, lr: 0.1 }
grid:
  norm: [none, batch]
  lr: [0.05, 0.2]
seeds: 2
measure: [dynamics]
charts:
  - { x: lr, y: trainAccuracy }
claims:
  - id: better
    says: Batch norm trains faster.
    metric: trainAccuracy
    a: { norm: batch }
    b: { norm: none }
    expect: higher
    reduce: best
    over: lr
`;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-compare-"));
	writeFileSync(join(root, "tiny.yaml"), tiny);
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

function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
	const child = spawn(process.execPath, [program, "compare", ...args], {
		cwd: root,
		stdio: ["ignore", "pipe", "pipe"],
	});
	let [out, err] = ["", ""];
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

const args = (out: string, ...more: string[]): string[] => ["tiny.yaml", "--data", sample, "--out", out, ...more];

const cellsIn = (out: string): string[] => {
	const dir = join(root, out, "cells");
	return existsSync(dir) ? readdirSync(dir).filter((file) => file.endsWith(".json")) : [];
};

/** Waits until `out` has more than `count` finished cells. */
async function moreCellsThan(out: string, count: number): Promise<void> {
	while (cellsIn(out).length <= count) await new Promise((done) => setTimeout(done, 5));
}

const files = ["results.jsonl", "results.csv", "report.html"] as const;
const read = (out: string): string[] => files.map((file) => readFileSync(join(root, out, file), "utf8"));

test("killed twice, and with another number of processes: the same results, to the byte", async () => {
	const whole = await start(...args("whole", "--jobs", "1")).ended;
	expect(whole.code, whole.err).toBe(0);
	expect(cellsIn("whole")).toHaveLength(8);

	let kept = 0;
	for (let kill = 0; kill < 2; kill++) {
		const run = start(...args("killed", "--jobs", "2"));
		await moreCellsThan("killed", kept);
		run.child.kill("SIGKILL");
		expect((await run.ended).signal).toBe("SIGKILL");
		kept = cellsIn("killed").length;
		expect(kept).toBeLessThan(8);
		for (const file of cellsIn("killed")) JSON.parse(readFileSync(join(root, "killed/cells", file), "utf8"));
	}
	const last = await start(...args("killed", "--jobs", "2")).ended;
	expect(last.code, last.err).toBe(0);
	expect(last.err).toContain(`8 runs, ${kept} of them finished before, 2 at a time`);
	expect(read("killed")).toEqual(read("whole"));
	expect(last.out.split("written")[0]).toBe(whole.out.split("written")[0]);
});

test("what it says: a table, the claims with their evidence, the files", async () => {
	const { code, out, err } = await start(...args("whole")).ended;
	expect(code).toBe(0);
	expect(err).toContain("8 runs, 8 of them finished before");
	expect(out).toMatch(/norm +lr +runs +test accuracy +± +best +diverged +epochs to 85%/);
	expect(out).toMatch(/batch +0\.2 +2 /);
	expect(out).toMatch(
		/(SHOWN|NOT SHOWN) {2}Batch norm trains faster\.\n {2}train accuracy at the best learning rate: /,
	);
	for (const file of files) expect(out).toContain(join("whole", file));
});

test("--json: nothing but JSON on stdout, with every run", async () => {
	const { code, out } = await start(...args("json", "--seeds", "1", "--json")).ended;
	expect(code).toBe(0);
	const lines = out
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));
	const count = (event: string): number => lines.filter((line) => line.event === event).length;
	expect([count("start"), count("run"), count("row"), count("claim"), count("end")]).toEqual([1, 4, 4, 1, 1]);
	expect(lines[0]).toMatchObject({ name: "tiny", runs: 4, finished: 0 });
});

test("other options are other runs: those that are finished are not taken for them", async () => {
	const changed = join(root, "tiny-changed.yaml");
	writeFileSync(changed, tiny.replace("limit: 160", "limit: 64"));
	const { err } = await start("tiny-changed.yaml", "--data", sample, "--out", "whole", "--seeds", "1").ended;
	expect(err).toMatch(/4 runs, \d at a time/);
});

test("Ctrl-C ends it with 130, and keeps what is finished", async () => {
	const run = start(...args("stopped", "--jobs", "1"));
	await moreCellsThan("stopped", 0);
	run.child.kill("SIGINT");
	const { code, err } = await run.ended;
	expect(code).toBe(130);
	expect(err).toContain("stopping; finished runs are kept");
	expect(cellsIn("stopped").length).toBeGreaterThan(0);
	expect(existsSync(join(root, "stopped/report.html"))).toBe(false);
});

describe("wrong use", () => {
	test.each([
		[["tinny"], 2, /there is no comparison "tinny"; there are learning-rate, /],
		[["none.yaml"], 2, /none\.yaml: there is no such file/],
		[[], 2, /name a comparison or a file/],
		[["broken.yaml"], 1, /broken\.yaml: it is not YAML: /],
		[["wrong.yaml"], 1, /wrong\.yaml\.grid\.norm: expected one of batch, none, .*, got "bath"/],
		[["deep.yaml", "--data", sample], 1, /the run \{.*"depth":3.*\} failed: preset lenet: depth 3 cannot be chosen/],
	])("%j", async (given, expected, message) => {
		writeFileSync(join(root, "broken.yaml"), "name: [a\n");
		writeFileSync(join(root, "wrong.yaml"), tiny.replace("[none, batch]", "[none, bath]"));
		writeFileSync(
			join(root, "deep.yaml"),
			tiny.replace("seeds: 2", "seeds: 1").replace("lr: 0.1 }", "lr: 0.1, depth: 3 }"),
		);
		const { code, err } = await start(...given).ended;
		expect({ code, err }).toEqual({ code: expected, err: expect.stringMatching(message) });
	});
});

test("a comparison that comes with evenkeel, as YAML, is one's own to start from", async () => {
	const { out } = await start("placement", "--yaml").ended;
	writeFileSync(join(root, "placement.yaml"), out);
	const again = await start("./placement.yaml", "--yaml").ended;
	expect(again.out).toBe(out);
	expect(out).toContain("name: placement");
});

test("--docs: what has been run, and what has not", async () => {
	const { code, out, err } = await start("--docs", "claims.md", "--out", "nothing").ended;
	expect({ code, err }).toEqual({ code: 0, err: "" });
	expect(out).toMatch(/claims\.md, from 0 of \d+ comparisons/);
	const page = readFileSync(join(root, "claims.md"), "utf8");
	expect(page).toContain("Nothing has been run yet.");
	expect(page).toContain("evenkeel compare batch-size");
});
