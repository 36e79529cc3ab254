import { describe, expect, test } from "vitest";
import { runForTest } from "../../../test/support/terminal.ts";
import { currentBackend } from "../../backend/backend.ts";
import { spread, summarize, timeWindow } from "../bench/windows.ts";

const quick = ["--seconds", "0.01", "--windows", "2", "--threads", "1"];

describe("evenkeel bench", () => {
	test("a preset with another norm and batch size, as JSON lines", async () => {
		const { code, out, err } = await runForTest(
			...["bench", "lenet-bn", "--norm", "group", "--groups", "2", "--batch-size", "16", "--json", ...quick],
		);
		expect(code, err).toBe(0);
		const [start, training, end, ...more] = out
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
		expect(start).toMatchObject({ event: "start", device: "wasm", threads: 1, node: process.version });
		expect(training).toMatchObject({
			...{ event: "training", preset: "lenet-bn", norm: "group", batchSize: 16, parameters: 44_878 },
		});
		expect(training.step.low).toBeLessThanOrEqual(training.step.median);
		expect(training.examplesPerSecond).toBeCloseTo(16_000 / training.step.median, 6);
		expect([end, more]).toEqual([{ event: "end" }, []]);
	});

	test("batch normalization alone, as a table; nothing is left in the heap", async () => {
		const { code, out } = await runForTest("bench", "batch-norm", ...quick);
		expect(code).toBe(0);
		expect(out).toMatch(/wasm \(\w+\), 1 thread\n\nbatch norm, training mode +forward ms +± +GB\/s +backward ms/);
		expect(out.match(/^\[\d+(, \d+)+\] +[\d.]+ +\d+% +[\d.]+ +[\d.]+ +\d+% +[\d.]+$/gm)).toHaveLength(4);
		expect(out).not.toContain("training  norm");
		expect(currentBackend().memory().used).toBeLessThan(1e6);
	});

	test("what does not fit is said, with what there is", async () => {
		const unknown = await runForTest("bench", "alexnet");
		expect(unknown.code).toBe(2);
		expect(unknown.err).toContain('unknown preset "alexnet"; there are lenet-bn, lenet');
		const usage = await runForTest("bench", "batch-norm", "--batch-size", "2");
		expect(usage.code).toBe(2);
		expect(usage.err).toContain("--norm, --groups and --batch-size are for presets");
		expect((await runForTest("bench", "--backend", "cuda")).code).toBe(2);
		expect((await runForTest("bench", "lenet-bn", "--norm", "spectral")).err).toMatch(/spectral.*there are/);
	});
});

test("a window ends after its time, the median and quartiles lie between values", () => {
	let calls = 0;
	const ms = timeWindow(0.005, () => {
		calls++;
	});
	expect(calls).toBeGreaterThan(1);
	expect(ms * calls).toBeGreaterThanOrEqual(5);
	expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, low: 1.75, high: 3.25 });
	expect(spread({ median: 2, low: 1.5, high: 2.5 })).toBe(0.25);
});
