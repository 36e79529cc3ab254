import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeImageFolder } from "../../test/support/image-folder.ts";
import "../autograd/backward.ts";
import { currentBackend } from "../backend/backend.ts";
import { init } from "../backend/init.ts";
import { imageFolder } from "../data/index.ts";
import { manualSeed } from "../random/generator.ts";
import { type CellContext, runCell } from "./cell.ts";
import type { CellOptions } from "./options.ts";

let root: string;
let context: CellContext;

beforeAll(async () => {
	await init({ threads: 1 });
	root = writeImageFolder(mkdtempSync(join(tmpdir(), "evenkeel-cell-")), { train: 96, test: 40 });
	const [train, test] = [await imageFolder(root, { split: "train" }), await imageFolder(root, { split: "test" })];
	context = { train, test, classes: 10, measure: [] };
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

const options: CellOptions = {
	preset: "lenet",
	norm: "batch",
	activation: "relu",
	epochs: 2,
	batchSize: 16,
	lr: 0.1,
	seed: 1,
};

test("trains, evaluates after each epoch, and has the training accuracy in evaluation mode", async () => {
	const result = await runCell(options, context);
	expect(result).toMatchObject({ options, plannedEpochs: 2, classes: 10, problem: null, measured: {} });
	expect(result.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
	expect(result.epochs[1].loss).toBeLessThan(result.epochs[0].loss ?? 0);
	expect(result.cleanTrainAccuracy).toBeGreaterThan(0);
	expect(result.weights).toMatch(/^[0-9a-f]{64}$/);
});

test("the same bits whatever ran before, and for any number of threads", async () => {
	const first = await runCell(options, context);
	await runCell({ ...options, seed: 9, norm: "none" }, context);
	manualSeed(1234);
	expect(await runCell(options, context)).toEqual(first);
	await init({ threads: 2 });
	expect(await runCell(options, context)).toEqual(first);
	await init({ threads: 1 });
	expect((await runCell({ ...options, seed: 2 }, context)).weights).not.toBe(first.weights);
});

test("measuring and another evaluation do not change training", async () => {
	const plain = await runCell({ ...options, dropout: 0.2 }, context);
	const measured = await runCell({ ...options, dropout: 0.2 }, { ...context, measure: ["dynamics"] });
	expect(measured.weights).toBe(plain.weights);
	expect(Object.keys(measured.measured)).toContain("covariateShift");
	expect(Object.values(measured.measured).every(Number.isFinite)).toBe(true);
	const batches = await runCell({ ...options, dropout: 0.2, evalStatistics: "batch", evalBatchSize: 4 }, context);
	expect(batches.weights).toBe(plain.weights);
	expect(batches.epochs[0].testLoss).not.toBe(plain.epochs[0].testLoss);
	expect(batches.epochs[0].loss).toBe(plain.epochs[0].loss);
});

test("refuses data with more classes than the network tells apart", async () => {
	await expect(runCell(options, { ...context, classes: 26 })).rejects.toThrow(
		"the preset lenet tells 10 classes apart, and the data has 26",
	);
});

test("a run whose numbers are no longer finite ends, and says so", async () => {
	const result = await runCell({ ...options, norm: "none", lr: 1e30 }, context);
	expect(result.problem).toMatch(/NaN|infinit|not finite/i);
	expect(result.epochs.length).toBeLessThan(2);
	expect(result.cleanTrainAccuracy).toBeNull();
});

test("so does one whose values are too large for their variance", async () => {
	const result = await runCell({ ...options, preset: "mlp-bn", lr: 1e19, activation: undefined }, context);
	expect(result.problem).toContain("values too large for their variance to be represented");
});

test("a run leaves no memory behind", async () => {
	await runCell(options, context);
	const { used } = currentBackend().memory();
	for (let i = 0; i < 3; i++) await runCell(options, context);
	expect(currentBackend().memory().used).toBe(used);
});

describe("what cannot be run is an error, not a divergence", () => {
	test.each([
		[{ depth: 3 }, "preset lenet: depth 3 cannot be chosen"],
		[{ limit: 97 - 16 * 5, batchSize: 16 }, "a last batch of"],
		[{ evalStatistics: "batch", evalBatchSize: 64 }, "evalBatchSize: 64 is more than the 40 test examples"],
	] as const)("%j", async (changes, message) => {
		await expect(runCell({ ...options, ...changes }, context)).rejects.toThrow(message);
	});

	test("a signal ends it", async () => {
		const signal = AbortSignal.abort(new Error("enough"));
		await expect(runCell(options, { ...context, signal })).rejects.toThrow("enough");
	});
});
