import { describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import { expectSameBits } from "../../../test/support/bits.ts";
import "../../autograd/backward.ts";
import { Generator } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tensor, zeros } from "../creation.ts";
import { linear } from "./op.ts";

function noise(shape: readonly number[], seed: number): Tensor {
	const size = shape.reduce((product, length) => product * length, 1);
	return tensor(new Generator(seed).fillNormal(new Float32Array(size)), shape, { requiresGrad: true });
}

/** Batch, inputs, outputs: LeNet's layers, a batch with several runs of bias sums, and one example. */
const examples = [
	[256, 256, 120],
	[256, 84, 10],
	[1500, 20, 130],
	[1, 300, 50],
] as const;

/** The output and all gradients. */
function run([batch, inputs, outputs]: readonly [number, number, number]): number[][] {
	return scope(() => {
		const leaves = [noise([batch, inputs], 1), noise([outputs, inputs], 2), noise([outputs], 3)];
		const y = linear(leaves[0], leaves[1], leaves[2]);
		y.backward(noise(y.shape, 4).setRequiresGrad(false));
		return [y, ...leaves.map((leaf) => leaf.grad as Tensor)].map((t) => Array.from(t.dataSync()));
	});
}

/** ||a - b|| / ||b|| */
function distance(a: number[], b: number[]): number {
	const squares = (values: number[]) => values.reduce((sum, v) => sum + v * v, 0);
	return Math.sqrt(squares(a.map((v, i) => v - b[i])) / squares(b));
}

describe("large layers", () => {
	test.each(examples)("batch %i, %i to %i: wasm as the reference", async (...sizes) => {
		const { reference, wasm } = await bothBackends();
		const expected = withBackend(reference, () => run(sizes));
		const actual = withBackend(wasm, () => run(sizes));
		actual.forEach((values, i) => {
			expect(distance(values, expected[i])).toBeLessThan(2e-6);
		});
	});

	test.each(examples)("batch %i, %i to %i: the same bits on one, two and three threads", (...sizes) =>
		expectSameBits(() => run(sizes)),
	);
});

onEachBackend("linear", () => {
	test("what does not fit is named, with the way out", () => {
		const w = zeros([3, 4]);
		expect(() => linear(zeros([2, 5]), w)).toThrow(
			"linear: expected 4 features at the last axis, got shape [2, 5]; " +
				"build the layer with inFeatures 5, or flatten() the input first",
		);
		expect(() => linear(zeros([]), w)).toThrow("linear: expected 4 features");
		expect(() => linear(zeros([2, 4]), zeros([4]))).toThrow(
			"linear: expected weight [outFeatures, inFeatures], got shape [4]",
		);
		expect(() => linear(zeros([2, 4]), w, zeros([4]))).toThrow(
			"linear: expected bias [3], as many as the weight has rows, got shape [4]",
		);
		expect(() => linear(tensor([1], [1, 1], { dtype: "uint8" }), zeros([1, 1]))).toThrow(/floating.*toFloat/);
	});
});
