import { describe, expect, test } from "vitest";
import "../../autograd/backward.ts";
import { onEachBackend } from "../../../test/support/backends.ts";
import { bitsOf } from "../../../test/support/bits.ts";
import { init } from "../../backend/init.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import { ones, tensor } from "../creation.ts";
import * as ops from "./op.ts";
import { permutationAxes } from "./plan.ts";

const counting = (shape: Shape) =>
	tensor(
		Float32Array.from({ length: sizeOf(shape) }, (_, i) => i),
		shape,
	);

test("axes that stay neighbors are merged", () => {
	expect(permutationAxes([2, 3, 4, 5], [2, 3, 0, 1])).toEqual([
		{ length: 20, from: 1, to: 6 },
		{ length: 6, from: 20, to: 1 },
	]);
	expect(permutationAxes([2, 1, 4], [1, 0, 2])).toEqual([{ length: 8, from: 1, to: 1 }]);
});

describe("large copies on one, two and three threads", () => {
	test.each([
		{ shape: [301, 517], axes: [1, 0] },
		{ shape: [7, 130, 33, 5], axes: [0, 2, 3, 1] },
		{ shape: [64, 3, 1000], axes: [1, 0, 2] },
		{ shape: [40, 30, 50], axes: [2, 1, 0] },
	])("permute $shape by $axes", async ({ shape, axes }) => {
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			const y = ops.permute(counting(shape), axes);
			const values = y.dataSync();
			// The index of every element in x, worked out from its place in y.
			const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
			for (let i = 0; i < values.length; i += 7) {
				let rest = i;
				let from = 0;
				for (let k = axes.length - 1; k >= 0; k--) {
					from += (rest % y.shape[k]) * strides[axes[k]];
					rest = Math.floor(rest / y.shape[k]);
				}
				if (values[i] !== from) expect.fail(`at ${i}: ${values[i]}, not ${from}`);
			}
		}
	});

	test("slice and concat undo each other", async () => {
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			for (const axis of [0, 1, 2]) {
				const x = counting([37, 41, 53]);
				const parts = [ops.slice(x, axis, 0, 5), ops.slice(x, axis, 5, -7), ops.slice(x, axis, -7)];
				expect(bitsOf(ops.concat(parts, axis))).toBe(bitsOf(x));
			}
		}
	});
});

onEachBackend("shape ops", () => {
	test("reshape and flatten share memory", () => {
		const x = counting([2, 6]);
		expect(ops.reshape(x, [3, -1]).storage).toBe(x.storage);
		expect(ops.flatten(x).storage).toBe(x.storage);
	});

	test("a gradient comes back in the shape it belongs to", () => {
		const x = counting([2, 3, 4]).setRequiresGrad();
		ops.flatten(ops.transpose(x, 0, 2), 1).backward(counting([4, 6]));
		expect(x.grad?.shape).toEqual([2, 3, 4]);
		expect([...(x.grad?.dataSync() ?? [])].slice(0, 5)).toEqual([0, 6, 12, 18, 2]);
	});

	test("errors say what does not fit", () => {
		const x = ones([2, 3], { name: "x" });
		expect(() => ops.reshape(x, [4, -1])).toThrow(
			'reshape: Tensor "x" [2, 3] has 6 elements, which do not fit [4, -1]',
		);
		expect(() => ops.reshape(x, [7])).toThrow("do not fit [7]");
		expect(() => ops.reshape(x, [-1, -1])).toThrow("reshape: only one length can be inferred");
		expect(() => ops.reshape(ones([0, 3]), [0, -1])).toThrow("leaves open what -1 is");
		expect(() => ops.reshape(x, [-2, 3])).toThrow("reshape: a shape holds whole numbers");
		expect(() => ops.flatten(x, 1, 0)).toThrow("flatten: startAxis 1 comes after endAxis 0");
		expect(() => ops.permute(x, [0, 0])).toThrow("permute: [0, 0] must name each of the 2 axes");
		expect(() => ops.transpose(x, 0, 2)).toThrow("transpose: axis 2 is out of range");
		expect(() => ops.concat([])).toThrow("concat: expected at least one tensor");
		expect(() => ops.concat([x, ones([2, 4])])).toThrow("only axis 0 may differ");
		expect(() => ops.concat([x, tensor([[1, 2, 3]], [1, 3], { dtype: "int32" })])).toThrow(
			"convert one with toFloat()",
		);
		expect(() => ops.slice(x, 1, 2, 5)).toThrow("slice: [2, 5) is no range of axis 1");
		expect(() => ops.slice(x, 1, 2, 1)).toThrow("slice: [2, 1) is no range");
	});
});
