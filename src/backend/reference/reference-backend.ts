// The reference: plain arrays, float64, one thread. Slow, and right: the oracle for every kernel.

import { arrayTypes, type DType, type TypedArray } from "../../tensor/dtype.ts";
import { Storage } from "../../tensor/storage.ts";
import type { Backend, MemoryUse } from "../backend.ts";

class ReferenceBackend implements Backend {
	readonly name = "reference";
	readonly float = "float64";
	readonly threads = 1;
	readonly last = 0;
	readonly settled = 0;
	#used = 0;
	#peak = 0;

	alloc(dtype: DType, length: number): Storage {
		const array = new arrayTypes[dtype === "float32" ? "float64" : dtype](length);
		this.#used += array.byteLength;
		this.#peak = Math.max(this.#peak, this.#used);
		return new Storage(this, dtype === "float32" ? "float64" : dtype, length, 0, array);
	}

	free(storage: Storage): void {
		this.#used -= this.view(storage).byteLength;
	}

	view(storage: Storage): TypedArray {
		return storage.array as TypedArray;
	}

	finish(): void {}

	memory(): MemoryUse {
		return { used: this.#used, peak: this.#peak, reserved: this.#used };
	}
}

/** The one reference backend. */
export const referenceBackend: Backend = new ReferenceBackend();
