import { describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, wideBackend, withBackend } from "../../../test/support/backends.ts";
import { bitsOf, expectSameBits } from "../../../test/support/bits.ts";
import "../../autograd/backward.ts";
import { Generator } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tensor, zeros } from "../creation.ts";
import { type Conv2dOptions, conv1d, conv2d, convTranspose2d } from "./op.ts";

function noise(shape: readonly number[], seed: number): Tensor {
	const size = shape.reduce((product, length) => product * length, 1);
	return tensor(new Generator(seed).fillNormal(new Float32Array(size)), shape, { requiresGrad: true });
}

interface Example {
	name: string;
	x: number[];
	weight: number[];
	options: Conv2dOptions;
	transposed?: boolean;
}

const examples: Example[] = [
	{ name: "LeNet, first", x: [37, 1, 28, 28], weight: [6, 1, 5, 5], options: {} },
	{ name: "LeNet, second", x: [37, 6, 12, 12], weight: [16, 6, 5, 5], options: {} },
	{ name: "residual, 7 x 7", x: [19, 16, 7, 7], weight: [16, 16, 3, 3], options: { padding: 1 } },
	{ name: "residual, stride 2", x: [5, 8, 14, 14], weight: [18, 8, 3, 3], options: { padding: 1, stride: 2 } },
	{ name: "pointwise, stride 2", x: [5, 8, 14, 14], weight: [10, 8, 1, 1], options: { stride: 2 } },
	{ name: "narrow", x: [21, 10, 3, 3], weight: [12, 10, 3, 3], options: { padding: 1 } },
	{ name: "one image", x: [1, 12, 20, 21], weight: [40, 12, 3, 3], options: {} },
	{ name: "depthwise", x: [6, 9, 15, 15], weight: [9, 1, 3, 3], options: { padding: 1, groups: 9 } },
	{ name: "many channels, 7 x 7", x: [11, 40, 7, 7], weight: [18, 40, 3, 3], options: { padding: 1 } },
	{ name: "images in eights, 7 x 7", x: [16, 5, 7, 7], weight: [9, 5, 3, 3], options: { padding: 1 } },
	{
		name: "images in eights, stride 2",
		x: [8, 6, 14, 14],
		weight: [10, 3, 3, 3],
		options: { padding: 1, stride: 2, groups: 2 },
	},
	{ name: "in phases, 3 x 3", x: [8, 16, 28, 28], weight: [32, 16, 3, 3], options: { padding: 1, stride: 2 } },
	{ name: "in phases, pointwise", x: [16, 32, 28, 28], weight: [64, 32, 1, 1], options: { stride: 2 } },
	{
		name: "in phases of three",
		x: [16, 8, 29, 31],
		weight: [16, 4, 5, 5],
		options: { padding: 2, stride: 3, groups: 2 },
	},
	{
		name: "in phases of rows",
		x: [30, 8, 23, 14],
		weight: [16, 8, 4, 3],
		options: { padding: [1, 0], stride: [2, 1] },
	},
	{ name: "many channels, 9 x 9", x: [2, 130, 9, 9], weight: [5, 130, 3, 3], options: { padding: 1 } },
	{ name: "many channels, 5 x 5", x: [3, 12, 9, 9], weight: [9, 12, 5, 5], options: {} },
	{ name: "many channels, pointwise", x: [3, 300, 3, 4], weight: [10, 300, 1, 1], options: {} },
	{ name: "many channels, narrow", x: [9, 40, 3, 3], weight: [7, 40, 3, 3], options: { padding: 1 } },
	{ name: "outputs in eights, 7 x 7", x: [19, 6, 7, 7], weight: [24, 6, 3, 3], options: { padding: 1 } },
	{
		name: "outputs in eights, 16 x 16 with its padding",
		x: [5, 5, 14, 14],
		weight: [8, 5, 3, 3],
		options: { padding: 1 },
	},
	{ name: "outputs in eights, stride 2", x: [5, 5, 19, 21], weight: [16, 5, 3, 3], options: { padding: 1, stride: 2 } },
	{
		name: "outputs in eights, dilated, in groups",
		x: [5, 6, 13, 16],
		weight: [16, 3, 3, 3],
		options: { dilation: 2, groups: 2, padding: 1 },
	},
	{ name: "outputs in eights, five weights in a row", x: [9, 6, 11, 11], weight: [16, 6, 5, 5], options: {} },
	{ name: "five weights in a row, in groups", x: [5, 6, 9, 20], weight: [8, 3, 3, 5], options: { groups: 2 } },
	{
		name: "five weights in a row, padded",
		x: [19, 3, 11, 16],
		weight: [4, 3, 4, 5],
		options: { padding: [1, 2], stride: [2, 1] },
	},
	{ name: "five weights in a row, an odd number of outputs", x: [5, 3, 12, 12], weight: [3, 3, 2, 5], options: {} },
	{ name: "five weights in a row, few images at a time", x: [35, 1, 68, 76], weight: [4, 1, 5, 5], options: {} },
	{ name: "five weights in a row, one output", x: [5, 2, 3, 12], weight: [1, 2, 1, 5], options: {} },
	{ name: "outputs in eights, rows longer than a block", x: [2, 2, 3, 301], weight: [8, 2, 2, 2], options: {} },
	{ name: "stride 2, odd", x: [3, 5, 23, 21], weight: [6, 5, 3, 3], options: { padding: 1, stride: 2 } },
	{ name: "stride 3", x: [3, 5, 23, 21], weight: [6, 5, 2, 2], options: { padding: 2, stride: 3 } },
	{ name: "transposed", x: [7, 12, 7, 7], weight: [12, 5, 4, 4], options: { stride: 2, padding: 1 }, transposed: true },
	{
		...{ name: "transposed, in phases", x: [9, 32, 14, 14], weight: [32, 16, 4, 4] },
		...{ options: { stride: 2, padding: 1 }, transposed: true },
	},
	{
		...{ name: "transposed, pointwise, in phases", x: [16, 64, 14, 14], weight: [64, 32, 1, 1] },
		...{ options: { stride: 2 }, transposed: true },
	},
	{ name: "transposed, in place", x: [7, 12, 8, 8], weight: [12, 5, 5, 5], options: {}, transposed: true },
];

