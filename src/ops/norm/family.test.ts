// What every norm must do, whatever it averages over. A new norm joins with one line in `norms`.

import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import { relativeError } from "../../../test/support/batch-norm-run.ts";
import { expectSameBits } from "../../../test/support/bits.ts";
import "../../autograd/backward.ts";
import type { Backend } from "../../backend/backend.ts";
import { Generator } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { full, tensor } from "../creation.ts";
import { batchNorm } from "./batch-norm/op.ts";
import { batchRenorm } from "./batch-renorm/op.ts";
import { filterResponseNorm } from "./filter-response-norm/op.ts";
import { groupNorm } from "./group-norm/op.ts";
import { instanceNorm } from "./instance-norm/op.ts";
import { layerNorm } from "./layer-norm/op.ts";
import { rmsNorm } from "./rms-norm/op.ts";
import { switchableNorm } from "./switchable-norm/op.ts";

interface Norm {
	name: string;
	/** Normalizes x of [N, C, S]; weight and bias are [C] or [C, S], as `affine` says. */
	run(x: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor;
	affine: "channel" | "element";
	/** Whether examples are normalized by themselves alone. */
	perExample: boolean;
	centered: boolean;
	/** Elements of a [1, 1, 1] input are too few for statistics. */
	refusesOneValue: boolean;
	/** The output's variance is not 1: other statistics than the batch's take part. */
	mixed?: boolean;
}

const lastTwo = (x: Tensor) => x.shape.slice(1);
const norms: Norm[] = [
	{
		name: "batchNorm",
		run: (x, weight, bias) => batchNorm(x, { weight, bias, training: true }),
		affine: "channel",
		perExample: false,
		centered: true,
		refusesOneValue: true,
	},
	{
		name: "layerNorm",
		run: (x, weight, bias) => layerNorm(x, lastTwo(x), { weight, bias }),
		affine: "element",
		perExample: true,
		centered: true,
		refusesOneValue: false,
	},
	{
		name: "rmsNorm",
		run: (x, weight) => rmsNorm(x, lastTwo(x), { weight }),
		affine: "element",
		perExample: true,
		centered: false,
		refusesOneValue: false,
	},
	{
		name: "groupNorm",
		run: (x, weight, bias) => groupNorm(x, x.shape[1] % 2 === 0 ? 2 : 1, { weight, bias }),
		affine: "channel",
		perExample: true,
		centered: true,
		refusesOneValue: true,
	},
	{
		name: "instanceNorm",
		run: (x, weight, bias) => instanceNorm(x, { weight, bias }),
		affine: "channel",
		perExample: true,
		centered: true,
		refusesOneValue: true,
	},
	{
		name: "switchableNorm",
		run: (x, weight, bias) =>
			switchableNorm(x, {
				weight,
				bias,
				meanWeight: tensor([1, 0.5, 2], [3]),
				varWeight: tensor([0.2, 1, 1.5], [3]),
				training: true,
			}),
		affine: "channel",
		perExample: false,
		centered: true,
		refusesOneValue: true,
		mixed: true,
	},
	{
		name: "batchRenorm",
		run(x, weight, bias) {
			const [runningMean, runningVar] = [full([x.shape[1]], 0), full([x.shape[1]], 1)];
			return batchRenorm(x, { weight, bias, runningMean, runningVar, rMax: 1.2, dMax: 0, training: true });
		},
		affine: "channel",
		perExample: false,
		centered: true,
		refusesOneValue: true,
		mixed: true,
	},
	{
		name: "filterResponseNorm",
		run: (x, weight, bias) => filterResponseNorm(x, { weight, bias }),
		affine: "channel",
		perExample: true,
		centered: false,
		refusesOneValue: false,
	},
];

const normal = (shape: readonly number[], seed: number, mean = 0, std = 1) =>
	tensor(new Generator(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), mean, std), shape);

/** Forward and backward with random parameters and cotangent. */
function run(norm: Norm, shape: number[], mean = 0): Record<string, ArrayLike<number>> {
	const affine = norm.affine === "channel" ? [shape[1]] : shape.slice(1);
	const x = normal(shape, 1, mean).setRequiresGrad();
	const weight = normal(affine, 2, 1, 0.2).setRequiresGrad();
	const bias = normal(affine, 3).setRequiresGrad();
	const y = norm.run(x, weight, bias);
	y.backward(normal(shape, 4));
	const out = { y, dx: x.grad, dweight: weight.grad, dbias: bias.grad };
	return Object.fromEntries(Object.entries(out).map(([key, t]) => [key, t?.dataSync() ?? []]));
}

