// Numbers that JavaScript hands to a kernel: rows of a batch, the optimizer's table. To write into memory of the heap's
// would mean to wait for all that is under way, which may still use what was there before. This memory is nobody else's,
// and is used in halves: one is written again only when the launches that read it are done.

import type { Heap } from "./heap.ts";
import type { Pool } from "./pool.ts";

/** Bytes of a half at least: the numbers of some steps. */
const LEAST = 1 << 16;
const ALIGN = 64;

export class Staging {
	readonly #heap: Heap;
	#start = 0;
	/** Bytes of a half. */
	#half = 0;
	/** What was too small, and its bytes: numbers handed out there may be for a launch still to come. */
	#outgrown = { start: 0, bytes: 0 };
	/** The half that is written now, 0 or 1, and how far. */
	#current = 0;
	#used = 0;
	/** The last launch that may read the other half. */
	#readBy = 0;

	constructor(heap: Heap) {
		this.#heap = heap;
	}

	/** What this holds of the heap. */
	get bytes(): number {
		return 2 * this.#half + this.#outgrown.bytes;
	}

	/** The address of `bytes` bytes, which hold for the next launch. */
	take(bytes: number, pool: Pool): number {
		if (bytes > this.#half) this.#grow(bytes, pool);
		if (this.#used + bytes > this.#half) {
			pool.finish(this.#readBy);
			// What was handed out last may be for a launch still to come.
			this.#readBy = (pool.last + 1) | 0;
			this.#current = 1 - this.#current;
			this.#used = 0;
		}
		const at = this.#start + this.#current * this.#half + this.#used;
		this.#used += Math.ceil(bytes / ALIGN) * ALIGN;
		return at;
	}

	#grow(bytes: number, pool: Pool): void {
		// The new memory may have been somebody's that kernels under way still use.
		pool.finish();
		if (this.#outgrown.bytes > 0) this.#heap.free(this.#outgrown.start);
		this.#outgrown = { start: this.#start, bytes: 2 * this.#half };
		this.#half = Math.max(LEAST, 2 ** Math.ceil(Math.log2(bytes)));
		this.#start = this.#heap.alloc(2 * this.#half);
		this.#current = 0;
		this.#used = 0;
		this.#readBy = pool.last;
	}
}
