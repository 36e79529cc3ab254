// Global heaps: where texts of no fixed length are. Each is read once, however many texts it holds.

import { type Block, textOf } from "./block.ts";

/** The objects of a heap: where each begins in the file, and its bytes. */
type Heap = ReadonlyMap<number, Uint8Array>;

/** Reads `count` references from `data`: a text's length, and where it is. */
export function textsInHeaps(data: Block, count: number): string[] {
	const heaps = new Map<number, Heap>();
	let total = 0;
	return Array.from({ length: count }, () => {
		const length = data.u32();
		const at = data.address();
		const index = data.u32();
		if (at === null || length === 0) return "";
		const heap = heaps.get(at) ?? readHeap(data, at);
		heaps.set(at, heap);
		const bytes = heap.get(index);
		if (!bytes || bytes.length < length) return data.fail(`text ${index} is not in its heap`);
		// The same text may be referred to from everywhere.
		total += length;
		if (total > data.source.size) data.fail("its texts are longer than the file");
		return textOf(bytes.subarray(0, length));
	});
}

function readHeap(data: Block, at: number): Heap {
	const { length: width } = data.widths;
	const header = data.other(at, 8 + width, "a global heap");
	header.signature("GCOL");
	header.version(1);
	header.skip(3);
	const size = header.length();
	const objects = data.other(at, size, "a global heap");
	objects.skip(8 + width);
	const heap = new Map<number, Uint8Array>();
	while (objects.rest >= 8 + width) {
		const index = objects.u16();
		objects.skip(6);
		const length = objects.length();
		// 0: what is free.
		if (index === 0) break;
		heap.set(index, objects.bytes(length));
		objects.align(8);
	}
	return heap;
}
