// The trainer on real ranks: that they are one training, and the same as that of one process.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { History } from "../../src/train/index.ts";
import { launchers, mpirun } from "../support/ranks.ts";

const program = join(import.meta.dirname, "programs/fit.mjs");

interface Report {
	/** Hashes. */
	parameters: string;
	buffers: string;
	losses: number[];
	history: History;
	values: number[];
}

type Plan = Readonly<Record<string, unknown>>;

let root: string;

beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), "evenkeel-ranks-"));
});

afterAll(() => {
	rmSync(root, { recursive: true, force: true });
});

async function onRanks(ranks: number, plan: Plan): Promise<Report[]> {
	const folder = mkdtempSync(join(root, "reports-"));
	const { code, stderr } = await mpirun([[ranks, program, JSON.stringify(plan), folder]]);
	expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	return Array.from({ length: ranks }, (_, rank) => readReport(folder, rank));
}

function alone(plan: Plan): Report {
	const folder = mkdtempSync(join(root, "reports-"));
	execFileSync(process.execPath, [program, JSON.stringify({ ...plan, alone: true }), folder]);
	return readReport(folder, 0);
}

function readReport(folder: string, rank: number): Report {
	return JSON.parse(readFileSync(join(folder, `rank-${rank}.json`), "utf8"));
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
	expect(a.length).toBe(b.length);
	return Math.max(...a.map((value, i) => Math.abs(value - b[i])));
}

/** 13 steps an epoch, the last of one example: three ranks have none of it. */
const plan: Plan = { rows: 97, batchSize: 8, epochs: 4, norm: "group" };

describe.skipIf(launchers.length === 0)("ranks are one training", () => {
	test("the weights are the same bits on all of them after an epoch, and start as rank 0's", async () => {
		const [first, ...others] = await onRanks(3, { ...plan, epochs: 1, unlike: 1, validation: true });
		for (const { parameters, losses, history } of others) {
			expect(parameters).toBe(first.parameters);
			expect(losses).toEqual(first.losses);
			expect(history.epochs[0]).toMatchObject({ loss: first.history.epochs[0].loss });
			expect(history.epochs[0].testAccuracy).toBe(first.history.epochs[0].testAccuracy);
		}
		// Seeds that differ do not matter: nothing is left of rank 1's own weights.
		expect(first.parameters).toBe((await onRanks(3, { ...plan, epochs: 1 }))[0].parameters);
	});

	test.each([2, 4])(
		"%i ranks do what one process does on the whole batch, also where a last batch is uneven",
		async (n) => {
			const one = alone({ ...plan, validation: true });
			const [first] = await onRanks(n, { ...plan, validation: true });
			expect(first.losses).toHaveLength(52);
			expect(largestDifference(first.losses, one.losses)).toBeLessThan(1e-5);
			expect(largestDifference(first.values, one.values)).toBeLessThan(1e-5);
			const [epoch, expected] = [first.history.epochs[3], one.history.epochs[3]];
			expect(epoch.trainAccuracy).toBe(expected.trainAccuracy);
			expect(epoch.testAccuracy).toBe(expected.testAccuracy);
			expect(epoch.testLoss).toBeCloseTo(expected.testLoss ?? 0, 5);
		},
	);

	test.each([2, 3])("so do %i ranks with batch norm that all of them share, for 50 steps", async (n) => {
		// The last of 13 batches has 5 rows, of which the ranks have unequal shares.
		const sizes = { ...plan, rows: 101, norm: "batch" };
		const one = alone({ ...sizes, validation: true });
		const all = await onRanks(n, { ...sizes, validation: true, sync: true });
		const [first] = all;
		expect(first.losses).toHaveLength(52);
		expect(largestDifference(first.losses, one.losses)).toBeLessThan(1e-5);
		// Weights and running statistics.
		expect(largestDifference(first.values, one.values)).toBeLessThan(1e-5);
		expect(new Set(all.map(({ buffers }) => buffers)).size).toBe(1);
		expect(new Set(all.map(({ parameters }) => parameters)).size).toBe(1);
		expect(first.history.epochs[3].testAccuracy).toBe(one.history.epochs[3].testAccuracy);
	});

	test("a last batch of fewer rows than ranks goes through shared batch norm too", async () => {
		const sizes = { ...plan, rows: 98, norm: "batch", epochs: 2 };
		const one = alone(sizes);
		const [first] = await onRanks(3, { ...sizes, sync: true });
		expect(largestDifference(first.values, one.values)).toBeLessThan(1e-5);
	});

	test("so do they with gradients in many small buckets, and in micro-batches", async () => {
		const one = alone(plan);
		for (const options of [{ bucketBytes: 64 }, { accumulate: { steps: 3 } }]) {
			const [first, second] = await onRanks(2, { ...plan, ...options });
			expect(largestDifference(first.values, one.values)).toBeLessThan(1e-5);
			expect(second.parameters).toBe(first.parameters);
		}
	});

	test("with batch norm of each rank's own examples the running statistics differ between ranks, the weights do not", async () => {
		const [first, second] = await onRanks(2, { ...plan, rows: 96, norm: "batch" });
		expect(second.parameters).toBe(first.parameters);
		expect(second.buffers).not.toBe(first.buffers);
	});

	test("a run that one rank was told to stop goes on bit for bit, and on other numbers of ranks", async () => {
		const settings = { ...plan, rows: 96, dropout: 0.2, norm: "batch" };
		const whole = await onRanks(2, settings);
		const dir = join(root, "stopped");
		const stopped = await onRanks(2, { ...settings, out: dir, stopAfter: 17 });
		// Ranks learn of it with the next step.
		expect(stopped.map(({ history, losses }) => [history.stopped, losses.length])).toEqual([
			["aborted", 18],
			["aborted", 18],
		]);
		const rest = await onRanks(2, { ...settings, resume: dir });
		expect([...stopped[0].losses, ...rest[0].losses]).toEqual(whole[0].losses);
		expect(rest[0].parameters).toBe(whole[0].parameters);
		const three = await onRanks(3, { ...settings, resume: dir });
		expect(three[0].losses).toHaveLength(48 - 18);
		expect(alone({ ...settings, resume: dir }).losses).toHaveLength(48 - 18);
	});
});
