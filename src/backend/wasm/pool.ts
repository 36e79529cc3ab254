// Handing jobs to threads. A job is a kernel, its arguments and a number of items cut into chunks;
// workers begin at once, the calling thread joins them when it has to wait. The protocol is
// a sequence lock: SEQ is odd while a job is written, ACTIVE counts the workers inside one.

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
	/** The kernel that {@link start} began and {@link finish} has not ended, or "". */
	#underWay = "";

	private constructor(memory: WebAssembly.Memory, exports: WebAssembly.Exports, workers: WorkerHandle[]) {
		const { control, args } = controlViews(memory);
		const { names, kernels } = kernelTable(exports);
		this.#control = control;
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
		Atomics.add(this.#control, L.SEQ, 2);
		Atomics.notify(this.#control, L.SEQ);
	}

	has(kernel: string): boolean {
		return this.#numbers.has(kernel);
	}

	/**
	 * Begins to run `kernel(...args, begin, end, scratch)` over the items [0, total) in chunks of `grain`, after what
	 * was started before. Workers take chunks at once, the calling thread in {@link finish}: until then it is free
	 * to prepare the next job. What is a single chunk is done on return.
	 */
	start(kernel: string, args: readonly number[], total: number, grain: number, scratch = 0, scratchBytes = 0): void {
		this.finish();
		if (total <= 0) return;
		const number = this.#numbers.get(kernel);
		if (number === undefined) throw new Error(`wasm: there is no kernel "${kernel}"`);
		if (this.#workers.length === 0 || total <= grain) {
			const fn = this.#kernels[number];
			for (let begin = 0; begin < total; begin += grain) {
				fn(...args, begin, Math.min(begin + grain, total), scratch);
			}
			return;
		}
		this.#underWay = kernel;
		this.#publish(number, args, total, grain, scratch, scratchBytes);
	}

	/** Takes what chunks are left of the job under way, and returns when all are done. */
	finish(): void {
		if (this.#underWay === "") return;
		const kernel = this.#underWay;
		this.#underWay = "";
		const control = this.#control;
		try {
			runChunks(control, this.#args, this.#kernels, 0);
		} finally {
			// Even if a kernel trapped here: workers may still be writing where the caller is about to free.
			waitForWorkers(control);
		}
		if (Atomics.load(control, L.FAILED) !== 0) {
			throw new Error(`wasm: kernel "${kernel}" failed on a worker; run it with init({ threads: 1 }) to see where`);
		}
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
		Atomics.add(control, L.SEQ, 1);
		waitForWorkers(control);
		control[L.FAILED] = 0;
		for (let i = 0; i < args.length; i++) this.#args[i] = args[i];
		control[L.KERNEL] = kernel;
		control[L.ARG_COUNT] = args.length;
		control[L.TOTAL] = total;
		control[L.GRAIN] = grain;
		control[L.SCRATCH] = scratch;
		control[L.SCRATCH_BYTES] = scratchBytes;
		const runs = Math.min(this.threads, L.MAX_RUNS);
		control[L.RUNS] = runs;
		const chunks = Math.ceil(total / grain);
		for (let run = 0; run < runs; run++) control[L.TICKETS + run * L.TICKET_STEP] = runStart(run, runs, chunks);
		Atomics.add(control, L.SEQ, 1);
		if (Atomics.load(control, L.SLEEPERS) !== 0) Atomics.notify(control, L.SEQ);
	}
}

/** A browser's main thread may not sleep; Node's may, and should where cores are fewer than threads. */
const maySleep = globalThis.process?.versions?.node !== undefined;
const SPINS_BEFORE_SLEEP = 20_000;
const NAP_MILLISECONDS = 0.05;

/** Returns when no worker is inside a job: spins, and after a while naps between looks. */
function waitForWorkers(control: Int32Array): void {
	for (let spins = 0; Atomics.load(control, L.ACTIVE) !== 0; spins++) {
		if (maySleep && spins > SPINS_BEFORE_SLEEP) Atomics.wait(control, L.NAP, 0, NAP_MILLISECONDS);
	}
}

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
