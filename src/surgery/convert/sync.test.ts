// Batch norm to synchronized batch norm, in place, and back.

import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../../backend/init.ts";
import { singleProcess } from "../../communicator/single-process.ts";
import * as nn from "../../nn/index.ts";
import { tensor } from "../../ops/creation.ts";
import { Generator, manualSeed } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { convertNorms, convertSyncBatchNorm, inspectNorms } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
	manualSeed(5);
});

const normal = (shape: readonly number[], seed = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1))), shape);
const values = (t: Tensor | null) => Array.from(t?.dataSync() ?? []);
const state = (net: nn.Module) => Object.entries(net.stateDict()).map(([name, t]) => [name, values(t)]);
const names = (net: nn.Module) =>
	net
		.modules()
		.map((module) => module.constructor.name)
		.filter((name) => /norm/i.test(name));

/** Every kind of batch norm, after two batches. */
function network(): nn.Sequential {
	const net = new nn.Sequential(
		new nn.Conv2d(1, 4, 3),
		new nn.BatchNorm2d(4, { momentum: null, runningVariance: "biased", eps: 1e-3 }),
		new nn.ReLU(),
		new nn.Flatten(),
		new nn.Linear(16, 6),
		new nn.BatchNorm1d(6, { bias: false, decay: 0.5 }),
		new nn.GroupNorm(2, 6),
		new nn.BatchNorm1d(6, { trackRunningStats: false, affine: false }),
		new nn.BatchNorm1d(6).freeze(),
	);
	for (const seed of [1, 2]) net.forward(normal([5, 1, 4, 4], seed));
	return net;
}

describe("convertSyncBatchNorm", () => {
	test("keeps parameters, statistics, options, modes and names, and batch norms' bits", () => {
		const [net, twin] = [network(), network()];
		twin.loadStateDict(net.stateDict());
		net.at(5)?.eval();
		twin.at(5)?.eval();
		const parameters = [...net.namedParameters()];
		const communicator = singleProcess();
		expect(convertSyncBatchNorm(net, communicator)).toBe(4);
		expect(names(net)).toEqual(["SyncBatchNorm", "SyncBatchNorm", "GroupNorm", "SyncBatchNorm", "SyncBatchNorm"]);
		for (const [i, [name, parameter]] of [...net.namedParameters()].entries()) {
			expect(name).toBe(parameters[i][0]);
			expect(parameter).toBe(parameters[i][1]);
		}
		expect(state(net)).toEqual(state(twin));
		const [first, second, untracked, frozen] = net.modules().filter((module) => module instanceof nn.SyncBatchNorm);
		expect(first).toMatchObject({ momentum: null, runningVariance: "biased", eps: 1e-3, dimensions: 2, communicator });
		expect(second).toMatchObject({ momentum: 0.5, bias: null, training: false, dimensions: 1, communicator });
		expect(untracked).toMatchObject({ trackRunningStats: false, weight: null, runningMean: null });
		expect(frozen).toMatchObject({ frozen: true });
		expect(frozen.weight?.requiresGrad).toBe(false);
		const x = normal([5, 1, 4, 4], 3);
		expect(values(net.forward(x))).toEqual(values(twin.forward(x)));
		expect(state(net)).toEqual(state(twin));
	});

	test("what is synchronized already gets the communicator; other norms stay", () => {
		const net = new nn.Sequential(new nn.SyncBatchNorm(2), new nn.SwitchableNorm1d(2), new nn.BatchRenorm1d(2));
		const communicator = singleProcess();
		expect(convertSyncBatchNorm(net, communicator)).toBe(1);
		expect(net.at(0)).toMatchObject({ communicator });
		expect(names(net)).toEqual(["SyncBatchNorm", "SwitchableNorm1d", "BatchRenorm1d"]);
		convertSyncBatchNorm(net, null);
		expect(net.at(0)).toMatchObject({ communicator: null });
	});

	test.each<[string, () => nn.Module, RegExp]>([
		["the network itself", () => new nn.BatchNorm1d(2), /^convertSyncBatchNorm: .*it is the network itself/],
		["a lazy one", () => new nn.Sequential(new nn.LazyBatchNorm1d()), /has not seen its first input/],
	])("refused: %s", (_, build, message) => {
		const net = build();
		const before = names(net);
		expect(() => convertSyncBatchNorm(net, null)).toThrow(message);
		expect(names(net)).toEqual(before);
	});
});

describe("convertNorms", () => {
	test('to "sync" and back is exact', async () => {
		const net = network().eval();
		const x = normal([5, 1, 4, 4], 3);
		const only = (layer: nn.Module) => !(layer instanceof nn.GroupNorm);
		const [before, classes] = [values(net.forward(x)), names(net)];
		const report = await convertNorms(net, { to: "sync", communicator: singleProcess(), only });
		expect(report).toMatchObject({ exact: true, needs: "nothing", parametersChanged: false });
		expect(report.converted.map(({ to }) => to)).toEqual([
			"SyncBatchNorm",
			"SyncBatchNorm",
			"SyncBatchNorm",
			"SyncBatchNorm",
		]);
		expect(values(net.forward(x))).toEqual(before);
		expect((await convertNorms(net, { to: "sync", only })).converted).toEqual([]);
		const back = await convertNorms(net, { to: "batch", only });
		expect(back).toMatchObject({ exact: true, needs: "nothing", parametersChanged: false });
		expect([names(net), values(net.forward(x))]).toEqual([classes, before]);
		expect([net.at(1), net.at(5)]).toMatchObject([{ momentum: null }, { momentum: 0.5 }]);
	});

	test("from and to other norms, as batch norm", async () => {
		const net = new nn.Sequential(new nn.Linear(2, 16), new nn.BatchNorm1d(16, { virtualBatchSize: 4 }));
		const { converted } = await convertNorms(net, { to: "sync" });
		expect(converted[0].note).toBe("it had virtual batches, which that norm has not");
		await convertNorms(net, { to: "batch-renorm" });
		expect(names(net)).toEqual(["BatchRenorm1d"]);
		expect(await convertNorms(net, { to: "sync" })).toMatchObject({ exact: true });
		expect(net.at(1)).toMatchObject({ momentum: 0.1, dimensions: 1, communicator: null });
		await convertNorms(net, { to: "frozen-affine" });
		await convertNorms(net, { to: "sync" });
		expect(names(net)).toEqual(["SyncBatchNorm"]);
	});
});

test("inspect counts the batch of all replicas for a synchronized norm, and advises it", () => {
	const net = new nn.Sequential(new nn.Linear(2, 16), new nn.BatchNorm1d(16));
	const found = () => inspectNorms(net, { batchSize: 32, replicas: 8 }).filter(({ kind }) => kind === "small-batch");
	expect(found()[0].remedy).toMatch(/^synchronized batch norm \(convertSyncBatchNorm\), a larger batch/);
	convertSyncBatchNorm(net, null);
	expect(found()).toEqual([]);
});