/** The output and all gradients of an example. */
function run({ x, weight, options, transposed }: Example): number[][] {
	return scope(() => {
		const channels = transposed ? weight[1] : weight[0];
		const leaves = [noise(x, 1), noise(weight, 2), noise([channels], 3)];
		const y = transposed
			? convTranspose2d(leaves[0], leaves[1], leaves[2], { ...options, padding: Number(options.padding ?? 0) })
			: conv2d(leaves[0], leaves[1], leaves[2], options);
		const dy = noise(y.shape, 4).setRequiresGrad(false);
		y.backward(dy);
		return [y, ...leaves.map((leaf) => leaf.grad as Tensor)].map((t) => Array.from(t.dataSync()));
	});
}

/** ||a - b|| / ||b|| */
function distance(a: number[], b: number[]): number {
	const squares = (values: number[]) => values.reduce((sum, v) => sum + v * v, 0);
	return Math.sqrt(squares(a.map((v, i) => v - b[i])) / squares(b));
}

describe("shapes large enough for every cut of the work", () => {
	test.each(examples)("$name: wasm as the reference", async (example) => {
		const { reference, wasm } = await bothBackends();
		const expected = withBackend(reference, () => run(example));
		for (const backend of [wasm, await wideBackend()]) {
			const actual = withBackend(backend, () => run(example));
			actual.forEach((values, i) => {
				expect(values.length).toBe(expected[i].length);
				expect(distance(values, expected[i]), backend.build).toBeLessThan(2e-6);
			});
		}
	});

	test.each(examples)("$name: the same bits on one, two and three threads", (example) =>
		expectSameBits(() => run(example)),
	);

	test.each(examples)("$name: so do kernels with vectors in pairs", async (example) => {
		const bits: string[] = [];
		for (const threads of [1, 2, 3]) bits.push(bitsOf(...withBackend(await wideBackend(threads), () => run(example))));
		expect(bits.slice(1)).toEqual([bits[0], bits[0]]);
	});
});

