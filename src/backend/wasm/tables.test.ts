import { describe, expect, test } from "vitest";
import { Heap } from "./heap.ts";
import { privateMemory } from "./module.ts";
import { Tables } from "./tables.ts";

function make(limit?: number) {
	const heap = new Heap(privateMemory());
	const tables = new Tables(heap, limit);
	const place = (values: ArrayLike<number>) => tables.find(values) ?? tables.add(values);
	const read = (ptr: number, length: number) => [...heap.views.int32.subarray(ptr / 4, ptr / 4 + length)];
	return { heap, tables, place, read };
}

describe("tables in the heap", () => {
	test("the same numbers have one place, whatever array they come in", () => {
		const { heap, tables, place, read } = make();
		const ptr = place([3, -1, 2 ** 31]);
		expect(read(ptr, 3)).toEqual([3, -1, -(2 ** 31)]);
		const held = heap.used;
		expect(place([3, -1, 2 ** 31])).toBe(ptr);
		expect(place(Int32Array.of(3, -1, -(2 ** 31)))).toBe(ptr);
		expect(heap.used).toBe(held);
		expect(tables.bytes).toBe(held);
		expect(place([])).not.toBe(ptr);
	});

	test("tables that differ in one number are told apart, also where the hash does not look", () => {
		const { place, read } = make();
		const table = (at: number) => Int32Array.from({ length: 100 }, (_, i) => (i === at ? -7 : i));
		const places = Array.from({ length: 100 }, (_, at) => place(table(at)));
		expect(new Set(places).size).toBe(100);
		for (const [at, ptr] of places.entries()) {
			expect(place(table(at))).toBe(ptr);
			expect(read(ptr, 100)).toEqual([...table(at)]);
		}
	});

	test("the number of tables is bounded: those unused for longest go, and come back right", () => {
		const { heap, tables, place, read } = make(100 * 64);
		const often = place([-1]);
		for (let i = 0; i < 5000; i++) {
			expect(read(place([i, i + 1]), 2)).toEqual([i, i + 1]);
			expect(place([-1])).toBe(often);
		}
		expect(heap.used).toBeLessThanOrEqual(101 * 64);
		expect(tables.bytes).toBe(heap.used);
		expect(read(place([0, 1]), 2)).toEqual([0, 1]);
	});

	test("what was asked for last stays, however much it is", () => {
		const { place, read } = make(64);
		const large = Array.from({ length: 20 }, (_, k) => Int32Array.from({ length: 1000 }, (_, i) => k * i));
		const places = large.map(place);
		for (const [k, ptr] of places.entries()) expect(read(ptr, 1000)).toEqual([...large[k]]);
	});
});
