import { expect, test } from "vitest";
import { resultOf } from "../../../test/support/compare-results.ts";
import { recordTerminal } from "../../../test/support/terminal.ts";
import { parseSpec } from "../../compare/spec.ts";
import { jobCount, threadsPerJob, workOf } from "./plan-jobs.ts";
import { CompareProgress } from "./progress.ts";
import { keyOf } from "./results-folder.ts";

test("a process a core, as far as memory and cells go; what was asked for counts", () => {
	const machine = (cores: number, free: number) => ({ cores, free });
	expect(jobCount(undefined, 100, machine(8, 32e9))).toBe(8);
	expect(jobCount(undefined, 100, machine(8, 2.5e9))).toBe(3);
	expect(jobCount(undefined, 100, machine(8, 0.1e9))).toBe(1);
	expect(jobCount(undefined, 2, machine(8, 32e9))).toBe(2);
	expect(jobCount(5, 100, machine(2, 1e9))).toBe(5);
	expect(jobCount(5, 0, machine(2, 1e9))).toBe(1);
	expect([threadsPerJob(1, 8), threadsPerJob(3, 8), threadsPerJob(9, 8)]).toEqual([8, 2, 1]);
});

test("small batches are more work, and a limit is less", () => {
	const work = (options: object) => workOf({ preset: "lenet", epochs: 2, seed: 0, ...options }, 60_000);
	expect(work({ batchSize: 2 })).toBeGreaterThan(5 * work({ batchSize: 256 }));
	expect(work({ limit: 600 })).toBeLessThan(work({}) / 50);
	expect(work({ limit: 100_000 })).toBe(work({}));
});

const spec = parseSpec({ name: "x", base: { preset: "lenet" }, grid: { norm: ["none", "batch"] }, seeds: 2 }, "spec");

test("a cell's name is that of its options, what is measured and the data, in whatever order", () => {
	const key = keyOf({ preset: "lenet", lr: 1, seed: 0 }, spec, "a");
	expect(keyOf({ seed: 0, lr: 1, preset: "lenet" }, spec, "a")).toBe(key);
	expect(keyOf({ preset: "lenet", lr: 1, seed: 1 }, spec, "a")).not.toBe(key);
	expect(keyOf({ preset: "lenet", lr: 1, seed: 0 }, spec, "b")).not.toBe(key);
	expect(keyOf({ preset: "lenet", lr: 1, seed: 0 }, { measure: ["dynamics"] }, "a")).not.toBe(key);
});

test("progress: a line a run with the time left, from the work that is done", () => {
	const { terminal, err } = recordTerminal();
	let now = 0;
	const work = new Map([
		["a", 100],
		["b", 100],
		["c", 200],
	]);
	const progress = new CompareProgress(terminal, { total: 5, work, jobs: 2, json: false }, () => now);
	progress.start(spec, { trainExamples: 60_000, testExamples: 10_000, sources: ["a cache"], hash: "" }, 2);
	expect(progress.secondsLeft).toBeNaN();
	now = 10_000;
	progress.done("a", resultOf({ norm: "none", seed: 1 }, 0.8), 10);
	// 400 units at 10 s for 100, two at a time: 20 s, of which 10 have passed.
	expect(progress.secondsLeft).toBeCloseTo(10);
	progress.done("b", resultOf({ norm: "batch" }, 0.8, { problem: "the loss is NaN", epochs: [] }), 10);
	progress.end();
	expect(err()).toBe(
		"x: 5 runs, 2 of them finished before, 2 at a time, 60,000 training images\ndata: a cache\n" +
			"3/5  norm none, seed 1: test 80.0%  10 s  10 s left\n4/5  norm batch, seed 0: diverged  10 s  10 s left\n",
	);
});
