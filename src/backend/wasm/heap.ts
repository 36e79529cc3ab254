// The heap: one WebAssembly memory, from which tensors take blocks and to which they give them
// back. Best fit with coalescing; a training step asks for the same sizes again and again and so
// gets the same addresses. Only the main thread allocates.

import { EvenkeelError } from "../../errors.ts";
import { HEAP_START } from "./layout.mjs";

const PAGE = 65536;
/** Blocks are whole cache lines. */
const ALIGN = 64;
/** From so many bytes on, a block's length is chosen so that those behind it do not start where pages do alike. */
const LARGE = 65536;
const ALIAS = 4096;
const STAGGER = 1088;
/** Kernels may read, never write, up to this far past the end of a block. */
const OVERREAD = 256;

/** Tensors that nobody frees by hand: what may be let go before memory runs out. */
export interface Garbage {
	/** Bytes behind tensors outside of any scope. */
	readonly bytes: number;
	collect(): void;
}

export class Heap {
	readonly memory: WebAssembly.Memory;
	readonly #garbage: Garbage;
	#views: {
		float32: Float32Array;
		float64: Float64Array;
		int32: Int32Array;
		uint8: Uint8Array;
	};
	/** Free blocks by address: starts and lengths. */
	#starts: number[] = [];
	#lengths: number[] = [];
	#end = HEAP_START;
	#sizes = new Map<number, number>();
	#used = 0;
	#peak = 0;

	constructor(memory: WebAssembly.Memory, garbage: Garbage = { bytes: 0, collect() {} }) {
		this.memory = memory;
		this.#garbage = garbage;
		this.#views = this.#makeViews();
	}

	get used(): number {
		return this.#used;
	}

	get peak(): number {
		return this.#peak;
	}

	get reserved(): number {
		return this.#views.uint8.length;
	}

	/** The whole memory under each element type. Valid until the next alloc. */
	get views() {
		return this.#views;
	}

	/** The address of a block of at least `bytes` bytes, on a cache line. Its contents are undefined. */
	alloc(bytes: number): number {
		if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Error(`heap: asked for ${bytes} bytes`);
		const length = lengthOf(bytes);
		const start = this.#takeFree(length) ?? this.#takeEnd(length);
		this.#sizes.set(start, length);
		this.#used += length;
		if (this.#used > this.#peak) this.#peak = this.#used;
		return start;
	}

	free(start: number): void {
		const length = this.#sizes.get(start);
		if (length === undefined) throw new Error(`heap: no block at ${start}`);
		this.#sizes.delete(start);
		this.#used -= length;
		this.#giveBack(start, length);
	}

	#takeFree(length: number): number | undefined {
		let best = -1;
		for (let i = 0; i < this.#lengths.length; i++) {
			const free = this.#lengths[i];
			if (free >= length && (best < 0 || free < this.#lengths[best])) {
				best = i;
				if (free === length) break;
			}
		}
		if (best < 0) return undefined;
		const start = this.#starts[best];
		if (this.#lengths[best] === length) {
			this.#starts.splice(best, 1);
			this.#lengths.splice(best, 1);
		} else {
			this.#starts[best] += length;
			this.#lengths[best] -= length;
		}
		return start;
	}

	#takeEnd(length: number): number {
		if (!this.#reach(length)) {
			this.#garbage.collect();
			const free = this.#takeFree(length);
			if (free !== undefined) return free;
			if (!this.#reach(length)) this.#outOfMemory(length);
		}
		const start = this.#end;
		this.#end = start + length;
		return start;
	}

	/** Whether memory ends `length` behind the last block, or has been made to. */
	#reach(length: number): boolean {
		const need = this.#end + length + OVERREAD - this.reserved;
		return need <= 0 || this.#grow(need);
	}

	#giveBack(start: number, length: number): void {
		const starts = this.#starts;
		const lengths = this.#lengths;
		let low = 0;
		let high = starts.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (starts[middle] < start) low = middle + 1;
			else high = middle;
		}
		const joinsBefore = low > 0 && starts[low - 1] + lengths[low - 1] === start;
		const joinsAfter = low < starts.length && start + length === starts[low];
		if (joinsBefore && joinsAfter) {
			lengths[low - 1] += length + lengths[low];
			starts.splice(low, 1);
			lengths.splice(low, 1);
		} else if (joinsBefore) lengths[low - 1] += length;
		else if (joinsAfter) {
			starts[low] = start;
			lengths[low] += length;
		} else {
			starts.splice(low, 0, start);
			lengths.splice(low, 0, length);
		}
		const last = starts.length - 1;
		if (last >= 0 && starts[last] + lengths[last] === this.#end) {
			this.#end = starts[last];
			starts.pop();
			lengths.pop();
		}
	}

	#grow(bytes: number): boolean {
		// At least an eighth more each time, so that growing is rare.
		const pages = Math.ceil(Math.max(bytes, this.reserved / 8) / PAGE);
		for (const attempt of [pages, Math.ceil(bytes / PAGE)]) {
			try {
				this.memory.grow(attempt);
				this.#views = this.#makeViews();
				return true;
			} catch {
				// Too much at once: the second attempt asks for just what is needed.
			}
		}
		return false;
	}

	#outOfMemory(length: number): never {
		throw new EvenkeelError(
			`out of memory: tensors hold ${megabytes(this.#used)}, those outside of any scope ${megabytes(this.#garbage.bytes)} of it, ` +
				`and ${megabytes(length)} more were asked for; run each step in scope(() => …), which frees what it made, or use a smaller batch`,
		);
	}

	#makeViews() {
		const { buffer } = this.memory;
		return {
			float32: new Float32Array(buffer),
			float64: new Float64Array(buffer),
			int32: new Int32Array(buffer),
			uint8: new Uint8Array(buffer),
		};
	}
}

/**
 * The length of a block for `bytes` bytes. A processor takes a load for one of what was just stored where the last
 * twelve bits of their addresses agree, and waits. Tensors of the sizes that are common in networks, one after the other,
 * would agree in them element by element; a kernel that reads one and writes the other loses a tenth to a quarter.
 */
function lengthOf(bytes: number): number {
	if (bytes < LARGE) return Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
	return Math.ceil((bytes - STAGGER) / ALIAS) * ALIAS + STAGGER;
}

function megabytes(bytes: number): string {
	return `${(bytes / 1e6).toFixed(1)} MB`;
}