describe.each(norms)("$name", (norm) => {
	describe("wasm against the float64 reference", () => {
		let backends: { reference: Backend; wasm: Backend };
		beforeAll(async () => {
			backends = await bothBackends();
		});

		test.each([
			{ shape: [20, 6, 576], mean: 0 },
			{ shape: [100, 12, 7], mean: 0 },
			{ shape: [3, 2, 5001], mean: 0 },
			{ shape: [1, 5, 33], mean: 0 },
			{ shape: [16, 4, 81], mean: 10_000 },
		])("$shape, mean $mean", ({ shape, mean }) => {
			const expected = withBackend(backends.reference, () => run(norm, shape, mean));
			const actual = withBackend(backends.wasm, () => run(norm, shape, mean));
			for (const key of Object.keys(expected)) {
				// Without a mean taken out, a mean of 10,000 leaves dx to cancellation in float32.
				const limit = key === "dx" && mean > 0 ? (norm.centered ? 1e-4 : 1e-2) : 1e-5;
				expect(relativeError(actual[key], expected[key]), key).toBeLessThan(limit);
			}
		});
	});

	test.each([[[20, 6, 576]], [[300, 16, 9]], [[2, 8, 3000]]])("the same bits on 1, 2 and 3 threads: %j", (shape) =>
		expectSameBits(() => Object.values(run(norm, shape))),
	);
});

onEachBackend("every norm", ({ exact }) => {
	describe.each(norms)("$name", (norm) => {
		test("a constant input gives the shift, and next to no gradient", () => {
			if (!norm.centered) return;
			const x = full([4, 6, 5], 3).setRequiresGrad();
			const y = norm.run(x, null, null);
			expect(Math.max(...Array.from(y.dataSync(), Math.abs))).toBe(0);
			y.backward(full([4, 6, 5], 1));
			expect(Math.max(...Array.from(x.grad?.dataSync() ?? [Number.NaN], Math.abs))).toBeLessThan(1e-3);
		});

		test("what is averaged over has mean 0 and variance 1", () => {
			const y = Array.from(norm.run(normal([6, 4, 25], 1, 3, 2), null, null).dataSync());
			const squares = y.reduce((sum, v) => sum + v * v, 0) / y.length;
			if (!norm.mixed) expect(squares).toBeCloseTo(1, exact ? 4 : 3);
			if (norm.centered) expect(y.reduce((a, b) => a + b, 0) / y.length).toBeCloseTo(0, norm.mixed ? 2 : 5);
		});

		test("an example is normalized alone, or it is not", () => {
			const two = normal([2, 4, 9], 1);
			const one = tensor(two.dataSync().slice(0, 36), [1, 4, 9]);
			const alone = norm.run(one, null, null).dataSync();
			const together = norm.run(two, null, null).dataSync().slice(0, 36);
			expect(relativeError(alone, together) < 1e-6).toBe(norm.perExample);
		});

		test("one value is refused where its variance would say nothing", () => {
			const x = tensor([5], [1, 1, 1]);
			if (norm.refusesOneValue) expect(() => norm.run(x, null, null)).toThrow(/single value|more than one value/);
			else expect(norm.run(x, null, null).size).toBe(1);
		});

		test("an empty batch", () => {
			const weight = full(norm.affine === "channel" ? [4] : [4, 5], 1).setRequiresGrad();
			const y = norm.run(full([0, 4, 5], 0), weight, null);
			expect(y.shape).toEqual([0, 4, 5]);
			y.backward(full([0, 4, 5], 0));
			expect(Array.from(weight.grad?.dataSync() ?? []).every((v) => v === 0)).toBe(true);
		});

		test.each([Number.NaN, Number.NEGATIVE_INFINITY])("%s in the input is refused", (bad) => {
			const data = new Float32Array(2 * 4 * 5).map((_, i) => i);
			data[27] = bad;
			expect(() => norm.run(tensor(data, [2, 4, 5]), null, null)).toThrow(/NaN|[Ii]nfinity/);
		});
	});

	test.each<[string, () => unknown, RegExp]>([
		["groups", () => groupNorm(full([2, 6, 4], 1), 4), /4 groups do not divide the 6 channels of shape \[2, 6, 4\]/],
		["last axes", () => layerNorm(full([2, 6], 1), [5]), /last axes are \[5\], got shape \[2, 6\]/],
		["weight", () => layerNorm(full([2, 6], 1), 6, { weight: full([5], 1) }), /weight has shape \[5\], expected \[6\]/],
		[
			"rms weight",
			() => rmsNorm(full([2, 6], 1), 6, { weight: full([5], 1) }),
			/weight has shape \[5\], expected \[6\]/,
		],
		["positions", () => instanceNorm(full([2, 6], 1)), /single value/],
	])("bad input: %s", (_, call, message) => {
		expect(call).toThrow(message);
	});
});
