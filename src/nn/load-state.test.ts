import { beforeAll, expect, test } from "vitest";
import { init } from "../backend/init.ts";
import { decodeSafetensors, encodeSafetensors } from "../model-files/safetensors.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { Sequential } from "./containers.ts";
import { BatchNorm1d } from "./layers/batch-norm.ts";
import { Linear } from "./layers/linear.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

test("strict loading names what is missing, unexpected or of another shape, and changes nothing", () => {
	const net = new BatchNorm1d(3);
	const { weight, running_mean: _, ...rest } = net.stateDict();
	const dict = { ...rest, weight: zeros([4]), gamma: zeros([3]), bias: tensor([7, 7, 7]) };
	expect(() => net.loadStateDict(dict)).toThrow(
		"missing: running_mean · unexpected: gamma · of another shape: weight is [4], expected [3]",
	);
	expect([...(net.bias?.dataSync() ?? [])]).toEqual([0, 0, 0]);
	expect(() => net.loadStateDict({ bias: zeros([3]), weight }, { strict: true })).toThrow("{ strict: false }");
	expect(net.loadStateDict(dict, { strict: false })).toEqual({
		missing: ["running_mean"],
		unexpected: ["gamma"],
		mismatched: [{ name: "weight", shape: [4], expected: [3] }],
	});
	expect(net.loadStateDict({ bias: tensor([7, 7, 7]), x: weight }, { strict: false })).toEqual({
		missing: ["weight", "running_mean", "running_var"],
		unexpected: ["x"],
		mismatched: [],
	});
	expect([...(net.bias?.dataSync() ?? [])]).toEqual([7, 7, 7]);
});

test("a file without num_batches_tracked loads strictly, and the count starts at none", () => {
	const net = new BatchNorm1d(2);
	net.forward(tensor([1, 2, 3, 4], [2, 2]));
	const { num_batches_tracked: _, ...dict } = net.stateDict();
	expect(net.loadStateDict({ weight: dict.weight }, { strict: false }).missing).toHaveLength(3);
	expect(net.numBatchesTracked?.item()).toBe(1);
	expect(net.loadStateDict(dict).missing).toEqual([]);
	expect(net.numBatchesTracked?.item()).toBe(0);
});

test("what a file holds is loaded as it is: float64, float16, bfloat16, counts of 64 bits", () => {
	const bytes = encodeSafetensors({
		weight: { dtype: "F64", shape: [2], data: Float64Array.of(0.1, 2) },
		bias: { dtype: "F16", shape: [2], data: Float32Array.of(0.5, -3) },
		running_mean: { dtype: "BF16", shape: [2], data: Float32Array.of(0.25, 7) },
		running_var: { dtype: "F32", shape: [2], data: Float32Array.of(1.5, 2.5) },
		num_batches_tracked: { dtype: "I64", shape: [], data: BigInt64Array.of(12345n) },
	});
	const net = new BatchNorm1d(2);
	net.loadStateDict(decodeSafetensors(bytes).tensors);
	const state = Object.values(net.stateDict()).map((t) => [...t.dataSync()]);
	expect(state).toEqual([[Math.fround(0.1), 2], [0.5, -3], [0.25, 7], [1.5, 2.5], [12345]]);
});

test("values that cannot be had are refused, and nothing is changed", () => {
	const net = new Linear(2, 2, { bias: false });
	const before = net.weight.dataSync();
	const four = { weight: { dtype: "F4", shape: [2, 2], data: Uint8Array.of(1, 2) } } as const;
	expect(() => net.loadStateDict(decodeSafetensors(encodeSafetensors(four)).tensors)).toThrow(
		'loadStateDict: "weight" is F4, with which evenkeel does not compute',
	);
	expect(net.weight.dataSync()).toEqual(before);
	const norm = new BatchNorm1d(1);
	const counted = { num_batches_tracked: { shape: [], numbers: () => BigInt64Array.of(2n ** 31n) } };
	expect(() => norm.loadStateDict(counted, { strict: false })).toThrow(
		'"num_batches_tracked" holds 2147483648, which is no whole number of 32 bits',
	);
	expect(() => net.loadStateDict({ weight: { shape: [2, 2], numbers: () => [1] } })).toThrow(
		'loadStateDict: "weight" has 1 values, its shape says 4',
	);
});

test("names are listed by layer, all of them", () => {
	const net = new Sequential(new Linear(2, 2), new BatchNorm1d(2));
	expect(() => net.loadStateDict({ "0.weight": zeros([2, 2]), "9.a.x": zeros([1]), "9.a.y": zeros([1]) })).toThrow(
		"missing: 0.bias, 1.{weight, bias, running_mean, running_var} · unexpected: 9.a.{x, y}; { strict: false }",
	);
});

test.each([
	["module.", "PyTorch's DataParallel writes it"],
	["_orig_mod.", "torch.compile writes it"],
	["_orig_mod.module.", ""],
	["backbone.", ""],
])("names that begin with %s", (prefix, writer) => {
	const net = new Sequential(new Linear(2, 2), new BatchNorm1d(2));
	const dict = Object.fromEntries(Object.entries(net.stateDict()).map(([name, t]) => [prefix + name, t]));
	const all = { ...dict, "optimizer.step": zeros([1]) };
	expect(() => net.loadStateDict(all)).toThrow(
		`loadStateDict: the names begin with "${prefix}"${writer ? ` (${writer})` : ""}; load them with { prefix: "${prefix}" }`,
	);
	expect(net.loadStateDict(all, { prefix })).toEqual({ missing: [], unexpected: [], mismatched: [] });
	expect(() => net.loadStateDict(all, { prefix: "net." })).toThrow('no name begins with the prefix "net."');
});

test("a parameter of two layers may come under one of its names", () => {
	const [first, second] = [new Linear(2, 2, { bias: false }), new Linear(2, 2, { bias: false })];
	second.weight = first.weight;
	const net = new Sequential(first, second);
	expect(net.loadStateDict({ "1.weight": tensor([1, 2, 3, 4], [2, 2]) }).missing).toEqual([]);
	expect([...first.weight.dataSync()]).toEqual([1, 2, 3, 4]);
});
