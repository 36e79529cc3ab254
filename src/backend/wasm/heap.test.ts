import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Heap } from "./heap.ts";
import { HEAP_START } from "./layout.mjs";

const PAGE = 65536;
const OVERREAD = 256;
const rounded = (bytes: number) => Math.max(64, Math.ceil(bytes / 64) * 64);
const heapOf = (maximum = 1024) => new Heap(new WebAssembly.Memory({ initial: 1, maximum, shared: true }));

describe("heap", () => {
	test("blocks never overlap, whatever is taken and given back in whatever order", () => {
		const size = fc.oneof(fc.nat(300), fc.nat(20_000), fc.constantFrom(0, 1, 63, 64, 65, 128));
		const step = fc.oneof(
			{ weight: 3, arbitrary: size.map((bytes) => ({ bytes })) },
			fc.nat(1000).map((pick) => ({ pick })),
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
				const heap = heapOf();
				const live: { start: number; length: number; mark: number }[] = [];
				let peak = 0;
				const used = () => live.reduce((sum, { length }) => sum + length, 0);
				steps.forEach((command, i) => {
					if ("bytes" in command) {
						const start = heap.alloc(command.bytes);
						const block = { start, length: rounded(command.bytes), mark: (i % 255) + 1 };
						expect(start % 64).toBe(0);
						expect(start).toBeGreaterThanOrEqual(HEAP_START);
						expect(start + block.length + OVERREAD).toBeLessThanOrEqual(heap.reserved);
						for (const other of live) {
							expect(start + block.length <= other.start || other.start + other.length <= start).toBe(true);
						}
						live.push(block);
						heap.views.uint8.fill(block.mark, start, start + block.length);
					} else if (live.length > 0) {
						const [block] = live.splice(command.pick % live.length, 1);
						// Growing moves nothing and changes nothing.
						expect(
							heap.views.uint8.subarray(block.start, block.start + block.length).every((v) => v === block.mark),
						).toBe(true);
						heap.free(block.start);
					}
					peak = Math.max(peak, used());
					expect(heap.used).toBe(used());
					expect(heap.peak).toBe(peak);
				});
				for (const { start } of live) heap.free(start);
				expect(heap.used).toBe(0);
				// All free blocks have become one again: the next starts where the first did.
				expect(heap.alloc(1)).toBe(HEAP_START);
			}),
		);
	});

	test("a freed block joins its neighbors on both sides", () => {
		const heap = heapOf();
		const [a, b, c] = [heap.alloc(64), heap.alloc(64), heap.alloc(64)];
		const fence = heap.alloc(64);
		heap.free(a);
		heap.free(c);
		heap.free(b);
		expect(heap.alloc(192)).toBe(a);
		heap.free(fence);
	});

	test("takes the smallest block that fits, and leaves the rest of it free", () => {
		const heap = heapOf();
		const large = heap.alloc(1024);
		heap.alloc(64);
		const small = heap.alloc(256);
		heap.alloc(64);
		heap.free(large);
		heap.free(small);
		expect(heap.alloc(200)).toBe(small);
		expect(heap.alloc(200)).toBe(large);
		expect(heap.alloc(700)).toBe(large + 256);
	});

	test("the same sizes again get the same addresses, and nothing grows", () => {
		const heap = heapOf();
		const sizes = [40_000, 12, 100_000, 512, 70_000];
		const round = () => {
			const starts = sizes.map((bytes) => heap.alloc(bytes));
			for (const i of [1, 4, 0, 3, 2]) heap.free(starts[i]);
			return starts;
		};
		const first = round();
		const { reserved } = heap;
		for (let i = 0; i < 100; i++) expect(round()).toEqual(first);
		expect(heap.reserved).toBe(reserved);
		expect(heap.used).toBe(0);
	});

	test("large blocks behind each other do not begin at the same place of a page", () => {
		const heap = heapOf();
		for (const bytes of [1 << 16, 1 << 20, 5 << 18]) {
			const starts = Array.from({ length: 4 }, () => heap.alloc(bytes));
			for (const [i, a] of starts.entries()) {
				for (const b of starts.slice(0, i)) {
					const apart = (a - b) % 4096;
					expect(Math.min(apart, 4096 - apart)).toBeGreaterThanOrEqual(768);
					expect(a - b).toBeGreaterThanOrEqual(bytes);
				}
			}
		}
	});

	test("grows by an eighth at least, and to the last page when little is left", () => {
		const heap = heapOf(20);
		heap.alloc(10 * PAGE);
		const before = heap.reserved;
		heap.alloc(2 * PAGE);
		expect(heap.reserved).toBeGreaterThan(before);
		const left = () => 20 * PAGE - heap.used - HEAP_START - OVERREAD;
		while (left() > 0) heap.alloc(Math.min(left(), 20_032));
		expect(heap.reserved).toBe(20 * PAGE);
	});

	test("leaves room behind the last block for kernels that read past its end", () => {
		const room = 20 * PAGE - HEAP_START - OVERREAD;
		const large = room - (room % 4096) - 4096;
		const heap = heapOf(20);
		expect(heap.alloc(large)).toBe(HEAP_START);
		const left = room - heap.used;
		expect(() => heap.alloc(left + 64)).toThrow(/out of memory/);
		expect(heap.alloc(left)).toBe(HEAP_START + heap.used - left);
	});

	test("out of memory says how much is held and what to do, and changes nothing", () => {
		const heap = heapOf(20);
		const kept = heap.alloc(10 * PAGE);
		const { used } = heap;
		expect(() => heap.alloc(15 * PAGE)).toThrow(
			/out of memory: tensors hold 0.7 MB, those outside of any scope 0.0 MB of it, and 1.0 MB more were asked for; run each step in scope/,
		);
		expect(heap.used).toBe(used);
		heap.free(kept);
		expect(heap.alloc(15 * PAGE)).toBe(HEAP_START);
	});

	test("before memory runs out garbage is collected, once, and what it gives back is taken", () => {
		const memory = new WebAssembly.Memory({ initial: 1, maximum: 20, shared: true });
		const garbage: number[] = [];
		let calls = 0;
		const collect = () => {
			calls++;
			for (const start of garbage.splice(0)) heap.free(start);
		};
		const heap: Heap = new Heap(memory, { bytes: 2e6, collect });
		const held = heap.alloc(2 * PAGE);
		garbage.push(heap.alloc(12 * PAGE));
		heap.alloc(PAGE);
		expect(calls).toBe(0);
		const taken = heap.alloc(11 * PAGE);
		expect(taken).toBeGreaterThan(held);
		expect(calls).toBe(1);
		garbage.push(taken);
		expect(() => heap.alloc(18 * PAGE)).toThrow(/those outside of any scope 2.0 MB of it/);
		expect(calls).toBe(2);
	});

	test("giving back what was not taken, or twice, is an error", () => {
		const heap = heapOf();
		const start = heap.alloc(10);
		heap.free(start);
		expect(() => heap.free(start)).toThrow(`heap: no block at ${start}`);
		expect(() => heap.free(12)).toThrow("heap: no block at 12");
	});
});
