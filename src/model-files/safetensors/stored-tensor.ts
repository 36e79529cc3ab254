// A tensor of a safetensors file, in memory or still on the disk.

import type { ByteSource } from "../byte-source.ts";
import { arrayOver, numbersOf, problemOf, type SafetensorsData, type SafetensorsDType } from "./dtypes.ts";
import type { SafetensorsEntry } from "./header.ts";

/** A tensor to write: row-major. */
export interface SafetensorsTensor {
	readonly dtype: SafetensorsDType;
	readonly shape: readonly number[];
	/**
	 * As the file holds it: an array of the type; bit patterns for F16 and BF16 (Uint16Array) and 8-bit floats
	 * (Uint8Array); bytes 0 and 1 for BOOL; pairs for C64; packed bytes for F6 and F4. To be written, floats of 16
	 * and 8 bits may also be a Float32Array or Float64Array of their values, which are rounded to the nearest.
	 */
	readonly data: SafetensorsData;
}

/** A tensor that was read. */
export class StoredTensor implements SafetensorsTensor {
	readonly dtype: SafetensorsDType;
	readonly shape: readonly number[];
	/** As the file holds it, see {@link SafetensorsTensor}: a view of the file's bytes where they are aligned. */
	readonly data: SafetensorsData;
	readonly #what: string;

	/** `what` names the tensor in errors. */
	constructor({ dtype, shape }: Pick<SafetensorsEntry, "dtype" | "shape">, bytes: Uint8Array, what: string) {
		this.dtype = dtype;
		this.shape = shape;
		this.data = arrayOver(dtype, bytes);
		this.#what = what;
	}

	/** Why evenkeel cannot compute with it; null if it can. */
	get problem(): string | null {
		return problemOf(this.dtype);
	}

	/**
	 * Its values: `data`, with floats of 16 and 8 bits as float32.
	 *
	 * @throws EvenkeelError for complex numbers and types that are packed, which evenkeel does not compute with
	 */
	numbers(): SafetensorsData {
		return numbersOf(this.dtype, this.data, this.#what);
	}
}

/** A tensor of which only the place in its file is known: it is read when it is asked for, each time. */
export class TensorOnDisk implements SafetensorsTensor {
	readonly dtype: SafetensorsDType;
	readonly shape: readonly number[];
	readonly #load: () => StoredTensor;

	constructor(entry: SafetensorsEntry, source: ByteSource, what: string) {
		this.dtype = entry.dtype;
		this.shape = entry.shape;
		this.#load = () => new StoredTensor(entry, source.read(entry.begin, entry.end), what);
	}

	/** Why evenkeel cannot compute with it; null if it can. */
	get problem(): string | null {
		return problemOf(this.dtype);
	}

	/** As the file holds it, read now. */
	get data(): SafetensorsData {
		return this.#load().data;
	}

	/** Its values, read now, see {@link StoredTensor.numbers}. */
	numbers(): SafetensorsData {
		return this.#load().numbers();
	}
}
