// What a program without types may pass: each is refused by name, and nothing else goes wrong after it.

import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../backend/init.ts";
import { singleProcess } from "../index.ts";
import { InstanceNorm1d } from "../nn/layers/instance-norm.ts";
import { clipGradNorm } from "../optim/clip-grad-norm.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sigmoid } from "./activation/op.ts";
import { conv2d } from "./conv/op.ts";
import { ones, tensor, zeros } from "./creation.ts";
import { gatherRows } from "./gather/op.ts";
import { linear } from "./linear/op.ts";
import { crossEntropy } from "./loss/classes.ts";
import { batchNorm } from "./norm/batch-norm/op.ts";
import { batchRenorm } from "./norm/batch-renorm/op.ts";
import { filterResponseNorm } from "./norm/filter-response-norm/op.ts";
import { groupNorm } from "./norm/group-norm/op.ts";
import { instanceNorm } from "./norm/instance-norm/op.ts";
import { layerNorm } from "./norm/layer-norm/op.ts";
import { switchableNorm } from "./norm/switchable-norm/op.ts";
import { syncBatchNorm } from "./norm/sync-batch-norm/op.ts";
import { reshape } from "./shape/op.ts";

const anything = (value: unknown) => value as never;

describe.each(["wasm", "reference"] as const)("on %s", (backend) => {
	beforeAll(() => init({ backend, threads: 1 }));

	test.each(["bool", "int64", "float16", "toString"])("element type %s", (dtype) => {
		const refusal = `dtype is one of float32, float64, int32, uint8, got "${dtype}"`;
		expect(() => tensor([1, 0], [2], { dtype: anything(dtype) })).toThrow(refusal);
		expect(() => zeros([2], { dtype: anything(dtype) })).toThrow(refusal);
		const [a, b] = [ones([4]), zeros([4])];
		expect([...a.dataSync(), ...b.dataSync()]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
	});

	test.each<[string, () => unknown, string]>([
		["nothing for a weight", () => linear(ones([1, 2]), anything(undefined)), "expected a tensor, got undefined"],
		["an array for x", () => sigmoid(anything([1, 2])), "expected a tensor, got an array"],
		["a number for a bias", () => conv2d(ones([1, 1, 3, 3]), ones([1, 1, 1, 1]), anything(Number.NaN)), "got NaN"],
		["no labels", () => crossEntropy(ones([1, 2]), anything(undefined)), "crossEntropy: expected a tensor"],
		["a number for a shape", () => zeros(anything(3)), "a shape is a list of lengths, such as [2, 3], got 3"],
		["the same of reshape", () => reshape(ones([6]), anything(6)), "reshape: a shape is a list of lengths"],
		["no normalizedShape", () => layerNorm(ones([2, 2]), anything(undefined)), "normalizedShape: a shape is a list"],
		["an object for rows", () => gatherRows(ones([3, 2]), anything({})), "rows is a list of whole numbers"],
	])("%s", (_, call, message) => expect(call).toThrow(message));

	test("what a hook returns", () => {
		const y = sigmoid(tensor([1], [1], { requiresGrad: true }));
		y.registerHook(() => anything(3));
		expect(() => y.backward()).toThrow("what a hook returned: expected a tensor, got 3");
	});

	describe("norms take floating parameters only", () => {
		const whole = (...shape: number[]) => ones(shape, { dtype: "int32" });
		const x = () =>
			tensor(
				Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
				[2, 4, 4],
			);
		const running = () => ({ runningMean: zeros([4]), runningVar: ones([4]) });
		test.each<[string, () => Tensor]>([
			["batchNorm: weight", () => batchNorm(x(), { training: true, weight: whole(4) })],
			["batchNorm: runningMean", () => batchNorm(x(), { ...running(), runningMean: whole(4), training: true })],
			["batchRenorm: runningVar", () => batchRenorm(x(), { ...running(), runningVar: whole(4), training: true })],
			["layerNorm: bias", () => layerNorm(x(), 4, { bias: whole(4) })],
			["groupNorm: weight", () => groupNorm(x(), 2, { weight: whole(4) })],
			["instanceNorm: weight", () => instanceNorm(x(), { weight: whole(4) })],
			["filterResponseNorm: weight", () => filterResponseNorm(x(), { weight: whole(4) })],
			["switchableNorm: varWeight", () => switch3({ varWeight: whole(3) })],
		])("%s", (where, call) => expect(call).toThrow(`${where}: expected a floating tensor, got int32`));
		const switch3 = (options: object) =>
			switchableNorm(x(), { meanWeight: zeros([3]), varWeight: zeros([3]), training: true, ...options });

		test.each([-1, Number.NaN])("eps %s", (eps) => {
			const calls = [
				() => batchNorm(x(), { training: true, eps }),
				() => batchRenorm(x(), { ...running(), training: true, eps }),
				() => instanceNorm(x(), { eps }),
				() => switch3({ eps }),
			];
			for (const call of calls) expect(call).toThrow(`eps must be at least 0, got ${eps}`);
		});

		test("options that contradict each other, or are misspelt", () => {
			const runningVariance = anything("Unbiased");
			const refusal = 'runningVariance is "unbiased" or "biased", got "Unbiased"';
			expect(() => batchNorm(x(), { training: true, runningVariance })).toThrow(refusal);
			expect(() => batchRenorm(x(), { ...running(), runningVariance })).toThrow(refusal);
			expect(() => instanceNorm(x(), { runningVariance })).toThrow(refusal);
			const communicator = { ...singleProcess(), size: 2 };
			expect(() => syncBatchNorm(x(), { training: true, communicator, runningVariance })).toThrow(refusal);
			expect(() => instanceNorm(x(), { runningMean: zeros([4]) })).toThrow("runningMean and runningVar come together");
			expect(() => batchRenorm(x(), { ...running(), momentum: 0.1, decay: 0.9 })).toThrow("were both given");
			expect(() => batchRenorm(x(), anything({ training: true }))).toThrow("pass both");
			expect(() => batchNorm(x(), { ...running(), training: true, decay: anything(null) })).toThrow(
				"decay must be between 0 and 1",
			);
			expect(() => batchNorm(x(), { training: true, averagePool: anything(3) })).toThrow(
				"averagePool is 2 or left out",
			);
		});
	});

	test("instance norm tracks the variance it is asked for", () => {
		const tracked = (runningVariance: "unbiased" | "biased") => {
			const layer = new InstanceNorm1d(1, { trackRunningStats: true, runningVariance, momentum: 1 });
			layer.forward(tensor([1, 3], [1, 1, 2]));
			return layer.runningVar?.item();
		};
		expect([tracked("unbiased"), tracked("biased")]).toEqual([2, 1]);
	});

	test("gradients are clipped by name as well, and nothing else is taken", () => {
		const leaf = tensor([3, 4], [2], { requiresGrad: true });
		const clipped = (params: never) => {
			leaf.grad = tensor([3, 4]);
			return [clipGradNorm(params, 1), ...leaf.grad.dataSync()];
		};
		expect(clipped(anything([leaf]))).toEqual(clipped(anything([["leaf", leaf]])));
		expect(clipped(anything([leaf]))[1]).toBeCloseTo(0.6, 5);
		expect(() => clipped(anything([1, 2]))).toThrow("expected a Tensor");
		expect(() => clipped(anything({ parameters: 1 }))).toThrow("clipGradNorm");
	});
});
