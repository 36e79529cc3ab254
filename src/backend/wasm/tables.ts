// Tables of whole numbers that kernels read: offsets, strides, starts. A training step asks for the same
// ones again and again, so they are laid in the heap once and found there by what they hold.

import type { Heap } from "./heap.ts";

/** Bytes of tables from which those unused for longest are let go. */
const LIMIT = 1 << 22;
/** So many of those used last stay in any case: more than a kernel takes. */
const SPARED = 32;
/** Numbers of a table that its hash is made of; tables that agree in them are compared as a whole. */
const HASHED = 16;

interface Entry {
	readonly values: Int32Array;
	readonly ptr: number;
	/** When it was last asked for, in tables asked for. */
	used: number;
}

export class Tables {
	readonly #heap: Heap;
	readonly #limit: number;
	readonly #entries = new Map<number, Entry>();
	#asked = 0;
	#bytes = 0;

	constructor(heap: Heap, limit = LIMIT) {
		this.#heap = heap;
		this.#limit = limit;
	}

	/** What all tables hold of the heap. */
	get bytes(): number {
		return this.#bytes;
	}

	/** The address of a table that holds `values`; undefined if there is none yet. */
	find(values: ArrayLike<number>): number | undefined {
		let key = hash(values);
		for (let entry = this.#entries.get(key); entry; entry = this.#entries.get(++key)) {
			if (!same(entry.values, values)) continue;
			entry.used = ++this.#asked;
			return entry.ptr;
		}
		return undefined;
	}

	/** Lays `values`, which must not change any more, in the heap as int32. The address holds until {@link SPARED} other tables have been asked for. */
	add(values: ArrayLike<number>): number {
		const own = values instanceof Int32Array ? values : Int32Array.from(values);
		if (this.#bytes + own.byteLength > this.#limit) this.#letGo();
		const before = this.#heap.used;
		const ptr = this.#heap.alloc(own.byteLength);
		this.#bytes += this.#heap.used - before;
		this.#heap.views.int32.set(own, ptr >>> 2);
		let key = hash(own);
		while (this.#entries.has(key)) key++;
		this.#entries.set(key, { values: own, ptr, used: ++this.#asked });
		return ptr;
	}

	/** Frees the half that was unused for longest. */
	#letGo(): void {
		const byAge = [...this.#entries].sort(([, a], [, b]) => a.used - b.used);
		const before = this.#heap.used;
		for (const [key, { ptr }] of byAge.slice(0, Math.max(0, Math.min(byAge.length >> 1, byAge.length - SPARED)))) {
			this.#entries.delete(key);
			this.#heap.free(ptr);
		}
		this.#bytes -= before - this.#heap.used;
	}
}

function hash(values: ArrayLike<number>): number {
	const step = Math.ceil(values.length / HASHED) || 1;
	let sum = values.length;
	for (let i = 0; i < values.length; i += step) sum = Math.imul(sum ^ values[i], 0x9e3779b1) ^ (sum >>> 15);
	return sum;
}

function same(own: Int32Array, values: ArrayLike<number>): boolean {
	if (own === values) return true;
	if (own.length !== values.length) return false;
	for (let i = 0; i < own.length; i++) if (own[i] !== (values[i] | 0)) return false;
	return true;
}
