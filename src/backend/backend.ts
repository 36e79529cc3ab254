// The contract between tensors and the place where they live. A backend owns memory and runs
// nothing by itself: what an op computes, and how, stands in the op's own folder under src/ops.

import { EvenkeelError } from "../errors.ts";
import type { DType, FloatDType, TypedArray } from "../tensor/dtype.ts";
import type { Storage } from "../tensor/storage.ts";

export type BackendName = "wasm" | "reference";

/** The builds of the wasm backend's kernels: without fused multiply-add, with it, and that with vectors in pairs, for 256 bits. */
export type KernelBuild = "simd" | "relaxed" | "wide";

export interface MemoryUse {
	/** Bytes that live tensors and the tape hold. */
	used: number;
	/** The most that was ever held at once. */
	peak: number;
	/** Bytes taken from the system. */
	reserved: number;
}

export interface Backend {
	readonly name: BackendName;
	/** The type that floating tensors have here. */
	readonly float: FloatDType;
	/** Threads that share the work, the calling one included. */
	readonly threads: number;
	/** Takes memory for `length` elements; the contents are undefined. */
	alloc(dtype: DType, length: number): Storage;
	free(storage: Storage): void;
	/**
	 * The elements in place. Valid until the next alloc. Waits for what was launched, up to the launch `through`; default: for
	 * all. Less will do only for elements that no later launch writes.
	 */
	view(storage: Storage, through?: number): TypedArray;
	/** The number of the last launch; `settled` is that of the last one known to be done, with all before it. */
	readonly last: number;
	readonly settled: number;
	/** Waits until all that was launched is done: for measuring time. Whoever looks at a tensor waits anyway. */
	finish(): void;
	memory(): MemoryUse;
}

let current: Backend | null = null;

/** The backend on which new tensors are made. */
export function currentBackend(): Backend {
	if (current === null) {
		throw new EvenkeelError("evenkeel is not initialized: call `await init()` before making tensors or layers");
	}
	return current;
}

export function setCurrentBackend(backend: Backend): void {
	current = backend;
}

/**
 * Runs `fn` with `backend` as the place for new tensors. For comparing backends; ops always run
 * where their inputs live.
 */
export function withBackend<T>(backend: Backend, fn: () => T): T {
	const before = current;
	current = backend;
	try {
		return fn();
	} finally {
		current = before;
	}
}

/** True once `init()` has finished. */
export function isInitialized(): boolean {
	return current !== null;
}
