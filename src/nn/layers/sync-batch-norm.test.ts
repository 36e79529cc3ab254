// What the layer adds to its op: when it synchronizes, what it counts, and that alone it is batch norm.

import { describe, expect, test } from "vitest";
import { onEachBackend } from "../../../test/support/backends.ts";
import { type Collective, lockstep } from "../../../test/support/lockstep.ts";
import "../../autograd/backward.ts";
import type { Communicator } from "../../communicator/communicator.ts";
import { singleProcess } from "../../communicator/single-process.ts";
import { tensor } from "../../ops/creation.ts";
import { Generator } from "../../random/generator.ts";
import { Sequential } from "../containers.ts";
import type { Module } from "../module.ts";
import { ReLU, Sigmoid } from "./activation.ts";
import { BatchNorm1d, BatchNorm2d } from "./batch-norm.ts";
import { AvgPool2d } from "./pool.ts";
import { SyncBatchNorm } from "./sync-batch-norm.ts";

const normal = (shape: readonly number[], seed: number) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), 1, 2), shape);
const values = (t: { dataSync(): ArrayLike<number> } | null) => Array.from(t?.dataSync() ?? []);
const state = (net: Module) => Object.entries(net.stateDict()).map(([name, t]) => [name, values(t)]);

/** Two training steps and an evaluation: outputs, gradients, state. */
function run(net: Module): unknown[] {
	const seen: unknown[] = [];
	for (const seed of [1, 2]) {
		const x = normal([4, 3, 2, 5], seed).setRequiresGrad();
		const y = net.forward(x);
		y.backward(normal([4, 3, 2, 5], 9));
		seen.push(values(y), values(x.grad), ...net.parameters().map(({ grad }) => values(grad)));
	}
	net.eval();
	return [...seen, values(net.forward(normal([4, 3, 2, 5], 3))), state(net)];
}

onEachBackend("SyncBatchNorm", () => {
	test.each<[string, Communicator | null]>([
		["without a communicator", null],
		["on one rank", singleProcess()],
	])("%s it is BatchNorm, bit for bit, an activation behind it too", (_, communicator) => {
		expect(run(new SyncBatchNorm(3, { communicator }))).toEqual(run(new BatchNorm2d(3)));
		const followed = (norm: Module) => run(new Sequential(norm, new ReLU()));
		expect(followed(new SyncBatchNorm(3, { communicator }))).toEqual(followed(new BatchNorm2d(3)));
		const options = { momentum: null, eps: 1e-3, affine: false, runningVariance: "biased" } as const;
		expect(run(new SyncBatchNorm(3, { ...options, communicator }))).toEqual(run(new BatchNorm2d(3, options)));
	});

	test("on several ranks every rank counts and tracks alike, one without examples too", () => {
		const whole = normal([6, 3], 1);
		const states = lockstep(3, (communicator) => {
			const norm = new SyncBatchNorm(3, { communicator, momentum: null });
			const rows = [4, 0, 2][communicator.rank];
			const from = [0, 4, 4][communicator.rank] * 3;
			norm.forward(tensor(whole.dataSync().slice(from, from + rows * 3), [rows, 3]));
			norm.forward(normal([rows, 3], 2));
			norm.forward(normal([0, 3], 3));
			return state(norm);
		});
		expect(states[1]).toEqual(states[0]);
		expect(states[2]).toEqual(states[0]);
		expect(states[0].map(([name]) => name)).toEqual(Object.keys(new BatchNorm1d(3).stateDict()));
		expect(Object.fromEntries(states[0]).num_batches_tracked).toEqual([2]);
	});

	test("an activation and an average that a Sequential fuses come after the ranks' statistics", () => {
		const outputs = (fused: boolean) =>
			lockstep(2, (communicator) => {
				const norm = new SyncBatchNorm(3, { communicator });
				const x = normal([3, 3, 4, 5], communicator.rank);
				const [sigmoid, pool] = [new Sigmoid(), new AvgPool2d(2)];
				if (fused) return values(new Sequential(norm, sigmoid, pool).forward(x));
				return values(pool.forward(sigmoid.forward(norm.forward(x))));
			});
		expect(outputs(true)).toEqual(outputs(false));
	});

	test("in evaluation, and frozen, ranks do not wait for one another", () => {
		const log: Collective[] = [];
		lockstep(
			2,
			(communicator) => {
				const norm = new SyncBatchNorm(3, { communicator });
				norm.eval().forward(normal([1, 3], communicator.rank));
				norm.train();
				norm.freeze().forward(normal([1, 3], communicator.rank));
				const untracked = new SyncBatchNorm(3, { communicator, trackRunningStats: false });
				untracked.eval().forward(normal([4, 3], communicator.rank));
			},
			log,
		);
		expect(log).toEqual([]);
	});

	test("the communicator may be set later, and taken away", () => {
		const log: Collective[] = [];
		lockstep(
			2,
			(communicator) => {
				const norm = new SyncBatchNorm(3);
				norm.forward(normal([4, 3], 1));
				norm.communicator = communicator;
				norm.forward(normal([4, 3], 1));
				norm.communicator = null;
				norm.forward(normal([4, 3], 1));
			},
			log,
		);
		expect(log.map(({ name }) => name)).toEqual(["allgather"]);
	});
});

describe("what it takes", () => {
	onEachBackend("shapes", () => {
		test.each<[1 | 2 | 3 | undefined, number[], RegExp | null]>([
			[undefined, [2, 3], null],
			[undefined, [2, 3, 2, 2, 2], null],
			[undefined, [3], /SyncBatchNorm: expected \[N, C\] or \[N, C, L\] or \[N, C, H, W\] or \[N, C, D, H, W\]/],
			[1, [2, 3, 4], null],
			[1, [2, 3, 4, 4], /expected \[N, C\] or \[N, C, L\], got shape \[2, 3, 4, 4\]/],
			[2, [2, 3, 4, 4], null],
			[2, [2, 3], /expected \[N, C, H, W\], got shape \[2, 3\]/],
			[3, [2, 4, 1, 1, 2], /expected 3 channels at axis 1/],
		])("dimensions %s, shape %j", (dimensions, shape, message) => {
			const call = () => new SyncBatchNorm(3, { dimensions }).forward(normal(shape, 1));
			if (message) expect(call).toThrow(message);
			else expect(call().shape).toEqual(shape);
		});

		test("no mask on several ranks, and no other number of dimensions", () => {
			const mask = tensor([1, 0], [2]);
			const four: number = 4;
			expect(() => new SyncBatchNorm(3, { dimensions: four as 1 })).toThrow("dimensions is 1, 2 or 3, got 4");
			expect(new SyncBatchNorm(3).forward(normal([4, 3], 1), tensor([1, 1, 1, 0])).shape).toEqual([4, 3]);
			expect(() =>
				lockstep(2, (communicator) => new SyncBatchNorm(3, { communicator }).forward(normal([2, 3], 1), mask)),
			).toThrow(/SyncBatchNorm: it takes no mask on several ranks; leave padding out/);
		});
	});
});
