import { beforeEach, describe, expect, test } from "vitest";
import { mul, scale, sumAll } from "../../test/support/toy-ops.ts";
import { init } from "../backend/init.ts";
import { tensor } from "../ops/creation.ts";
import { apply, empty, type Op } from "../ops/op.ts";
import { liveTensors, type Tensor } from "../tensor/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

beforeEach(async () => {
	await init({ backend: "reference" });
});

const x = (values: number[]) => tensor(values, [values.length], { requiresGrad: true, name: "x" });

/** x squared, with the backward that `wrong` makes of the right one. */
function squareWith(wrong: (dx: number, i: number) => number): (x: Tensor) => Tensor {
	const op: Op<null> = {
		name: "square",
		forward([x], _, ctx) {
			const y = empty(x.shape, x.backend, "float", "square");
			for (const [i, v] of x.view().entries()) y.view()[i] = v * v;
			ctx.save(x);
			return y;
		},
		backward(dy, { saved: [x] }) {
			const dx = empty(x.shape, x.backend, "float", "dx");
			for (const [i, v] of x.view().entries()) dx.view()[i] = wrong(2 * v * dy.view()[i], i);
			return [dx];
		},
	};
	return (x) => apply(op, [x], null);
}

describe("gradcheck", () => {
	test("passes what is right, with an error near the rounding of float64", () => {
		expect(
			gradcheck(
				squareWith((dx) => dx),
				[x([0.5, -2, 3])],
			),
		).toBeLessThan(1e-9);
	});

	test.each([
		["a factor", (dx: number) => 2 * dx],
		["a sign", (dx: number) => -dx],
		["zeros", () => 0],
		["one element, by a hundred-thousandth", (dx: number, i: number) => (i === 2 ? dx * 1.00001 : dx)],
		["NaN", () => Number.NaN],
	])("catches a backward that is wrong by %s", (_, wrong) => {
		expect(() => gradcheck(squareWith(wrong), [x([0.5, -2, 3])])).toThrow(/gradcheck: input 0 .*"x" \[3\]/);
	});

	test("names the input, the element, and both gradients", () => {
		const fn = (a: Tensor, b: Tensor) => mul(a, squareWith((dx, i) => (i === 1 ? 0 : dx))(b));
		expect(() => gradcheck(fn, [x([1, 2]), x([1, 2]).setRequiresGrad()])).toThrow(
			/input 1 Tensor "x" \[2\], element 1: backward gives 0, finite differences give -?\d.*allowed 0.000001/,
		);
	});

	test("the sum of a normalized vector is blind; the random cotangent is not", () => {
		// y = x - mean(x): the outputs sum to zero whatever x is, so the gradient of their sum is zero.
		const op: Op<null> = {
			name: "center",
			forward([x]) {
				const y = empty(x.shape, x.backend, "float", "center");
				let mean = 0;
				for (const v of x.view()) mean += v / x.size;
				for (const [i, v] of x.view().entries()) y.view()[i] = v - mean;
				return y;
			},
			// Wrong: forgets everything.
			backward: (dy) => [scale(dy, 0)],
		};
		const center = (x: Tensor) => apply(op, [x], null);
		expect(gradcheck((x) => sumAll(center(x)), [x([1, 2, 4])])).toBeLessThan(1e-6);
		expect(() => gradcheck(center, [x([1, 2, 4])])).toThrow(/backward gives 0/);
	});

	test("refuses float32", async () => {
		await init({ threads: 1 });
		expect(() => gradcheck((t) => t, [x([1])])).toThrow(/need float64, and the wasm backend computes in float32/);
		const onWasm = x([1]);
		await init({ backend: "reference" });
		expect(() => gradcheck((t) => t, [onWasm])).toThrow(/init\(\{ backend: "reference" \}\)/);
	});

	test("refuses inputs without a gradient, and none at all", () => {
		expect(() => gradcheck((t) => t, [tensor([1], [1], { name: "w" })])).toThrow(
			/input 0 Tensor "w" .* requires a gradient/,
		);
		expect(() => gradcheck(() => tensor([1], [1]), [])).toThrow(/there are no inputs/);
	});

	test("restores values and gradients, and leaves nothing behind", () => {
		const input = x([0.1, 0.2, 0.3]);
		sumAll(input).backward();
		const before = liveTensors();
		gradcheck((t) => scale(t, 3), [input]);
		expect(liveTensors()).toBe(before);
		expect([...input.dataSync()]).toEqual([0.1, 0.2, 0.3]);
		expect([...(input.grad?.dataSync() ?? [])]).toEqual([1, 1, 1]);
	});

	test("looks at as many elements as told to", () => {
		let calls = 0;
		const fn = (t: Tensor) => {
			calls++;
			return scale(t, 2);
		};
		gradcheck(fn, [x(Array.from({ length: 100 }, (_, i) => i))], { maxElements: 5 });
		expect(calls).toBe(1 + 4 * 5);
	});
});
