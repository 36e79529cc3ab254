import { describe, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { full, ones, tensor, zeros } from "../ops/creation.ts";
import { bytesPerElement, isFloat } from "./dtype.ts";

onEachBackend("making tensors", ({ exact }) => {
	const float = exact ? "float64" : "float32";

	test("floating tensors have the backend's type, whichever was asked for", () => {
		for (const dtype of ["float32", "float64", undefined] as const) {
			const t = tensor([0.1, 2], [2], { dtype });
			expect(t.dtype).toBe(float);
			expect(t.dataSync()).toEqual(exact ? Float64Array.of(0.1, 2) : Float32Array.of(0.1, 2));
		}
		expect(tensor(Float64Array.of(0.1), [1]).dtype).toBe(float);
	});

	test("integer arrays keep their type, unless told otherwise", () => {
		expect(tensor(Int32Array.of(-1, 2 ** 31 - 1), [2]).dataSync()).toEqual(Int32Array.of(-1, 2 ** 31 - 1));
		expect(tensor(Uint8Array.of(0, 255), [2]).dataSync()).toEqual(Uint8Array.of(0, 255));
		expect(tensor(Uint8Array.of(7), [1], { dtype: "int32" }).dataSync()).toEqual(Int32Array.of(7));
		expect(tensor(Int32Array.of(7), [1], { dtype: "float32" }).dtype).toBe(float);
		expect(tensor([3, 4], [2], { dtype: "int32" }).dataSync()).toEqual(Int32Array.of(3, 4));
	});

	test.each([
		["int32", 1.5, /int32 holds whole numbers from -2147483648 to 2147483647, got 1.5 at 1/],
		["int32", 2 ** 31, /got 2147483648 at 1/],
		["uint8", 256, /uint8 holds whole numbers from 0 to 255, got 256 at 1/],
		["uint8", -1, /got -1 at 1/],
		["int32", Number.NaN, /got NaN at 1/],
	] as const)("%s refuses %d", (dtype, value, message) => {
		expect(() => tensor([0, value], [2], { dtype })).toThrow(message);
		expect(() => full([2], value, { dtype })).toThrow(/holds whole numbers/);
	});

	test("the shape of nested arrays is found, and ragged ones are refused", () => {
		expect(
			tensor([
				[1, 2, 3],
				[4, 5, 6],
			]).shape,
		).toEqual([2, 3]);
		expect(tensor([[[1], [2]]]).shape).toEqual([1, 2, 1]);
		expect(tensor(5).shape).toEqual([]);
		expect(tensor(5).item()).toBe(5);
		expect(tensor([]).shape).toEqual([0]);
		expect(() => tensor([[1, 2], [3]])).toThrow(/ragged: by their first entries they would be \[2, 2\]/);
		expect(() => tensor([1, [2]])).toThrow(/ragged/);
		expect(() => tensor([[1], 2])).toThrow(/ragged/);
	});

	test("values and shape have to agree", () => {
		expect(() => tensor([1, 2, 3], [2, 2])).toThrow("tensor: shape [2, 2] holds 4 values, got 3");
		expect(() => tensor([1], [-1])).toThrow(/whole numbers of at least 0, got \[-1\]/);
		expect(() => tensor([1], [0.5])).toThrow(/whole numbers of at least 0, got \[0.5\]/);
		expect(() => zeros([2, -3])).toThrow(/whole numbers of at least 0/);
	});

	test("a shape may be given to nested arrays and empty tensors", () => {
		expect(
			tensor(
				[
					[1, 2],
					[3, 4],
				],
				[4],
			).shape,
		).toEqual([4]);
		const empty = zeros([3, 0, 2]);
		expect(empty.size).toBe(0);
		expect(empty.dataSync()).toHaveLength(0);
	});

	test("zeros, ones and full", () => {
		expect([...zeros([2]).dataSync()]).toEqual([0, 0]);
		expect([...ones([2], { dtype: "uint8" }).dataSync()]).toEqual([1, 1]);
		expect([...full([2], 2.5).dataSync()]).toEqual([2.5, 2.5]);
	});

	test("values are copied in and copied out", async () => {
		const values = Float32Array.of(1, 2);
		const t = tensor(values, [2]);
		values[0] = 9;
		expect([...t.dataSync()]).toEqual([1, 2]);
		t.dataSync()[0] = 9;
		expect([...(await t.data())]).toEqual([1, 2]);
	});

	test("only floating tensors and only leaves take requiresGrad", () => {
		expect(() => tensor(Int32Array.of(1), [1], { requiresGrad: true, name: "labels" })).toThrow(
			/"labels" \[1\]: only floating tensors have gradients, this one is int32/,
		);
		expect(() => tensor([1]).setRequiresGrad(false)).not.toThrow();
	});

	test("item is for one element", () => {
		expect(tensor([[7]]).item()).toBe(7);
		expect(() => tensor([1, 2]).item()).toThrow(/has 2 elements, not one; use data\(\)/);
	});

	test("prints its first values", () => {
		expect(
			String(
				tensor([
					[1, 2, 3, 4],
					[5, 6, 7, 8],
				]),
			),
		).toBe(`Tensor(${float} [2, 4]) [1, 2, 3, 4, 5, 6, …]`);
	});
});

describe("element types", () => {
	test("their sizes and kinds", () => {
		expect(bytesPerElement).toEqual({ float32: 4, float64: 8, int32: 4, uint8: 1 });
		expect((["float32", "float64", "int32", "uint8"] as const).map(isFloat)).toEqual([true, true, false, false]);
	});
});
