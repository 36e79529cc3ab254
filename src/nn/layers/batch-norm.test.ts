import { expect, test } from "vitest";
import { onEachBackend } from "../../../test/support/backends.ts";
import "../../autograd/backward.ts";
import { tensor, zeros } from "../../ops/creation.ts";
import { Sequential } from "../containers.ts";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, freezeNorms, unfreezeNorms } from "./batch-norm.ts";
import { LazyBatchNorm1d } from "./lazy-batch-norm.ts";

onEachBackend("BatchNorm layers", ({ exact }) => {
	const digits = exact ? 12 : 5;
	const values = (t: { dataSync(): ArrayLike<number> } | null) => Array.from(t?.dataSync() ?? []);

	test("train, then eval: running statistics as PyTorch keeps them", () => {
		const bn = new BatchNorm1d(1);
		bn.forward(tensor([1, 2, 3, 6], [4, 1]));
		// mean 3, biased variance 3.5, unbiased 14 / 3
		expect(values(bn.runningMean)[0]).toBeCloseTo(0.3, digits);
		expect(values(bn.runningVar)[0]).toBeCloseTo(0.9 + 1.4 / 3, digits);
		expect(bn.numBatchesTracked?.item()).toBe(1);
		bn.eval();
		const y = values(bn.forward(tensor([5], [1, 1])));
		expect(y[0]).toBeCloseTo((5 - 0.3) / Math.sqrt(0.9 + 1.4 / 3 + 1e-5), digits);
		expect(bn.numBatchesTracked?.item()).toBe(1);
	});

	test("decay 0.9 and the biased variance, as Keras and the textbooks", () => {
		const bn = new BatchNorm1d(1, { decay: 0.9, runningVariance: "biased" });
		bn.forward(tensor([1, 2, 3, 6], [4, 1]));
		expect(values(bn.runningVar)[0]).toBeCloseTo(0.9 + 0.35, digits);
	});

	test("momentum null is the cumulative average", () => {
		const bn = new BatchNorm1d(1, { momentum: null });
		for (const shift of [0, 3, 9]) bn.forward(tensor([shift - 1, shift + 1], [2, 1]));
		expect(values(bn.runningMean)[0]).toBeCloseTo(4, digits);
		expect(values(bn.runningVar)[0]).toBeCloseTo(2, digits);
		expect(bn.numBatchesTracked?.item()).toBe(3);
	});

	test("without tracking, evaluation uses the batch", () => {
		const bn = new BatchNorm1d(1, { trackRunningStats: false, eps: 0 }).eval();
		expect(Object.keys(bn.stateDict())).toEqual(["weight", "bias"]);
		const y = values(bn.forward(tensor([1, 3], [2, 1])));
		expect(y[0]).toBeCloseTo(-1, digits);
		expect(y[1]).toBeCloseTo(1, digits);
	});

	test("affine and bias off", () => {
		expect(new BatchNorm1d(2, { affine: false }).parameters()).toEqual([]);
		expect([...new BatchNorm1d(2, { bias: false }).namedParameters()].map(([name]) => name)).toEqual(["weight"]);
	});

	test("resetRunningStats starts over", () => {
		const bn = new BatchNorm2d(2);
		bn.forward(tensor([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]));
		bn.resetRunningStats();
		expect([values(bn.runningMean), values(bn.runningVar), values(bn.numBatchesTracked)]).toEqual([
			[0, 0],
			[1, 1],
			[0],
		]);
	});

	test("freeze survives train() and leaves statistics and parameters alone; unfreeze undoes it", () => {
		const net = new Sequential(new BatchNorm1d(1), new BatchNorm1d(1));
		const bn = net.at(0) as BatchNorm1d;
		bn.forward(tensor([1, 3], [2, 1]));
		const before = values(bn.runningMean);
		expect(freezeNorms(net)).toBe(2);
		net.train();
		const y = bn.forward(tensor([1, 9], [2, 1]));
		expect(bn.frozen).toBe(true);
		expect(values(bn.runningMean)).toEqual(before);
		expect(bn.numBatchesTracked?.item()).toBe(1);
		expect(values(y)).toEqual(values(bn.eval().forward(tensor([1, 9], [2, 1]))));
		expect(y.requiresGrad).toBe(false);
		expect(unfreezeNorms(net)).toBe(2);
		bn.train().forward(tensor([1, 9], [2, 1]));
		expect(bn.numBatchesTracked?.item()).toBe(2);
		expect(bn.weight?.requiresGrad).toBe(true);
		bn.freeze({ affine: false });
		expect(bn.forward(tensor([1, 9], [2, 1])).requiresGrad).toBe(true);
		expect(() => new BatchNorm1d(1, { trackRunningStats: false }).freeze()).toThrow("needs running statistics");
	});

	test("a lazy layer takes its channels from the first input", () => {
		const bn = new LazyBatchNorm1d({ momentum: 1 });
		expect(bn.parameters()).toEqual([]);
		bn.forward(tensor([1, 2, 3, 6], [2, 2]));
		expect([bn.numFeatures, ...values(bn.runningMean)]).toEqual([2, 2, 4]);
		expect(Object.keys(bn.stateDict()).length).toBe(5);
		expect(() => bn.forward(zeros([2, 3]))).toThrow("expected 2 channels at axis 1");
	});

	test("a lazy layer that refused its first input takes the channels of the next", () => {
		const bn = new LazyBatchNorm1d();
		expect(() => bn.forward(zeros([1, 2]))).toThrow("more than one value");
		expect([bn.numFeatures, bn.parameters().length]).toEqual([0, 0]);
		expect(bn.forward(tensor([1, 2, 3, 4, 5, 6], [2, 3])).shape).toEqual([2, 3]);
	});

	test("channels last, masks and virtual batches reach the op", () => {
		const last = new BatchNorm1d(2, { channelAxis: -1, momentum: 1 });
		last.forward(tensor([1, 10, 3, 20, 5, 30, 7, 40], [2, 2, 2]));
		expect(values(last.runningMean)).toEqual([4, 25]);
		expect(() => last.forward(zeros([2, 2, 3]))).toThrow("expected 2 channels at axis 2");
		const masked = new BatchNorm1d(1, { momentum: 1 });
		masked.forward(tensor([1, 3, 99], [1, 1, 3]), tensor([1, 1, 0], [1, 3], { dtype: "uint8" }));
		expect(values(masked.runningMean)).toEqual([2]);
		const ghosts = new BatchNorm1d(1, { momentum: 1, virtualBatchSize: 2 });
		ghosts.forward(tensor([1, 3, 10, 20], [4, 1]));
		expect(values(ghosts.runningMean)).toEqual([15]);
		expect(() => new BatchNorm1d(1, { momentum: null, virtualBatchSize: 2 })).toThrow("leave out virtualBatchSize");
	});

	test("a refused batch is not counted", () => {
		const bn = new BatchNorm1d(1);
		expect(() => bn.forward(tensor([1, Number.NaN], [2, 1]))).toThrow("channel 0 of the batch holds NaN in example 1");
		expect(() => bn.forward(tensor([1], [1, 1]))).toThrow("more than one value a channel");
		expect([...values(bn.runningMean), ...values(bn.runningVar), bn.numBatchesTracked?.item()]).toEqual([0, 1, 0]);
	});

	test.each([
		[() => new BatchNorm2d(3).forward(zeros([2, 3])), /BatchNorm2d: expected \[N, C, H, W\], got shape \[2, 3\]/],
		[() => new BatchNorm1d(3).forward(zeros([2, 3, 4, 4])), /\[N, C\] or \[N, C, L\]/],
		[() => new BatchNorm3d(3).forward(zeros([2, 3, 4, 4])), /\[N, C, D, H, W\]/],
		[() => new BatchNorm2d(64).forward(zeros([8, 32, 4, 4])), /expected 64 channels.*numFeatures 32/],
		[() => new BatchNorm2d(0), /numFeatures must be a whole number of at least 1, got 0/],
		[() => new BatchNorm2d(2, { momentum: 0.1, decay: 0.9 }), /give one, decay = 1 - momentum/],
		[() => new BatchNorm2d(2, { decay: 9 }), /decay must be between 0 and 1, got 9/],
		[() => new BatchNorm2d(2, { eps: Number.NaN }), /eps must be at least 0, got NaN/],
	])("bad input %#", (call, message) => {
		expect(call).toThrow(message);
	});
});
