import { expect, test } from "vitest";
import { onEachBackend } from "../../../test/support/backends.ts";
import { backward } from "../../autograd/backward.ts";
import { tensor, zeros } from "../../ops/creation.ts";
import { scope } from "../../tensor/scope.ts";
import { Sequential } from "../containers.ts";
import { ReLU } from "./activation.ts";
import { FrozenAffine } from "./frozen-affine.ts";

const values = {
	weight: tensorOf([2, -1]),
	bias: tensorOf([0.5, 1]),
	running_mean: tensorOf([1, -2]),
	running_var: tensorOf([3, 0.25]),
};

/** As a file holds it: there is no backend yet. */
function tensorOf(numbers: number[]) {
	return { shape: [numbers.length], numbers: () => Float32Array.from(numbers) };
}

onEachBackend("FrozenAffine", () => {
	test("(x - mean) / sqrt(var + eps) * weight + bias, in training too, with an activation behind it or not", () => {
		const layer = new FrozenAffine(2, { eps: 1 });
		layer.loadStateDict(values);
		const x = tensor([3, 4, 0, 1], [2, 2]);
		const scale = -1 / Math.sqrt(1.25);
		const expected = [2.5, 1 + 6 * scale, -0.5, 1 + 3 * scale];
		for (const [i, value] of layer.train().forward(x).dataSync().entries()) expect(value).toBeCloseTo(expected[i], 6);
		const behind = new Sequential(layer, new ReLU()).forward(x).dataSync();
		for (const [i, value] of behind.entries()) expect(value).toBeCloseTo(Math.max(0, expected[i]), 6);
		expect(layer.parameters()).toEqual([]);
	});

	test("passes gradients on, scaled", () => {
		const layer = new FrozenAffine(2, { eps: 1 });
		layer.loadStateDict(values);
		const x = tensor([3, 4], [1, 2], { requiresGrad: true });
		scope(() => backward(layer.forward(x), tensor([1, 1], [1, 2])));
		expect(x.grad?.dataSync()[0]).toBeCloseTo(1, 6);
		expect(x.grad?.dataSync()[1]).toBeCloseTo(-1 / Math.sqrt(1.25), 6);
	});

	test("what does not fit", () => {
		expect(() => new FrozenAffine(2).forward(zeros([4, 3]))).toThrow(
			"FrozenAffine: expected 2 channels at axis 1, got shape [4, 3]; build it with numFeatures 3",
		);
		expect(() => new FrozenAffine(2, { channelAxis: -1 }).forward(zeros([4, 2, 3]))).toThrow(
			/at axis -1, got shape \[4, 2, 3\]/,
		);
		expect(() => new FrozenAffine(0)).toThrow(/numFeatures must be a whole number of at least 1/);
		expect(() => new FrozenAffine(2, { eps: -1 })).toThrow(/eps must be at least 0, got -1/);
	});
});
