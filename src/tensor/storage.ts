// A run of elements in a backend's memory, shared by every tensor that views it and by every
// tape node that saved it. The last one to let go gives the memory back.

import type { Backend } from "../backend/backend.ts";
import { bytesPerElement, type DType, type TypedArray } from "./dtype.ts";

export class Storage {
	readonly backend: Backend;
	readonly dtype: DType;
	readonly length: number;
	/** Byte offset in the WebAssembly heap; 0 where the backend has no such heap. */
	readonly ptr: number;
	/** The elements themselves, where the backend keeps them in a JavaScript array. */
	readonly array: TypedArray | null;
	/** Counts writes in place, so that a saved tensor that has changed since is noticed. */
	version = 0;
	/** How many tensors outside of any scope hold it (src/tensor/unscoped.ts). */
	outside = 0;
	#refs = 1;

	constructor(backend: Backend, dtype: DType, length: number, ptr: number, array: TypedArray | null) {
		this.backend = backend;
		this.dtype = dtype;
		this.length = length;
		this.ptr = ptr;
		this.array = array;
	}

	get bytes(): number {
		return this.length * bytesPerElement[this.dtype];
	}

	get refs(): number {
		return this.#refs;
	}

	retain(): this {
		this.#refs++;
		return this;
	}

	release(): void {
		if (--this.#refs === 0) this.backend.free(this);
	}
}
