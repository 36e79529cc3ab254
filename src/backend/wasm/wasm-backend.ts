// The wasm backend: a heap that all tensors live in and a pool that runs kernels over it.

import { arrayTypes, bytesPerElement, type DType, type TypedArray } from "../../tensor/dtype.ts";
import { Storage } from "../../tensor/storage.ts";
import { unscoped } from "../../tensor/tensor.ts";
import { spanEnd, spanStart } from "../../trace.ts";
import type { Backend, KernelBuild, MemoryUse } from "../backend.ts";
import { Heap } from "./heap.ts";
import { bestBuild, kernelBytes, privateMemory, sharedMemory, withPrivateMemory } from "./module.ts";
import { Pool } from "./pool.ts";
import { Staging } from "./staging.ts";
import { Tables } from "./tables.ts";

export class WasmBackend implements Backend {
	readonly name = "wasm";
	readonly float = "float32";
	/** Which build of the kernels runs. */
	readonly build: KernelBuild;
	/** Why fewer threads run than were asked for, or "". */
	notice = "";
	readonly #module: WebAssembly.Module;
	readonly #exports: WebAssembly.Exports;
	readonly #heap: Heap;
	readonly #tables: Tables;
	readonly #staging: Staging;
	readonly #shared: boolean;
	#pool: Pool;
	#change: Promise<void> = Promise.resolve();
	#generation = 1;
	#scratch = 0;
	#scratchBytes = 0;

	private constructor(
		build: KernelBuild,
		module: WebAssembly.Module,
		exports: WebAssembly.Exports,
		heap: Heap,
		shared: boolean,
		pool: Pool,
	) {
		this.build = build;
		this.#module = module;
		this.#exports = exports;
		this.#heap = heap;
		this.#tables = new Tables(heap);
		this.#staging = new Staging(heap);
		this.#shared = shared;
		this.#pool = pool;
	}

	/** Loads the kernels, on one thread. `shared: false` does without shared memory; `build` is by default the best there is but for `wide`. */
	static async load(options: { shared?: boolean; build?: KernelBuild } = {}): Promise<WasmBackend> {
		const best = bestBuild(options.build === "wide");
		const { build = best } = options;
		const memory = options.shared === false ? null : sharedMemory();
		const bytes = await kernelBytes(build);
		const module = await WebAssembly.compile(memory ? bytes : withPrivateMemory(bytes));
		const heapMemory = memory ?? privateMemory();
		const { exports } = await WebAssembly.instantiate(module, { env: { memory: heapMemory } });
		const pool = Pool.ofOne(heapMemory, exports);
		return new WasmBackend(build, module, exports, new Heap(heapMemory, unscoped), memory !== null, pool);
	}

	get threads(): number {
		return this.#pool.threads;
	}

	/** Changes the number of threads; tensors stay as they are. Meanwhile kernels run on the calling thread. */
	setThreads(threads: number): Promise<void> {
		// One change after the other: two at once would stop each other's workers.
		this.#change = this.#change.then(() => this.#setThreads(threads));
		return this.#change;
	}

	async #setThreads(threads: number): Promise<void> {
		this.notice = "";
		let wanted = threads;
		if (threads > 1 && !this.#shared) {
			this.notice =
				"this page is not cross-origin isolated, so memory cannot be shared: running on one thread. " +
				"Serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
			wanted = 1;
		}
		if (wanted === this.threads) return;
		this.#pool.finish();
		this.#pool.stop(this.#generation);
		this.#generation++;
		// New workers may be up before all of them are, and must find no job: their scratch is not there yet.
		this.#pool = Pool.ofOne(this.#heap.memory, this.#exports);
		try {
			const pool = await Pool.withWorkers(this.#module, this.#heap.memory, this.#exports, wanted, this.#generation);
			this.#makeScratch(this.#scratchBytes, wanted);
			this.#pool = pool;
		} catch (error) {
			this.notice = `workers could not be started (${error instanceof Error ? error.message : error}): running on one thread`;
		}
	}

