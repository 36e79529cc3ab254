import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { broadcastShapes, broadcastStrides, normalizeAxes, normalizeAxis, sameShape, sizeOf } from "./shape.ts";

describe("sizes and axes", () => {
	test("a scalar has one element, a zero-length axis none", () => {
		expect(sizeOf([])).toBe(1);
		expect(sizeOf([3, 0, 2])).toBe(0);
		expect(sameShape([2, 3], [2, 3])).toBe(true);
		expect(sameShape([2, 3], [2, 3, 1])).toBe(false);
	});

	test("axes count from either end", () => {
		expect(normalizeAxis(-1, 3, "sum")).toBe(2);
		expect(() => normalizeAxis(3, 3, "sum")).toThrow("sum: axis 3 is out of range for 3 dimensions");
		expect(() => normalizeAxis(-4, 3, "sum")).toThrow(/axis -4 is out of range/);
		expect(() => normalizeAxis(0.5, 3, "sum")).toThrow(/axis 0.5/);
	});

	test("axes of a reduction: sorted, distinct, all by default", () => {
		expect(normalizeAxes(undefined, 3, "sum")).toEqual([0, 1, 2]);
		expect(normalizeAxes([-1, 0], 3, "sum")).toEqual([0, 2]);
		expect(normalizeAxes(1, 3, "sum")).toEqual([1]);
		expect(() => normalizeAxes([0, -3], 3, "sum")).toThrow(/name an axis twice/);
	});
});

describe("broadcasting", () => {
	test.each([
		[[2, 3], [3], [2, 3]],
		[
			[2, 1],
			[1, 3],
			[2, 3],
		],
		[[], [4], [4]],
		[[1], [0], [0]],
		[
			[5, 1, 7],
			[6, 1],
			[5, 6, 7],
		],
	])("%j with %j is %j", (a, b, out) => {
		expect(broadcastShapes(a, b, "add")).toEqual(out);
		expect(broadcastShapes(b, a, "add")).toEqual(out);
	});

	test("what does not fit is named", () => {
		expect(() => broadcastShapes([2, 3], [2], "add")).toThrow("add: shapes [2, 3] and [2] do not broadcast");
	});

	test("strides read the right element, whatever the shapes", () => {
		const axis = fc.record({ length: fc.integer({ min: 1, max: 4 }), stretched: fc.boolean() });
		fc.assert(
			fc.property(fc.array(axis, { maxLength: 4 }), fc.nat(4), (axes, dropped) => {
				const out = axes.map(({ length }) => length);
				const shape = axes
					.map(({ length, stretched }) => (stretched ? 1 : length))
					.slice(Math.min(dropped, axes.length));
				const strides = broadcastStrides(shape, out);
				for (let flat = 0; flat < sizeOf(out); flat++) {
					const index = unravel(flat, out);
					const own = index.slice(out.length - shape.length).map((i, k) => (shape[k] === 1 ? 0 : i));
					expect(index.reduce((sum, i, k) => sum + i * strides[k], 0)).toBe(ravel(own, shape));
				}
			}),
		);
	});
});

function unravel(flat: number, shape: readonly number[]): number[] {
	const index = new Array<number>(shape.length);
	for (let k = shape.length - 1, rest = flat; k >= 0; k--) {
		index[k] = rest % shape[k];
		rest = Math.floor(rest / shape[k]);
	}
	return index;
}

function ravel(index: readonly number[], shape: readonly number[]): number {
	return index.reduce((flat, i, k) => flat * shape[k] + i, 0);
}
