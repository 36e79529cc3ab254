// What the layers of the normalization family add to their ops: defaults, state, modes, messages.

import { expect, test } from "vitest";
import { onEachBackend } from "../../../test/support/backends.ts";
import "../../autograd/backward.ts";
import { conv2d } from "../../ops/conv/op.ts";
import { tensor, zeros } from "../../ops/creation.ts";
import { batchNorm } from "../../ops/norm/batch-norm/op.ts";
import { layerNorm } from "../../ops/norm/layer-norm/op.ts";
import { standardizeWeight } from "../../ops/norm/weight-standardization/op.ts";
import { Generator } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Sequential } from "../containers.ts";
import { constant } from "../init.ts";
import { freezeNorms } from "./batch-norm.ts";
import { BatchRenorm1d, BatchRenorm2d, BatchRenorm3d, paperRenormSchedule } from "./batch-renorm.ts";
import { Conv1d, Conv2d, ConvTranspose2d } from "./conv.ts";
import { FilterResponseNorm } from "./filter-response-norm.ts";
import { SwitchableNorm1d, SwitchableNorm2d, SwitchableNorm3d } from "./switchable-norm.ts";

const values = (t: { dataSync(): ArrayLike<number> } | null) => Array.from(t?.dataSync() ?? []);
const normal = (shape: readonly number[], seed: number, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);

