// N ranks with a share of each batch against one process with all of it, over fifty steps.

import { beforeAll, describe, expect, test } from "vitest";
import { launchers, runRanks } from "../support/ranks.ts";

/** As programs/training.mjs reports it. */
interface Trained {
	losses: number[];
	synchronized: number;
	weights: string;
	gradients: Record<string, number[]>;
	statistics: Record<string, number[]>;
}

type Shares = readonly (readonly number[])[];

async function train(
	kind: string,
	mode: "sync" | "batch",
	shares: Shares,
	launcher = launchers[0],
): Promise<Trained[]> {
	const ranks = shares[0].length;
	const args = [kind, mode, JSON.stringify(shares)];
	const { code, stderr, ranks: found } = await runRanks("training", { launcher, ranks, args });
	expect(code, stderr).toBe(0);
	return found as Trained[];
}

/** The largest difference between two records of numbers. */
function difference(a: Record<string, number[]>, b: Record<string, number[]>): number {
	expect(Object.keys(a)).toEqual(Object.keys(b));
	return Math.max(...Object.keys(a).flatMap((name) => a[name].map((value, i) => Math.abs(value - b[name][i]))));
}

/** 24 examples a step; every tenth batch is the last of its epoch and has 11. */
const alone: Shares = [[24], [11]];
const splits: [string, Shares][] = [
	[
		"two ranks of 12, last batches of 5 and 6",
		[
			[12, 12],
			[5, 6],
		],
	],
	[
		"three uneven ranks, of which one has none of the last batches",
		[
			[9, 10, 5],
			[6, 0, 5],
		],
	],
];

describe.skipIf(launchers.length === 0).each(["mlp", "lenet"])("%s", (kind) => {
	let one: Trained;
	beforeAll(async () => {
		[one] = await train(kind, "batch", alone);
		expect(one.losses.at(-1)).toBeLessThan(0.3 * one.losses[0]);
	});

	test("one rank, synchronized, is one process, bit for bit", async () => {
		const [sync] = await train(kind, "sync", alone);
		expect({ ...sync, synchronized: 0 }).toEqual(one);
	});

	test.each(splits)("synchronized: %s", async (_, shares) => {
		const ranks = await train(kind, "sync", shares);
		for (const rank of ranks) {
			for (const [step, loss] of rank.losses.entries()) expect(Math.abs(loss - one.losses[step])).toBeLessThan(1e-5);
			expect(difference(rank.gradients, one.gradients)).toBeLessThan(1e-5);
			expect(difference(rank.statistics, one.statistics)).toBeLessThan(1e-5);
			// The same bits on every rank.
			expect(rank).toEqual(ranks[0]);
		}
	});

	test("not synchronized: each rank has running statistics of its own, and the losses are others", async () => {
		const [first, second] = await train(kind, "batch", splits[0][1]);
		expect([first.synchronized, second.synchronized]).toEqual([0, 0]);
		expect(first.weights).toBe(second.weights);
		expect(difference(first.statistics, second.statistics)).toBeGreaterThan(0.05);
		const furthest = Math.max(...first.losses.map((loss, step) => Math.abs(loss - one.losses[step])));
		expect(furthest).toBeGreaterThan(1e-2);
	});
});

test.skipIf(launchers.length < 2)("over either MPI it is the same training", async () => {
	const [first, second] = launchers;
	const [[one], [other]] = [
		await train("mlp", "sync", splits[0][1], first),
		await train("mlp", "sync", splits[0][1], second),
	];
	expect(difference({ losses: one.losses }, { losses: other.losses })).toBeLessThan(1e-5);
	expect(difference(one.statistics, other.statistics)).toBeLessThan(1e-5);
});
