import { expect, test } from "vitest";
import { onEachBackend } from "../../../test/support/backends.ts";
import { type Collective, lockstep } from "../../../test/support/lockstep.ts";
import "../../autograd/backward.ts";
import type { Communicator, Pending } from "../../communicator/communicator.ts";
import { singleProcess } from "../../communicator/single-process.ts";
import { tensor } from "../../ops/creation.ts";
import { scope } from "../../tensor/scope.ts";
import { liveTensors, type Tensor } from "../../tensor/tensor.ts";
import { GradientBuckets } from "./gradient-buckets.ts";

const leaf = (values: number[], name: string) => tensor(values, [values.length], { requiresGrad: true, name });
const gradients = (params: readonly Tensor[]) => params.map(({ grad }) => grad && [...grad.dataSync()]);

/** Gives the parameters these gradients, as backward does, from the last to the first. */
function backwardOf(buckets: GradientBuckets, params: readonly Tensor[], values: readonly (number[] | null)[]): void {
	buckets.begin();
	for (const [i, param] of [...params.entries()].reverse()) {
		const own = values[i];
		param.grad = own && tensor(own, [own.length]);
		if (own) buckets.ready(param);
	}
}

onEachBackend("gradient buckets", ({ exact }) => {
	const bytes = exact ? 8 : 4;
	const params = () => [leaf([0, 0], "a"), leaf([0], "b"), leaf([0, 0, 0, 0, 0], "c"), leaf([0, 0], "d")];

	/** What three ranks end with: rank r has (r + 1) times these gradients. */
	const sums = (values: (number[] | null)[], bucketBytes: number, absent: (rank: number, i: number) => boolean) => {
		const log: Collective[] = [];
		const ends = lockstep(
			3,
			(communicator) =>
				scope(() => {
					const own = params();
					const buckets = new GradientBuckets(own, communicator, bucketBytes);
					const scaled = values.map((of, i) => {
						return absent(communicator.rank, i) ? null : (of?.map((value) => value * (communicator.rank + 1)) ?? null);
					});
					backwardOf(buckets, own, scaled);
					buckets.finish();
					return gradients(own);
				}),
			log,
		);
		return { ends, log };
	};

	test.each([1, 3 * bytes, 1000])("every rank has the sums, in buckets of %i bytes", (bucketBytes) => {
		const { ends } = sums([[1, 2], [3], [4, 5, 6, 7, 8], [9, 10]], bucketBytes, () => false);
		for (const end of ends) expect(end).toEqual([[6, 12], [18], [24, 30, 36, 42, 48], [54, 60]]);
	});

	test("a gradient that some ranks have not counts as zeros, one that none has stays null", () => {
		for (const bucketBytes of [1, 1000]) {
			const values = [[1, 2], null, [4, 5, 6, 7, 8], null];
			const { ends } = sums(values, bucketBytes, (rank, i) => i === 2 && rank !== 1);
			for (const end of ends) expect(end).toEqual([[6, 12], null, [8, 10, 12, 14, 16], null]);
		}
	});

	test("buckets are cut from the last parameter to the first, and one large gradient has its own", () => {
		scope(() => {
			expect(new GradientBuckets(params(), singleProcess(), 3 * bytes).sizes).toEqual([2, 5, 3]);
			expect(new GradientBuckets(params(), singleProcess(), 1).sizes).toEqual([2, 5, 1, 2]);
			expect(new GradientBuckets(params(), singleProcess(), 1000).sizes).toEqual([10]);
		});
	});

	test("a bucket starts when it is full and those before it have started; nothing is left behind", () => {
		const before = liveTensors();
		scope(() => {
			const own = params();
			const started: number[] = [];
			const pending: Pending = { test: () => true, wait: () => {} };
			const recording: Communicator = Object.assign(Object.create(singleProcess()), {
				iallreduce: (values: Float32Array) => {
					started.push(values.length);
					return pending;
				},
			});
			const buckets = new GradientBuckets(own, recording, 3 * bytes);
			buckets.begin();
			const ready = (i: number) => {
				own[i].grad = tensor(Array.from({ length: own[i].size }, () => 1));
				buckets.ready(own[i]);
				return [...started];
			};
			// c's bucket is full before d's.
			expect(ready(2)).toEqual([]);
			expect(ready(3)).toEqual([2, 5]);
			expect(ready(0)).toEqual([2, 5]);
			// The last also tells who has which gradient.
			expect(ready(1)).toEqual([2, 5, 3 + 4]);
			buckets.finish();
			expect(started).toHaveLength(3);
			for (const { grad } of own) grad?.dispose();
		});
		expect(liveTensors()).toBe(before);
	});
});

test("a trace shows each bucket from its start until it was done", async () => {
	const { startTrace, stopTrace } = await import("../../trace.ts");
	scope(() => {
		const own = [leaf([1], "a"), leaf([2], "b")];
		const buckets = new GradientBuckets(own, singleProcess(), 1);
		startTrace();
		backwardOf(buckets, own, [[1], [2]]);
		buckets.finish();
		expect(stopTrace().map(({ kind, name }) => [kind, name])).toEqual([
			["reduction", "gradients, bucket 1 of 2"],
			["reduction", "gradients, bucket 2 of 2"],
		]);
	});
});
