// Ranks against one process with all their examples: outputs, gradients, running statistics, and what is sent.

import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, withBackend } from "../../../../test/support/backends.ts";
import { expectSameBits } from "../../../../test/support/bits.ts";
import { type Collective, lockstep } from "../../../../test/support/lockstep.ts";
import "../../../autograd/backward.ts";
import type { Backend } from "../../../backend/backend.ts";
import { init } from "../../../backend/init.ts";
import type { Communicator } from "../../../communicator/communicator.ts";
import { singleProcess } from "../../../communicator/single-process.ts";
import { EvenkeelError } from "../../../errors.ts";
import { Generator } from "../../../random/generator.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { full, tensor, zeros } from "../../creation.ts";
import { add } from "../../elementwise/op.ts";
import { slice } from "../../shape/op.ts";
import { batchNorm } from "../batch-norm/op.ts";
import { type SyncBatchNormOptions, syncBatchNorm } from "./op.ts";

const normal = (shape: readonly number[], seed: number, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);

const buffers = (channels: number) => ({ runningMean: zeros([channels]), runningVar: full([channels], 1) });

type Results = Record<"y" | "dx" | "dweight" | "dbias" | "runningMean" | "runningVar", number[]>;

interface Setting {
	shape: readonly number[];
	mean?: number;
	/** Adds x̂ to the cotangent, so that much flows through the variance. */
	along?: boolean;
	options?: SyncBatchNormOptions;
}

/** Forward and backward of rows `from` to `to` of the whole batch. */
function run(
	{ shape, mean = 0, along = false, options = {} }: Setting,
	from: number,
	to: number,
	communicator?: Communicator,
): Results {
	const channels = shape[options.channelAxis === -1 ? shape.length - 1 : 1];
	const rows = (whole: Tensor) => tensor(slice(whole, 0, from, to).dataSync(), [to - from, ...shape.slice(1)]);
	const x = rows(normal(shape, 1, mean)).setRequiresGrad();
	const weight = normal([channels], 2, 1, 0.2).setRequiresGrad();
	const bias = normal([channels], 3).setRequiresGrad();
	const running = buffers(channels);
	const given = { weight, bias, ...running, training: true, ...options };
	const y = communicator ? syncBatchNorm(x, { ...given, communicator }) : batchNorm(x, given);
	const dy = normal(shape, 4);
	y.backward(rows(along ? add(dy, normal(shape, 1)) : dy));
	const all = { y, dx: x.grad, dweight: weight.grad, dbias: bias.grad, ...running };
	const numbers = (t: Tensor | null) => Array.from(t?.dataSync() ?? []);
	return {
		...{ y: numbers(all.y), dx: numbers(all.dx), dweight: numbers(all.dweight), dbias: numbers(all.dbias) },
		...{ runningMean: numbers(all.runningMean), runningVar: numbers(all.runningVar) },
	};
}

/** The same on ranks with so many rows each. */
function runRanks(setting: Setting, ranks: readonly number[], log?: Collective[]): Results[] {
	return lockstep(
		ranks.length,
		(communicator) => {
			const from = ranks.slice(0, communicator.rank).reduce((a, b) => a + b, 0);
			return run(setting, from, from + ranks[communicator.rank], communicator);
		},
		log,
	);
}

/** The ranks' results as those of one process: rows one after the other, gradients of parameters added up. */
function together(ranks: readonly Results[]): Results {
	const sum = (key: keyof Results) =>
		ranks[0][key].map((_, i) => ranks.reduce((total, rank) => total + rank[key][i], 0));
	return {
		...{
			y: ranks.flatMap(({ y }) => y),
			dx: ranks.flatMap(({ dx }) => dx),
			dweight: sum("dweight"),
			dbias: sum("dbias"),
		},
		...{ runningMean: ranks[0].runningMean, runningVar: ranks[0].runningVar },
	};
}

function expectClose(actual: Results, expected: Results, limit: number): void {
	for (const [key, values] of Object.entries(expected)) {
		const own = Object.entries(actual).find(([name]) => name === key)?.[1] ?? [];
		expect(own.length, key).toBe(values.length);
		const difference = length(values.map((value, i) => value - own[i]));
		expect(difference / Math.max(length(values), Number.MIN_VALUE), key).toBeLessThan(limit);
	}
}

const length = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

