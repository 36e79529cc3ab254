// Handing jobs to threads. A job is a kernel, its arguments and a number of items cut into chunks. Jobs are done one after
// the other, in the order in which they were started: they wait in a queue in shared memory, which the workers go through by
// themselves. The calling thread joins them when it has to wait; until then it is free to prepare what comes next.
//
// A place in the queue is written under a lock: its NUMBER is another one meanwhile, and ACTIVE counts the workers inside.

import { controlViews, kernelTable, runChunks, runStart } from "./job.mjs";
import * as L from "./layout.mjs";

type Kernel = (...args: number[]) => void;

/** What a worker of either kind (Node, browser) is to the pool. */
interface WorkerHandle {
	post(message: object): void;
	onMessage(listener: (message: { ready?: boolean; error?: string }) => void): void;
	onError(listener: (error: unknown) => void): void;
	/** From now on an idle worker does not keep the process alive. Until it is ready it must. */
	unref(): void;
	terminate(): void;
}

export class Pool {
	readonly threads: number;
	readonly #control: Int32Array;
	readonly #args: Float64Array;
	readonly #kernels: Kernel[];
	readonly #numbers: Map<string, number>;
	readonly #workers: WorkerHandle[];
	/** The kernels of the jobs in the queue, by place. */
	readonly #names = new Array<string>(L.SLOTS).fill("");
	/** The number of the oldest job not known to be done, and that of the next one. */
	#first: number;
	#next: number;

	private constructor(memory: WebAssembly.Memory, exports: WebAssembly.Exports, workers: WorkerHandle[]) {
		const { control, args } = controlViews(memory);
		const { names, kernels } = kernelTable(exports);
		this.#control = control;
		this.#first = this.#next = (control[L.LAST] + 1) | 0;
		this.#args = args;
		this.#kernels = kernels;
		this.#numbers = new Map(names.map((name, number) => [name, number]));
		this.#workers = workers;
		this.threads = workers.length + 1;
	}

	/** The calling thread alone. */
	static ofOne(memory: WebAssembly.Memory, exports: WebAssembly.Exports): Pool {
		return new Pool(memory, exports, []);
	}

	/** Starts `threads - 1` workers on `memory` and waits until they are ready. */
	static async withWorkers(
		module: WebAssembly.Module,
		memory: WebAssembly.Memory,
		exports: WebAssembly.Exports,
		threads: number,
		generation: number,
	): Promise<Pool> {
		const workers = Array.from({ length: threads - 1 }, makeWorker);
		try {
			await Promise.all(workers.map((worker, i) => ready(worker, { module, memory, thread: i + 1, generation })));
		} catch (error) {
			for (const worker of workers) worker.terminate();
			throw error;
		}
		for (const worker of workers) worker.unref();
		return new Pool(memory, exports, workers);
	}

