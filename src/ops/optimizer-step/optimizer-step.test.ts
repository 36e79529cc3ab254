// The table walk: many parameters of odd sizes, chunks that begin and end inside of them, threads.

import { describe, expect, test } from "vitest";
import { bothBackends, withBackend } from "../../../test/support/backends.ts";
import type { Backend } from "../../backend/backend.ts";
import { init } from "../../backend/init.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tensor } from "../creation.ts";
import { adamStep, gradientNorm, scaleGradients, sgdStep } from "./op.ts";

/** 300 small ones, some of a chunk's size, one of several chunks. */
const SIZES = [...Array.from({ length: 300 }, (_, i) => (i * 7) % 13), 16384, 1, 16383, 16385, 3, 70_001, 5];

function noise(length: number, seed: number): Float32Array {
	let state = seed * 2654435761;
	return Float32Array.from({ length }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2147483648 - 1;
	});
}

function some(size: number, seed: number): Tensor {
	return tensor(noise(size, seed), [size]);
}

const updates: Record<string, (sizes: readonly number[]) => Tensor[]> = {
	"plain SGD": (sizes) => {
		const settings = { lr: 0.1, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0.01 };
		const list = sizes.map((n, i) => ({
			param: some(n, i),
			grad: some(n, i + 1000),
			buffer: null,
			first: false,
			settings,
		}));
		sgdStep(list);
		return list.map(({ param }) => param);
	},
	"SGD with momentum": (sizes) => {
		const settings = { lr: 0.1, momentum: 0.9, dampening: 0.1, nesterov: false, weightDecay: 0.01 };
		const list = sizes.map((n, i) => {
			return { param: some(n, i), grad: some(n, i + 1000), buffer: some(n, i + 2000), first: i % 2 === 0, settings };
		});
		sgdStep(list);
		return list.flatMap(({ param, buffer }) => [param, buffer]);
	},
	"AdamW with AMSGrad": (sizes) => {
		const settings = { lr: 0.1, betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0.01 };
		const list = sizes.map((n, i) => {
			const square = tensor(noise(n, i + 3000).map(Math.abs), [n]);
			const largest = tensor(noise(n, i + 4000).map(Math.abs), [n]);
			const [param, grad, mean] = [some(n, i), some(n, i + 1000), some(n, i + 2000)];
			return { param, grad, mean, square, largest, step: 1 + (i % 5), decoupled: true, settings };
		});
		adamStep(list);
		return list.flatMap(({ param, mean, square, largest }) => [param, mean, square, largest]);
	},
	"scaling by the norm": (sizes) => {
		const list = sizes.map((n, i) => some(n, i));
		scaleGradients(list, 1 / gradientNorm(list));
		return list;
	},
};

function run(name: string, sizes = SIZES): Float32Array[] {
	return scope(() => updates[name](sizes).map((t) => Float32Array.from(t.view().subarray(0, t.size))));
}

describe.each(Object.keys(updates))("%s", (name) => {
	test("as the reference has it", async () => {
		const on: { reference: Backend; wasm: Backend } = await bothBackends();
		const expected = withBackend(on.reference, () => run(name));
		const actual = withBackend(on.wasm, () => run(name));
		let largest = 0;
		for (const [i, values] of actual.entries()) {
			for (const [k, v] of values.entries()) largest = Math.max(largest, Math.abs(v - expected[i][k]));
		}
		expect(actual.length).toBe(expected.length);
		expect(largest).toBeLessThan(1e-6);
	});
	test("the same bits on 1, 2 and 3 threads", async () => {
		const results: string[] = [];
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			results.push(
				run(name)
					.map((values) => Buffer.from(values.buffer).toString("base64"))
					.join(),
			);
		}
		expect(results[1] === results[0] && results[2] === results[0]).toBe(true);
	});
	// The norm is of all, so that scaling by it does depend on the others.
	if (name === "scaling by the norm") return;
	test("a parameter's update does not depend on what lies before it", async () => {
		await init({ threads: 2 });
		const all = run(name);
		const perParam = all.length / SIZES.length;
		const last = SIZES.length - 1;
		// Without the first 7 parameters of each chunk's worth, every chunk begins elsewhere.
		const fewer = run(
			name,
			SIZES.map((n, i) => (i % 50 < 7 && i < last ? 0 : n)),
		);
		SIZES.forEach((n, i) => {
			if (i % 50 < 7 && i < last) return;
			for (let k = 0; k < perParam; k++) {
				expect(fewer[i * perParam + k], `parameter ${i} of ${n}`).toEqual(all[i * perParam + k]);
			}
		});
	});
});

test("parameters on two backends", async () => {
	const on = await bothBackends();
	const settings = { lr: 0.1, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 };
	const one = (backend: Backend) =>
		withBackend(backend, () => ({ param: some(3, 1), grad: some(3, 2), buffer: null, first: false, settings }));
	expect(() => sgdStep([one(on.wasm), one(on.reference)])).toThrow(
		'lives on the reference backend and Tensor "tensor" [3] on wasm; give each backend\'s parameters an optimizer of their own',
	);
});