onEachBackend("syncBatchNorm", ({ exact }) => {
	const limit = exact ? 1e-12 : 2e-6;

	test.each<[string, Setting, number[]]>([
		["[N, C]", { shape: [8, 5] }, [4, 4]],
		["uneven", { shape: [9, 5] }, [3, 5, 1]],
		["one rank has none", { shape: [9, 3, 4, 5] }, [4, 0, 5]],
		["the first has none, one has all", { shape: [6, 3, 7] }, [0, 6, 0]],
		["one example a rank", { shape: [4, 3] }, [1, 1, 1, 1]],
		["channels last", { shape: [6, 3, 4, 5], options: { channelAxis: -1 } }, [4, 2]],
		[
			"biased, decay",
			{ shape: [9, 2, 3, 3, 2], options: { runningVariance: "biased", decay: 0.7, eps: 1e-3 } },
			[4, 5],
		],
	])("is batch norm of all examples: %s", (_, setting, ranks) => {
		const results = runRanks(setting, ranks);
		expectClose(together(results), run(setting, 0, setting.shape[0]), limit);
		for (const { runningMean, runningVar } of results) {
			expect({ runningMean, runningVar }).toEqual({
				runningMean: results[0].runningMean,
				runningVar: results[0].runningVar,
			});
		}
	});

	test("a mean of 10,000 deviations does not drown the variance", () => {
		const setting = { shape: [24, 3, 5], mean: 10_000, along: true };
		const actual = together(runRanks(setting, [7, 9, 8]));
		const expected = run(setting, 0, 24);
		expectClose(actual, expected, exact ? 1e-7 : 1e-4);
		expectClose({ ...actual, dx: [] }, { ...expected, dx: [] }, exact ? 1e-9 : 1e-5);
	});

	test("a communicator of one rank, none, and evaluation: batch norm, the same bits and no message", () => {
		const setting = { shape: [6, 4, 5] };
		const expected = run(setting, 0, 6);
		expect(run(setting, 0, 6, singleProcess())).toEqual(expected);
		const log: Collective[] = [];
		const evaluated = runRanks({ ...setting, options: { training: false } }, [3, 3], log);
		expect(log).toEqual([]);
		expect(together(evaluated).y).toEqual(run({ ...setting, options: { training: false } }, 0, 6).y);
		const x = normal([6, 4], 1);
		expect(syncBatchNorm(x, { training: true }).dataSync()).toEqual(batchNorm(x, { training: true }).dataSync());
	});

	test("a layer sends 2 C + 1 numbers a rank, and adds up 2 C", () => {
		const log: Collective[] = [];
		runRanks({ shape: [9, 5, 3] }, [4, 0, 5], log);
		const sizes = log.map(({ name, contributions }) => [name, contributions.map((sent) => sent?.byteLength)]);
		expect(sizes).toEqual([
			["allgather", [88, 88, 88]],
			["allreduce", [80, 80, 80]],
		]);
		const rows = log[0].contributions.map((sent) => sent?.at(-1));
		expect(rows).toEqual([12, 0, 15]);
	});

	test("x that wants no gradient saves the second", () => {
		const log: Collective[] = [];
		const gradients = lockstep(
			2,
			(communicator) => {
				const bias = zeros([2]).setRequiresGrad();
				syncBatchNorm(normal([3, 2], communicator.rank), { bias, communicator, training: true }).backward(
					full([3, 2], 1),
				);
				return [...(bias.grad?.dataSync() ?? [])];
			},
			log,
		);
		expect(log.map(({ name }) => name)).toEqual(["allgather"]);
		expect(gradients).toEqual([
			[3, 3],
			[3, 3],
		]);
	});

	/** What each rank is told, and its running mean afterwards. */
	const refusals = (batches: readonly Tensor[]) =>
		lockstep(batches.length, (communicator) => {
			const running = buffers(2);
			let said = "nothing";
			try {
				syncBatchNorm(batches[communicator.rank], { ...running, communicator, training: true, name: "bn1" });
			} catch (error) {
				if (!(error instanceof EvenkeelError)) throw error;
				said = error.message;
			}
			return { said, mean: [...running.runningMean.dataSync()], variance: [...running.runningVar.dataSync()] };
		});

	test.each([Number.NaN, Number.POSITIVE_INFINITY])("%s on one rank is refused by all, and leaves no trace", (bad) => {
		const results = refusals([normal([3, 2], 1), tensor([1, 2, 3, bad], [2, 2]), normal([1, 2], 3)]);
		const elsewhere = /^bn1: channel 1 of the batch of rank 1 holds NaN, infinity.*Rank 1 says where$/;
		expect(results.map(({ said }) => said)).toEqual([
			expect.stringMatching(elsewhere),
			expect.stringMatching(`^rank 1: bn1: channel 1 of the batch holds ${bad} in example 1;`),
			expect.stringMatching(elsewhere),
		]);
		for (const { mean, variance } of results)
			expect([mean, variance]).toEqual([
				[0, 0],
				[1, 1],
			]);
	});

	test("one value a channel on all ranks together is refused by all", () => {
		for (const { said } of refusals([zeros([0, 2]), full([1, 2], 3)])) {
			expect(said).toMatch(
				/^bn1: training needs more than one value a channel, and the batches of all 2 ranks together/,
			);
		}
	});

	test("no examples anywhere change nothing", () => {
		for (const { said, mean, variance } of refusals([zeros([0, 2]), zeros([0, 2])])) {
			expect([said, mean, variance]).toEqual(["nothing", [0, 0], [1, 1]]);
		}
		const empty = runRanks({ shape: [0, 3] }, [0, 0]);
		expect(empty[0]).toMatchObject({ y: [], dx: [], dweight: [0, 0, 0], dbias: [0, 0, 0] });
	});

	test("taken is called where the running statistics were, also on a rank without examples", () => {
		const counts = lockstep(2, (communicator) => {
			let count = 0;
			const taken = () => count++;
			const x = communicator.rank === 0 ? zeros([0, 2]) : normal([4, 2], 1);
			syncBatchNorm(x, { ...buffers(2), communicator, training: true, taken });
			syncBatchNorm(x, { communicator, training: true, taken });
			syncBatchNorm(zeros([0, 2]), { ...buffers(2), communicator, training: true, taken });
			return count;
		});
		expect(counts).toEqual([1, 1]);
	});

	test.each<[string, () => SyncBatchNormOptions, RegExp]>([
		["weight", () => ({ weight: zeros([4]) }), /bn1: weight has shape \[4\], expected \[3\]/],
		["half of the statistics", () => ({ runningMean: zeros([3]) }), /bn1: runningMean and runningVar come together/],
		["eps", () => ({ eps: -1 }), /bn1: eps must be at least 0, got -1/],
		["both conventions", () => ({ momentum: 0.1, decay: 0.9 }), /bn1: momentum .* were both given/],
		["the batch's axis", () => ({ channelAxis: 0 }), /bn1: channelAxis 0 is the batch's/],
	])("bad input: %s", (_, options, message) => {
		const call = () =>
			lockstep(2, (communicator) =>
				syncBatchNorm(zeros([4, 3]), { ...options(), communicator, training: true, name: "bn1" }),
			);
		expect(call).toThrow(message);
	});
});

test("gradients of the ranks' losses together, by finite differences in float64", async () => {
	await init({ backend: "reference" });
	const shape = [6, 2, 3];
	const ranks = [2, 1, 0, 3];
	const values = normal(shape, 1).dataSync();
	const cotangent = normal(shape, 4).dataSync();
	const outputs = (data: ArrayLike<number>) =>
		lockstep(ranks.length, (communicator) => {
			const from = ranks.slice(0, communicator.rank).reduce((a, b) => a + b, 0) * 6;
			const own = Array.from(data).slice(from, from + ranks[communicator.rank] * 6);
			return [
				...syncBatchNorm(tensor(own, [ranks[communicator.rank], 2, 3]), { communicator, training: true }).dataSync(),
			];
		}).flat();
	const loss = (data: ArrayLike<number>) => outputs(data).reduce((sum, y, i) => sum + y * cotangent[i], 0);
	const found = together(runRanks({ shape, options: { weight: null, bias: null } }, ranks)).dx;
	const step = 1e-5;
	for (let i = 0; i < values.length; i++) {
		const moved = (by: number) => Array.from(values, (value, k) => (k === i ? value + by : value));
		expect(found[i]).toBeCloseTo((loss(moved(step)) - loss(moved(-step))) / (2 * step), 6);
	}
});

describe("on shapes that are cut into chunks", () => {
	let backends: { reference: Backend; wasm: Backend };
	beforeAll(async () => {
		backends = await bothBackends();
	});

	test.each([
		{ shape: [40, 6, 24, 24], ranks: [15, 25] },
		{ shape: [300, 131], ranks: [100, 0, 200] },
		{ shape: [2300, 256], ranks: [1100, 1200] },
		{ shape: [5, 3, 70, 61], ranks: [2, 3] },
	])("wasm against the float64 reference: $shape as $ranks", ({ shape, ranks }) => {
		const expected = withBackend(backends.reference, () => run({ shape }, 0, shape[0]));
		const actual = withBackend(backends.wasm, () => together(runRanks({ shape }, ranks)));
		expectClose(actual, expected, 3e-6);
	});

	test.each([
		{ shape: [40, 6, 24, 24], ranks: [15, 25] },
		{ shape: [2300, 256], ranks: [1100, 1200] },
	])("the same bits on 1, 2 and 3 threads: $shape", ({ shape, ranks }) =>
		expectSameBits(() => runRanks({ shape }, ranks).flatMap((results) => Object.values(results))),
	);
});