onEachBackend("The normalization family's layers", ({ exact }) => {
	const digits = exact ? 10 : 4;
	const close = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
		expect(actual.length).toBe(expected.length);
		for (let i = 0; i < expected.length; i++) expect(actual[i], `element ${i}`).toBeCloseTo(expected[i], digits);
	};

	test("SwitchableNorm: names, shares that start equal, running statistics in evaluation", () => {
		const sn = new SwitchableNorm2d(2, { decay: 0.5 });
		expect(Object.keys(sn.stateDict())).toEqual([
			...["weight", "bias", "mean_weight", "var_weight"],
			...["running_mean", "running_var", "num_batches_tracked"],
		]);
		expect(values(sn.meanWeight)).toEqual([1, 1, 1]);
		const x = normal([3, 2, 4, 5], 1, 2);
		sn.forward(x);
		const batch = batchStatistics(x);
		close(
			values(sn.runningMean),
			batch.mean.map((m) => m / 2),
		);
		close(
			values(sn.runningVar),
			batch.variance.map((v) => (1 + v) / 2),
		);
		const tracked = values(sn.runningMean);
		const inTraining = values(sn.forward(x));
		sn.eval();
		expect(values(sn.forward(x))).not.toEqual(inTraining);
		expect(values(sn.runningMean)).not.toEqual(tracked);
		expect(sn.numBatchesTracked?.item()).toBe(2);
	});

	test("SwitchableNorm with all of the weight on one source is that norm", () => {
		const sn = new SwitchableNorm1d(6);
		const x = normal([8, 6], 2);
		for (const logits of [sn.meanWeight, sn.varWeight]) logits.view().set([40, 0]);
		close(values(sn.forward(x)), values(layerNorm(x, 6)));
		for (const logits of [sn.meanWeight, sn.varWeight]) logits.view().set([0, 40]);
		close(values(sn.forward(x)), values(batchNorm(x, { training: true })));
	});

	test("SwitchableNorm freezes with the other norms, its shares too", () => {
		const sn = new SwitchableNorm3d(2);
		const net = new Sequential(sn, new BatchRenorm3d(2));
		expect(freezeNorms(net)).toBe(2);
		net.train().forward(normal([2, 2, 2, 2, 2], 3));
		expect(sn.numBatchesTracked?.item()).toBe(0);
		expect(net.parameters().some((parameter) => parameter.requiresGrad)).toBe(false);
		sn.unfreeze();
		sn.forward(normal([2, 2, 2, 2, 2], 3));
		expect(sn.numBatchesTracked?.item()).toBe(1);
	});

	test("BatchRenorm: the paper's momentum and variance, and evaluation as batch norm's", () => {
		const renorm = new BatchRenorm1d(1);
		renorm.forward(tensor([1, 2, 3, 6], [4, 1]));
		close(values(renorm.runningMean), [0.03]);
		close(values(renorm.runningVar), [0.99 + 0.035]);
		const y = renorm.eval().forward(tensor([5], [1, 1]));
		close(values(y), [(5 - 0.03) / Math.sqrt(1.025 + 1e-5)]);
		expect(renorm.numBatchesTracked?.item()).toBe(1);
	});

	test("BatchRenorm within wide bounds normalizes by the running statistics, within none by the batch's", () => {
		const x = tensor([1, 2, 3, 6], [4, 1]);
		const wide = new BatchRenorm1d(1, { rMax: 100, dMax: 100, eps: 0 });
		close(values(wide.forward(x)), [1, 2, 3, 6]);
		const none = new BatchRenorm1d(1, { rMax: 1, dMax: 0 });
		close(values(none.forward(x)), values(batchNorm(x, { training: true })));
	});

	test("a schedule is asked with the batches seen so far", () => {
		const asked: number[] = [];
		const renorm = new BatchRenorm2d(1, {
			schedule(step) {
				asked.push(step);
				return { rMax: 1, dMax: 0 };
			},
		});
		for (let i = 0; i < 3; i++) renorm.forward(normal([2, 1, 2, 2], i));
		renorm.resetRunningStats();
		renorm.forward(normal([2, 1, 2, 2], 9));
		expect(asked).toEqual([0, 1, 2, 0]);
	});

	test("the paper's schedule", () => {
		expect(paperRenormSchedule(0)).toEqual({ rMax: 1, dMax: 0 });
		expect(paperRenormSchedule(5_000)).toEqual({ rMax: 1, dMax: 0 });
		expect(paperRenormSchedule(15_000).dMax).toBeCloseTo(2.5, 12);
		expect(paperRenormSchedule(22_500).rMax).toBeCloseTo(2, 12);
		expect(paperRenormSchedule(25_000).dMax).toBe(5);
		expect(paperRenormSchedule(1e6)).toEqual({ rMax: 3, dMax: 5 });
	});

	test("FilterResponseNorm cuts at its threshold and learns it", () => {
		const frn = new FilterResponseNorm(1, { eps: 0 });
		constant(frn.threshold as Tensor, 0.5);
		const y = frn.forward(tensor([-1, 1, -1, 3], [1, 1, 4]));
		const rms = Math.sqrt(12 / 4);
		close(values(y), [0.5, 1 / rms, 0.5, 3 / rms]);
		y.backward(tensor([1, 10, 100, 1000], [1, 1, 4]));
		close(values(frn.threshold?.grad ?? null), [101]);
		expect(Object.keys(new FilterResponseNorm(1, { tlu: false }).stateDict())).toEqual(["weight", "bias"]);
		close(values(new FilterResponseNorm(1, { tlu: false, eps: 0 }).forward(tensor([-3, 3], [1, 1, 2]))), [-1, 1]);
	});

	test("weight standardization: the convolution of standardized weights, and gradients that see it", () => {
		const conv = new Conv2d(3, 4, 3, { weightStandardization: { eps: 1e-3 } });
		const x = normal([2, 3, 6, 6], 4);
		const y = conv.forward(x);
		close(values(y), values(conv2d(x, standardizeWeight(conv.weight, { eps: 1e-3 }), conv.bias)));
		y.backward(normal(y.shape, 5));
		// Adding a number to all weights of a channel changes nothing, so their gradients sum to zero.
		const grad = values(conv.weight.grad);
		for (let channel = 0; channel < 4; channel++) {
			const own = grad.slice(channel * 27, (channel + 1) * 27);
			expect(own.reduce((a, b) => a + b, 0)).toBeCloseTo(0, exact ? 8 : 3);
			expect(Math.max(...own.map(Math.abs))).toBeGreaterThan(0.01);
		}
		const line = new Conv1d(2, 2, 3, { weightStandardization: true });
		const effective = values(line.effectiveWeight());
		expect(effective.slice(0, 6).reduce((a, b) => a + b, 0)).toBeCloseTo(0, digits);
		expect(new Conv2d(1, 1, 3).effectiveWeight().isEvenkeelTensor).toBe(true);
	});

	test.each([
		[
			() => new SwitchableNorm1d(3).forward(zeros([2, 3, 4])),
			/expected \[N, C\], got shape \[2, 3, 4\].*SwitchableNorm2d/,
		],
		[() => new SwitchableNorm2d(3).forward(zeros([2, 3])), /expected \[N, C, H, W\]/],
		[() => new SwitchableNorm2d(3).forward(zeros([2, 4, 2, 2])), /expected 3 channels.*numFeatures 4/],
		[() => new BatchRenorm1d(3, { rMax: 0.5 }), /rMax must be at least 1, got 0.5/],
		[() => new BatchRenorm1d(3, { dMax: -1 }), /dMax must be at least 0, got -1/],
		[() => new BatchRenorm1d(3, { rMax: 2, schedule: paperRenormSchedule }), /give the numbers or the schedule/],
		[() => new BatchRenorm2d(3, { momentum: 0.1, decay: 0.9 }), /give one/],
		[() => new FilterResponseNorm(3).forward(zeros([2, 3])), /positions to average over/],
		[() => new FilterResponseNorm(3).forward(zeros([2, 4, 5])), /expected 3 channels.*numFeatures 4/],
		[() => new FilterResponseNorm(3, { eps: -1 }), /eps must be at least 0, got -1/],
		[() => new Conv2d(1, 2, 1, { weightStandardization: true }).forward(zeros([1, 1, 2, 2])), /more than one/],
		[
			() => Reflect.construct(ConvTranspose2d, [1, 2, 3, { weightStandardization: true }]),
			/weightStandardization is for Conv1d and Conv2d/,
		],
	])("bad input %#", (call, message) => {
		expect(call).toThrow(message);
	});
});

/** Mean and biased variance of each channel, by the definition. */
function batchStatistics(x: Tensor): { mean: number[]; variance: number[] } {
	const [n, c] = x.shape;
	const size = x.size / (n * c);
	const data = values(x);
	const mean: number[] = [];
	const variance: number[] = [];
	for (let channel = 0; channel < c; channel++) {
		const own = data.filter((_, i) => Math.floor(i / size) % c === channel);
		mean.push(own.reduce((a, b) => a + b, 0) / own.length);
		variance.push(own.reduce((a, b) => a + (b - mean[channel]) ** 2, 0) / own.length);
	}
	return { mean, variance };
}
