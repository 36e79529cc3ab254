import { beforeAll, expect, test } from "vitest";
import { init } from "../../backend/init.ts";
import { decodeSafetensors } from "../../model-files/safetensors.ts";
import * as nn from "../../nn/index.ts";
import { tensor, zeros } from "../../ops/creation.ts";
import { encodeWeights } from "../../train/index.ts";
import { averageWeights } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

const stateOf = (weight: number[], count: number) => ({
	weight: tensor(weight),
	num_batches_tracked: tensor([count], [], { dtype: "int32" }),
});

test("the mean of tensors, of files, and by weights; counts are the last one's", () => {
	const states = [stateOf([1, 2], 3), stateOf([4, 6], 8)];
	const mean = averageWeights(states);
	expect([...mean.weight.dataSync()]).toEqual([2.5, 4]);
	expect([mean.num_batches_tracked.item(), mean.num_batches_tracked.dtype]).toEqual([8, "int32"]);
	expect([...averageWeights(states, [3, 1]).weight.dataSync()]).toEqual([1.75, 3]);
	const file = decodeSafetensors(
		encodeWeights({
			weight: { dtype: "F32", shape: [2], data: Float32Array.of(3, 0) },
			num_batches_tracked: { dtype: "I32", shape: [], data: Int32Array.of(5) },
		}),
	).tensors;
	const mixed = averageWeights([states[0], file]);
	expect([[...mixed.weight.dataSync()], mixed.num_batches_tracked.item()]).toEqual([[2, 1], 5]);
});

test("nearly equal numbers keep their last digits", () => {
	const states = Array.from({ length: 1000 }, () => ({ x: tensor([1 + 2 ** -23]) }));
	expect(averageWeights(states).x.item()).toBe(1 + 2 ** -23);
});

test("a network takes the result", () => {
	const [a, b] = [new nn.BatchNorm1d(2), new nn.BatchNorm1d(2)];
	a.weight?.view().fill(3);
	b.runningVar?.view().fill(5);
	const net = new nn.BatchNorm1d(2);
	net.loadStateDict(averageWeights([a.stateDict(), b.stateDict()]));
	expect([net.weight?.dataSync()[0], net.runningVar?.dataSync()[0]]).toEqual([2, 3]);
});

test("what does not go together", () => {
	const one = stateOf([1, 2], 1);
	expect(() => averageWeights([])).toThrow(/nothing to average/);
	expect(() => averageWeights([one, { weight: zeros([2]) }])).toThrow(
		/"num_batches_tracked" is in one of the state dicts 0 and 1/,
	);
	expect(() => averageWeights([{ weight: zeros([2]) }, one])).toThrow(/"num_batches_tracked" is in one/);
	expect(() => averageWeights([one, stateOf([1], 1)])).toThrow(/"weight" is \[2\] in state dict 0 and \[1\] in 1/);
	for (const weights of [[1], [0, 0], [1, -1], [1, Number.NaN]]) {
		expect(() => averageWeights([one, one], weights)).toThrow(/weights must be 2 numbers of at least 0/);
	}
});
