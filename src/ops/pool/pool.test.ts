// What the vectors cannot show: messages, chunks and threads, dilated windows that miss the input.

import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import "../../autograd/backward.ts";
import type { Backend } from "../../backend/backend.ts";
import { init } from "../../backend/init.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tensor } from "../creation.ts";
import { adaptiveAvgPool2d, avgPool1d, avgPool2d, maxPool1d, maxPool2d } from "./op.ts";

function noise(length: number, seed: number): Float32Array {
	let state = seed * 2654435761;
	return Float32Array.from({ length }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2147483648 - 1;
	});
}

const pools: Record<string, (x: Tensor) => Tensor> = {
	"avg 2 x 2": (x) => avgPool2d(x, 2),
	"avg 3 x 3, overlapping": (x) => avgPool2d(x, 3, { stride: 2, padding: 1 }),
	"global avg": (x) => adaptiveAvgPool2d(x, 1),
	"adaptive avg": (x) => adaptiveAvgPool2d(x, [5, 6]),
	"max 2 x 2": (x) => maxPool2d(x, 2),
	"max 3 x 3, overlapping": (x) => maxPool2d(x, 3, { stride: 2, padding: 1 }),
	"max 17 x 17": (x) => maxPool2d(x, 17, { stride: 3, padding: 8 }),
};

/** Several chunks of planes, an odd height and a width that leaves a remainder. */
const SHAPE = [13, 11, 27, 38];

function poolAndGradient(pool: (x: Tensor) => Tensor): { y: Tensor; dx: Tensor } {
	const x = tensor(noise(13 * 11 * 27 * 38, 1), SHAPE, { requiresGrad: true });
	const y = pool(x);
	y.backward(tensor(noise(y.size, 2), y.shape));
	return { y, dx: x.grad as Tensor };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let largest = 0;
	for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
	return largest;
}

describe.each(Object.keys(pools))("%s", (name) => {
	let on: { reference: Backend; wasm: Backend };
	beforeAll(async () => {
		on = await bothBackends();
	});
	test("as the reference has it", () => {
		scope(() => {
			const exact = withBackend(on.reference, () => poolAndGradient(pools[name]));
			const actual = withBackend(on.wasm, () => poolAndGradient(pools[name]));
			expect(largestDifference(actual.y.view(), exact.y.view())).toBeLessThan(1e-6);
			expect(largestDifference(actual.dx.view(), exact.dx.view())).toBeLessThan(2e-6);
		});
	});
	test("the same bits on 1, 2 and 3 threads", async () => {
		const results: string[] = [];
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			scope(() => {
				const { y, dx } = poolAndGradient(pools[name]);
				results.push([y, dx].map((t) => Buffer.from(t.dataSync().buffer).toString("base64")).join());
			});
		}
		expect(results[1] === results[0] && results[2] === results[0]).toBe(true);
	});
});

onEachBackend("pooling", ({ exact }) => {
	const image = (...shape: number[]) =>
		tensor(new Float32Array(shape.reduce((product, length) => product * length, 1)), shape);

	test("a window that lies in the padding altogether: -infinity, and a gradient to nobody", () => {
		const x = tensor([3, 4], [1, 2, 1], { requiresGrad: true });
		const y = maxPool1d(x, 2, { padding: 1, dilation: 2 });
		expect(Array.from(y.view())).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
		y.backward(tensor([5, 6], [1, 2, 1]));
		expect(Array.from(x.grad?.view() ?? [])).toEqual([0, 0]);
	});
	test("max keeps a byte an output for backward, and x can be freed", () => {
		const x = tensor(noise(64, 3), [1, 1, 8, 8], { requiresGrad: true });
		const held = x.backend.memory().used;
		const y = maxPool2d(x, 2);
		expect(x.backend.memory().used - held).toBe(exact ? 16 * 8 + 16 : 64 + 64);
		y.dispose();
		expect(x.backend.memory().used).toBe(held);
	});
	test("shapes and sizes that do not fit", () => {
		expect(() => avgPool2d(image(3, 8, 8), 2)).toThrow(
			"avgPool2d: expected an input of shape [N, C, H, W], got Tensor",
		);
		expect(() => avgPool1d(image(1, 3, 8, 8), 2)).toThrow(
			"avgPool1d: expected an input of shape [N, C, L], got Tensor",
		);
		expect(() => maxPool2d(image(1, 3, 8, 4), 5)).toThrow(
			"maxPool2d: a window reaches over 5 elements, but the input has 4 with padding 0 at each edge",
		);
		expect(() => maxPool2d(image(1, 1, 4, 4), 3, { dilation: 2 })).toThrow("a window reaches over 5 elements");
		expect(() => avgPool2d(image(1, 1, 0, 4), 1)).toThrow("the input has 0");
		expect(() => adaptiveAvgPool2d(image(1, 1, 0, 4), 1)).toThrow(
			"there is nothing to average in an input of shape [1, 1, 0, 4]",
		);
	});
	test("options that make no sense", () => {
		const x = image(1, 1, 8, 8);
		expect(() => avgPool2d(x, 0)).toThrow(
			"avgPool2d: kernelSize must be a whole number of at least 1, or 2 of them, got 0",
		);
		expect(() => maxPool2d(x, [2, 2, 2])).toThrow("kernelSize must be a whole number of at least 1, or 2 of them");
		expect(() => maxPool2d(x, 2, { stride: 1.5 })).toThrow(
			"stride must be a whole number of at least 1, or 2 of them, got 1.5",
		);
		expect(() => maxPool2d(x, 3, { padding: 2 })).toThrow("padding 2 is more than half of the kernel, 3");
		expect(() => maxPool2d(x, 3, { dilation: 0 })).toThrow("dilation must be a whole number of at least 1");
		expect(() => maxPool2d(x, 2, { stride: 2 ** 32 })).toThrow("stride must be below 2^31, got 4294967296");
		expect(() => maxPool2d(x, 1, { dilation: 2 ** 31 })).toThrow("dilation must be below 2^31");
		expect(() => adaptiveAvgPool2d(x, [2, 0])).toThrow(
			"outputSize must be whole numbers of at least 1 (or null), got 2,0",
		);
		expect(() => adaptiveAvgPool2d(x, [2, 2, 2])).toThrow("outputSize must be a number or 2 of them");
		expect(() => avgPool2d(tensor(new Uint8Array(16), [1, 1, 4, 4]), 2)).toThrow(
			"expected a floating tensor, got uint8",
		);
	});
});