onEachBackend("convolution", () => {
	// One of 8 is off by 2.7 however its chunks are summed: float32 rounds the sums of 16 chunks, and each step of
	// adding them up, half a unit in the last place each.
	test.each([
		[3, 2],
		[8, 3],
	])("%i gradients of the bias are summed over many images in double precision", (channels, units) => {
		const [images, size] = [16384, 25];
		const x = zeros([images, 1, 5, 5]);
		const bias = zeros([channels], { requiresGrad: true });
		const values = Float32Array.from({ length: images * channels * size }, (_, i) => 1 + Math.sin((i * i) % 977));
		const sums = new Float64Array(channels);
		values.forEach((value, i) => {
			sums[Math.floor(i / size) % channels] += value;
		});
		conv2d(x, noise([channels, 1, 1, 1], 1), bias).backward(tensor(values, [images, channels, 5, 5]));
		bias.grad?.dataSync().forEach((value, c) => {
			expect(Math.abs(value / sums[c] - 1)).toBeLessThan(units * 2 ** -24);
		});
		expect(bias.grad?.size).toBe(channels);
	});

	const message = (fn: () => unknown): string => {
		try {
			fn();
		} catch (error) {
			return (error as Error).message;
		}
		return "no error";
	};

	test("what does not fit is named, with the way out", () => {
		const x = zeros([2, 3, 8, 8]);
		const w = zeros([4, 3, 3, 3]);
		expect(message(() => conv2d(zeros([2, 1, 8, 8]), w))).toBe(
			"conv2d: expected 3 channels at axis 1, got shape [2, 1, 8, 8]; weight [4, 3, 3, 3] is for 3",
		);
		expect(message(() => conv2d(zeros([3, 8, 8]), w))).toBe(
			"conv2d: expected x [batch, channels, height, width], got shape [3, 8, 8]; reshape() it",
		);
		expect(message(() => conv1d(x, w))).toMatch(
			/^conv1d: expected x \[batch, channels, length\], got shape \[2, 3, 8, 8\]/,
		);
		expect(message(() => conv2d(x, zeros([4, 3])))).toMatch(
			/^conv2d: expected weight \[outChannels, .*got shape \[4, 3\]/,
		);
		expect(message(() => conv2d(x, w, null, { groups: 2 }))).toBe(
			"conv2d: 2 groups do not divide 3 input channels and weight [4, 3, 3, 3] evenly",
		);
		expect(message(() => conv2d(x, w, zeros([3])))).toBe(
			"conv2d: expected bias [4], one value an output channel, got shape [3]",
		);
		expect(message(() => conv2d(x, zeros([4, 3, 9, 3])))).toBe(
			"conv2d: the kernel covers 9 pixels, the padded input [2, 3, 8, 8] has 8 at axis 2; " +
				"use a smaller kernel or dilation, or more padding",
		);
		expect(message(() => conv2d(x, w, null, { dilation: 4 }))).toMatch(/^conv2d: the kernel covers 9 pixels/);
		expect(message(() => conv2d(x, w, null, { stride: 0 }))).toBe(
			"conv2d: stride must be a whole number of at least 1, or a pair [rows, columns] of them, got 0",
		);
		expect(message(() => conv2d(x, w, null, { padding: [1, -1] }))).toMatch(/^conv2d: padding must .* got \[1, -1\]/);
		expect(message(() => conv2d(x, w, null, { padding: "same", stride: 2 }))).toMatch(
			/^conv2d: padding "same" needs stride 1/,
		);
		expect(message(() => conv1d(zeros([1, 2, 5]), zeros([2, 2, 3]), null, { groups: 0 }))).toBe(
			"conv1d: groups must be a whole number of at least 1, got 0",
		);
		expect(message(() => convTranspose2d(x, zeros([4, 3, 3, 3])))).toMatch(
			/^convTranspose2d: expected 4 channels at axis 1/,
		);
		expect(message(() => convTranspose2d(x, zeros([3, 4, 3, 3]), null, { outputPadding: 1 }))).toMatch(
			/^convTranspose2d: outputPadding must be less than the stride or the dilation/,
		);
		expect(message(() => convTranspose2d(zeros([1, 1, 1, 1]), zeros([1, 1, 2, 2]), null, { padding: 1 }))).toMatch(
			/^convTranspose2d: padding 1 leaves nothing of axis 2/,
		);
		expect(message(() => conv2d(tensor([1], [1, 1, 1, 1], { dtype: "int32" }), zeros([1, 1, 1, 1])))).toMatch(
			/floating/,
		);
	});

	test("an empty batch gives an empty output, and zero gradients", () => {
		const x = zeros([0, 2, 5, 5], { requiresGrad: true });
		const w = zeros([3, 2, 3, 3], { requiresGrad: true });
		const b = zeros([3], { requiresGrad: true });
		const y = conv2d(x, w, b);
		expect(y.shape).toEqual([0, 3, 3, 3]);
		y.backward(zeros([0, 3, 3, 3]));
		expect(x.grad?.shape).toEqual([0, 2, 5, 5]);
		expect(Array.from(w.grad?.dataSync() ?? [1])).toEqual(new Array(54).fill(0));
		expect(Array.from(b.grad?.dataSync() ?? [1])).toEqual([0, 0, 0]);
	});

	test("what is not a number stays where it is", () => {
		// One pixel in the corner of the first image: only outputs that see it may change.
		const values = new Float32Array(2 * 2 * 6 * 7).fill(1);
		values[0] = Number.NaN;
		const x = tensor(values, [2, 2, 6, 7], { requiresGrad: true });
		const w = noise([3, 2, 3, 3], 5);
		const y = conv2d(x, w);
		const bad = Array.from(y.dataSync()).flatMap((v, i) => (Number.isNaN(v) ? [i] : []));
		expect(bad).toEqual([0, 20, 40]);
		// And a gradient that is not a number reaches only the input pixels that its output saw.
		const dy = new Float32Array(2 * 3 * 4 * 5).fill(1);
		dy[0] = Number.NaN;
		y.backward(tensor(dy, [2, 3, 4, 5]));
		const reached = Array.from(x.grad?.dataSync() ?? []).flatMap((v, i) => (Number.isNaN(v) ? [i] : []));
		const corner = [0, 1, 2, 7, 8, 9, 14, 15, 16];
		expect(reached).toEqual([...corner, ...corner.map((i) => i + 42)]);
	});
});