	/** Ends the workers of this pool and of every earlier one. */
	stop(generation: number): void {
		Atomics.store(this.#control, L.STOP, generation);
		Atomics.add(this.#control, L.SIGNAL, 1);
		Atomics.notify(this.#control, L.SIGNAL);
	}

	has(kernel: string): boolean {
		return this.#numbers.has(kernel);
	}

	/**
	 * Begins to run `kernel(...args, begin, end, scratch)` over the items [0, total) in chunks of `grain`, after what
	 * was started before. What is a single chunk, with nothing before it under way, is done on return.
	 *
	 * @throws Error if there is no such kernel
	 */
	start(kernel: string, args: readonly number[], total: number, grain: number, scratch = 0, scratchBytes = 0): void {
		if (total <= 0) return;
		const number = this.#numbers.get(kernel);
		if (number === undefined) throw new Error(`wasm: there is no kernel "${kernel}"`);
		if (this.#workers.length === 0 || (total <= grain && this.#isIdle())) {
			const fn = this.#kernels[number];
			const values = [...args, 0, 0, scratch];
			for (let begin = 0; begin < total; begin += grain) {
				values[args.length] = begin;
				values[args.length + 1] = Math.min(begin + grain, total);
				fn.apply(undefined, values);
			}
			return;
		}
		if (((this.#next - this.#first) | 0) >= L.SLOTS) this.finish(this.#first);
		this.#names[this.#next & (L.SLOTS - 1)] = kernel;
		this.#publish(number, args, total, grain, scratch, scratchBytes);
	}

	/** The number of the job started last, for {@link finish}. */
	get last(): number {
		return (this.#next - 1) | 0;
	}

	/** The number of the last job that is known to be done, and all before it. */
	get settled(): number {
		return (this.#first - 1) | 0;
	}

	/**
	 * Takes part in the jobs up to `through`, and returns when they are done. Default: all.
	 *
	 * @throws Error if a kernel trapped
	 */
	finish(through = this.last): void {
		const control = this.#control;
		let failure: unknown;
		while (this.#first !== this.#next && ((through - this.#first) | 0) >= 0) {
			const number = this.#first;
			const slot = L.slotOf(number);
			// Even if a kernel has trapped: others may still write where the caller is about to free, and chunks must not be left.
			for (let spins = 0; Atomics.load(control, slot + L.LEFT) !== 0; spins++) {
				try {
					if (spins === 0 || failure) runChunks(control, this.#args, this.#kernels, number, 0);
				} catch (error) {
					failure ??= error;
				}
				if (maySleep && spins > SPINS_BEFORE_SLEEP) Atomics.wait(control, L.NAP, 0, NAP_MILLISECONDS);
			}
			if (control[slot + L.FAILED] !== 0) {
				const kernel = this.#names[number & (L.SLOTS - 1)];
				failure ??= new Error(
					`wasm: kernel "${kernel}" failed on a worker; run it with init({ threads: 1 }) to see where`,
				);
			}
			this.#first = (number + 1) | 0;
		}
		if (failure) throw failure;
	}

	/** Whether all jobs are done. */
	#isIdle(): boolean {
		while (this.#first !== this.#next) {
			const slot = L.slotOf(this.#first);
			if (Atomics.load(this.#control, slot + L.LEFT) !== 0 || this.#control[slot + L.FAILED] !== 0) return false;
			this.#first = (this.#first + 1) | 0;
		}
		return true;
	}

	#publish(
		kernel: number,
		args: readonly number[],
		total: number,
		grain: number,
		scratch: number,
		scratchBytes: number,
	): void {
		const control = this.#control;
		const number = this.#next;
		const slot = L.slotOf(number);
		Atomics.store(control, slot + L.NUMBER, ~number);
		for (let spins = 0; Atomics.load(control, slot + L.ACTIVE) !== 0; spins++) {
			if (maySleep && spins > SPINS_BEFORE_SLEEP) Atomics.wait(control, L.NAP, 0, NAP_MILLISECONDS);
		}
		const first = (number & (L.SLOTS - 1)) * L.MAX_ARGS;
		for (let i = 0; i < args.length; i++) this.#args[first + i] = args[i];
		control[slot + L.KERNEL] = kernel;
		control[slot + L.ARG_COUNT] = args.length;
		control[slot + L.TOTAL] = total;
		control[slot + L.GRAIN] = grain;
		control[slot + L.SCRATCH] = scratch;
		control[slot + L.SCRATCH_BYTES] = scratchBytes;
		control[slot + L.FAILED] = 0;
		const runs = Math.min(this.threads, L.MAX_RUNS);
		control[slot + L.RUNS] = runs;
		const chunks = Math.ceil(total / grain);
		control[slot + L.LEFT] = chunks;
		for (let run = 0; run < runs; run++) {
			control[slot + L.TICKETS + run * L.TICKET_STEP] = runStart(run, runs, chunks);
		}
		Atomics.store(control, slot + L.NUMBER, number);
		Atomics.store(control, L.LAST, number);
		this.#next = (number + 1) | 0;
		Atomics.add(control, L.SIGNAL, 1);
		if (Atomics.load(control, L.SLEEPERS) !== 0) Atomics.notify(control, L.SIGNAL);
	}
}

/** A browser's main thread may not sleep; Node's may, and should where cores are fewer than threads. */
const maySleep = globalThis.process?.versions?.node !== undefined;
const SPINS_BEFORE_SLEEP = 20_000;
const NAP_MILLISECONDS = 0.05;

function ready(worker: WorkerHandle, start: object): Promise<void> {
	return new Promise((resolve, reject) => {
		worker.onMessage(({ error }) => (error === undefined ? resolve() : reject(new Error(error))));
		worker.onError(reject);
		worker.post(start);
	});
}

function makeWorker(): WorkerHandle {
	const node = globalThis.process?.getBuiltinModule?.("node:worker_threads");
	if (node) {
		const worker = new node.Worker(new URL("./worker.mjs", import.meta.url), { execArgv: [] });
		return {
			post: (message) => worker.postMessage(message),
			onMessage: (listener) => worker.on("message", listener),
			onError: (listener) => worker.on("error", listener),
			unref: () => worker.unref(),
			terminate: () => void worker.terminate(),
		};
	}
	const worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
	return {
		post: (message) => worker.postMessage(message),
		onMessage: (listener) => worker.addEventListener("message", (event) => listener(event.data)),
		onError: (listener) =>
			worker.addEventListener("error", (event) => listener(new Error(event.message || "the worker did not load"))),
		unref: () => {},
		terminate: () => worker.terminate(),
	};
}
