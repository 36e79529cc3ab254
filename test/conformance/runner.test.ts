// The checker checked: each way in which an op can be wrong is seen.

import { beforeEach, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backend/backend.ts";
import { init } from "../../src/backend/init.ts";
import { tensor } from "../../src/ops/creation.ts";
import { keep } from "../../src/tensor/scope.ts";
import { add, mul, scale } from "../support/toy-ops.ts";
import { type Case, gradcheckCase, type Runner, relativeError, runCase } from "./runner.ts";

const product: Case = {
	op: "toyMul",
	name: "two numbers",
	attrs: {},
	inputs: { a: { shape: [2], data: [2, 3] }, b: { shape: [2], data: [5, 7] } },
	outputs: { y: { shape: [2], data: [10, 21] } },
	dy: { shape: [2], data: [1, -1] },
	grads: { a: { shape: [2], data: [5, -7] }, b: { shape: [2], data: [2, -3] } },
};
const right: Runner = ({ a, b }) => mul(a, b);

describe.each(["reference", "wasm"] as const)("runCase on %s", (name) => {
	let backend: Backend;
	beforeEach(async () => {
		backend = await init({ backend: name, threads: 1 });
	});
	const running =
		(changes: Partial<Case>, runner = right) =>
		() =>
			runCase({ ...product, ...changes }, runner, backend);

	test("passes what agrees", () => {
		running({})();
	});

	test("names op, case, tensor and error", () => {
		expect(running({ outputs: { y: { shape: [2], data: [10, 21.01] } } })).toThrow(
			new RegExp(
				`toyMul \\(two numbers\\) on ${name}, y: relative error 4.\\d+e-4, allowed .*worst at 1: 21, PyTorch has 21.01`,
			),
		);
	});

	test("sees a wrong gradient, a missing one and one too many", () => {
		const grads = { a: { shape: [2], data: [5, -7.1] }, b: { shape: [2], data: [2, -3] } };
		expect(running({ grads })).toThrow(/gradient of a: relative error/);
		expect(running({}, ({ a, b }) => mul(a.detach(), b))).toThrow(/a got no gradient/);
		expect(running({}, ({ a, b }) => mul(a.setRequiresGrad(), b))).toThrow(/wants no gradient and got one/);
	});

	test("sees a wrong shape and a wrong type", () => {
		expect(running({ outputs: { y: { shape: [1, 2], data: [10, 21] } } })).toThrow(/shape \[2\], PyTorch has \[1, 2\]/);
		expect(running({ outputs: { y: { shape: [2], data: [10, 21], dtype: "int32" } } })).toThrow(/type float/);
	});

	test("sees memory left behind", () => {
		const leaky: Runner = ({ a, b }) => {
			keep(tensor([1, 2]));
			return mul(a, b);
		};
		expect(running({}, leaky)).toThrow(/left 1 tensors and \d+ bytes behind/);
	});

	test("compares buffers, and asks for them", () => {
		const state = { m: { shape: [2], data: [4, 6] } };
		const withState: Runner = ({ a, b }) => ({ y: mul(a, b), state: { m: scale(a.detach(), 2) } });
		running({ state }, withState)();
		expect(running({ state })).toThrow(/returned no state "m"/);
		expect(running({ state: { m: { shape: [2], data: [4, 7] } } }, withState)).toThrow(/, m: relative error/);
	});
});

test("a tolerance of its own loosens wasm, never the reference", async () => {
	const loose = { ...product, outputs: { y: { shape: [2], data: [10, 21.01] } }, tolerance: { y: 1e-3 } };
	runCase(loose, right, await init({ threads: 1 }));
	const reference = await init({ backend: "reference" });
	expect(() => runCase(loose, right, reference)).toThrow(/allowed 1e-9/);
});

test("finite differences see a gradient that PyTorch's vectors would have to spell out", async () => {
	await init({ backend: "reference" });
	gradcheckCase(product, right);
	expect(() => gradcheckCase(product, ({ a, b }) => add(mul(a, b), a.detach()))).toThrow(/gradcheck: input 0/);
});

test("NaN and infinity have to stand where they are expected", () => {
	expect(relativeError(Float32Array.of(1, NaN, Infinity), [1, NaN, Infinity]).error).toBe(0);
	expect(relativeError(Float32Array.of(1, 2), [1, NaN])).toEqual({ error: Infinity, index: 1 });
	expect(relativeError(Float32Array.of(1, Infinity), [1, -Infinity]).error).toBe(Infinity);
	expect(relativeError(Float32Array.of(NaN, 1), [1, 1]).error).toBe(Infinity);
	expect(relativeError(Float32Array.of(0, 1e-3), [0, 0]).error).toBeCloseTo(1e-3);
});