	alloc(dtype: DType, length: number): Storage {
		const type = dtype === "float64" ? "float32" : dtype;
		return new Storage(this, type, length, this.#heap.alloc(length * bytesPerElement[type]), null);
	}

	free(storage: Storage): void {
		this.#heap.free(storage.ptr);
	}

	view(storage: Storage, through = this.last): TypedArray {
		this.#pool.finish(through);
		// Shared or not, the views read alike; only their type tells them apart.
		const buffer = this.#heap.views.uint8.buffer as ArrayBuffer;
		return new arrayTypes[storage.dtype](buffer, storage.ptr, storage.length);
	}

	get last(): number {
		return this.#pool.last;
	}

	get settled(): number {
		return this.#pool.settled;
	}

	finish(): void {
		this.#pool.finish();
	}

	memory(): MemoryUse {
		return {
			used: this.#heap.used - this.#tables.bytes - this.#staging.bytes,
			peak: this.#heap.peak,
			reserved: this.#heap.reserved,
		};
	}

	/**
	 * The whole heap as int32 or float32, for small tables that kernels read. Valid until the next alloc or launch: what
	 * was launched before has been done.
	 */
	get heapViews() {
		this.#pool.finish();
		return this.#heap.views;
	}

	/** Memory for a kernel's own use, to be given back with {@link giveBack}. Contents undefined. */
	take(bytes: number): number {
		return this.#heap.alloc(bytes);
	}

	giveBack(ptr: number): void {
		this.#heap.free(ptr);
	}

	/**
	 * The address of a table of whole numbers in the heap, which must not change any more. The same numbers stay where
	 * they are, so it is not given back. It holds for the next launch; ask again for another.
	 */
	table(values: ArrayLike<number>): number {
		return this.#tables.find(values) ?? this.#addTable(values);
	}

	/**
	 * The address of memory for `length` numbers that the next launch reads, and the heap to write them to; launches under way
	 * are not waited for. Views hold until the next alloc.
	 */
	stage(length: number): { ptr: number; int32: Int32Array; float32: Float32Array } {
		const ptr = this.#staging.take(4 * length, this.#pool);
		const { int32, float32 } = this.#heap.views;
		return { ptr, int32, float32 };
	}

	#addTable(values: ArrayLike<number>): number {
		// What kernels under way read or write may have been freed, and be what the table takes.
		this.#pool.finish();
		return this.#tables.add(values);
	}

	/**
	 * Runs `kernel(...args, begin, end, scratch)` over [0, total) in chunks of `grain` items on all
	 * threads. With workers it may return before that is done, or before it has begun: launches follow one another, and
	 * {@link view}, {@link heapViews} and {@link finish} wait. `scratch` is `scratchBytes` of memory that no other thread touches meanwhile. The
	 * grain must depend on shapes alone, never on the number of threads, unless results do not depend on the grain.
	 */
	launch(kernel: string, args: readonly number[], total: number, grain: number, scratchBytes = 0): void {
		if (scratchBytes > this.#scratchBytes) this.#makeScratch(scratchBytes, this.threads);
		const start = spanStart();
		this.#pool.start(kernel, args, total, grain, this.#scratch, this.#scratchBytes);
		if (start === 0) return;
		this.#pool.finish();
		spanEnd("kernel", kernel, start);
	}

	#makeScratch(bytes: number, threads: number): void {
		if (this.#scratch !== 0) this.#heap.free(this.#scratch);
		// Whole pages apart, so that threads share no cache line.
		const each = Math.ceil(bytes / 4096) * 4096;
		this.#scratch = 0;
		this.#scratchBytes = 0;
		if (each === 0) return;
		this.#scratch = this.#heap.alloc(each * threads);
		this.#scratchBytes = each;
	}
}
