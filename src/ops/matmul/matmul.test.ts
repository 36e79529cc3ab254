import { describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, wideBackend, withBackend } from "../../../test/support/backends.ts";
import { bitsOf, expectSameBits } from "../../../test/support/bits.ts";
import "../../autograd/backward.ts";
import { Generator } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tensor, zeros } from "../creation.ts";
import { matmul } from "./op.ts";

function noise(shape: readonly number[], seed: number): Tensor {
	const size = shape.reduce((product, length) => product * length, 1);
	return tensor(new Generator(seed).fillNormal(new Float32Array(size)), shape, { requiresGrad: true });
}

/** Sizes that reach every way a product can go: packed or not, one block of k or several, dots, edges. */
const examples: { name: string; a: number[]; b: number[] }[] = [
	{ name: "many blocks", a: [131, 97], b: [97, 203] },
	{ name: "several blocks of k", a: [25, 1000], b: [1000, 20] },
	{ name: "few rows", a: [3, 700], b: [700, 65] },
	{ name: "few columns", a: [300, 70], b: [70, 2] },
	{ name: "a batch", a: [12, 30, 40], b: [12, 40, 35] },
	{ name: "a batch of many small ones", a: [64, 4, 5], b: [64, 5, 3] },
	{ name: "a shared matrix on the right", a: [6, 20, 33], b: [33, 18] },
	{ name: "broadcasting on both sides", a: [4, 1, 17, 9], b: [3, 9, 21] },
];

/** The product and both gradients. */
function run({ a, b }: { a: number[]; b: number[] }): number[][] {
	return scope(() => {
		const leaves = [noise(a, 1), noise(b, 2)];
		const y = matmul(leaves[0], leaves[1]);
		y.backward(noise(y.shape, 3).setRequiresGrad(false));
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

	test.each(examples)(
		"$name: so do kernels with vectors in pairs, and the bits are those of the others",
		async (example) => {
			const bits: string[] = [];
			for (const threads of [1, 2, 3])
				bits.push(bitsOf(...withBackend(await wideBackend(threads), () => run(example))));
			expect(bits.slice(1)).toEqual([bits[0], bits[0]]);
			// Wider tiles and other blocks of k: each sum is taken in the same order still.
			const { wasm } = await bothBackends();
			expect(bits[0]).toBe(bitsOf(...withBackend(wasm, () => run(example))));
		},
	);
});

onEachBackend("matmul", () => {
	const bad = (a: number[], b: number[]) => () => matmul(zeros(a), zeros(b));

	test("what does not fit is named, with the way out", () => {
		expect(bad([2, 3], [4, 5])).toThrow(
			"matmul: the last axis of a (3) must be as long as the next to last axis of b (4), got [2, 3] and [4, 5]",
		);
		expect(bad([2, 3], [4])).toThrow("must be as long as the only axis of b (4)");
		expect(bad([2, 3, 4], [3, 4, 5])).toThrow("matmul: the batch axes: shapes [2] and [3] do not broadcast");
		expect(bad([], [3])).toThrow("use mul for scalars");
		expect(() => matmul(tensor([1, 2], [1, 2], { dtype: "int32" }), zeros([2, 1]))).toThrow(/floating.*toFloat/);
	});

	test("a value that is not a number reaches its row or column and nothing else", () => {
		const a = zeros([13, 11]);
		a.view()[7 * 11 + 10] = Number.NaN;
		const nanRows = Array.from(matmul(a, zeros([11, 9])).dataSync()).flatMap((v, i) => (Number.isNaN(v) ? [i] : []));
		expect(nanRows).toEqual([63, 64, 65, 66, 67, 68, 69, 70, 71]);
		const b = zeros([11, 9]);
		b.view()[8] = Number.NaN;
		const nanColumns = Array.from(matmul(zeros([3, 11]), b).dataSync()).flatMap((v, i) => (Number.isNaN(v) ? [i] : []));
		expect(nanColumns).toEqual([8, 17, 26]);
	});
});
