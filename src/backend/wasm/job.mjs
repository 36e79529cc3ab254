// Running one job: taking chunks by ticket until none are left. The same code runs on the main
// thread and on the workers. Each thread begins with a run of chunks of its own, the same part of
// every job, so that what it made in one job lies in its cache in the next; then it helps the
// others. Which thread takes which chunk is left to chance; what a chunk computes is not, so
// results do not depend on it.

import {
	ARG_COUNT,
	ARGS,
	GRAIN,
	KERNEL,
	RUNS,
	SCRATCH,
	SCRATCH_BYTES,
	TICKET_STEP,
	TICKETS,
	TOTAL,
} from "./layout.mjs";

/** @typedef {(...args: number[]) => void} Kernel */

/**
 * The kernels of an instance in a fixed order, so that a number names one on every thread.
 * @param {WebAssembly.Exports} exports
 * @returns {{ names: string[], kernels: Kernel[] }}
 */
export function kernelTable(exports) {
	const names = Object.keys(exports)
		.filter((name) => typeof exports[name] === "function")
		.sort();
	return { names, kernels: names.map((name) => /** @type {Kernel} */ (exports[name])) };
}

/**
 * The first chunk of a run, of `runs` that share `chunks` evenly.
 * @param {number} run
 * @param {number} runs
 * @param {number} chunks
 */
export function runStart(run, runs, chunks) {
	return Math.floor((run * chunks) / runs);
}

/**
 * Takes chunks of the current job until none are left.
 * @param {Int32Array} control
 * @param {Float64Array} args
 * @param {Kernel[]} kernels
 * @param {number} thread
 */
export function runChunks(control, args, kernels, thread) {
	const count = control[ARG_COUNT];
	const total = control[TOTAL];
	const grain = control[GRAIN];
	const runs = control[RUNS];
	const kernel = kernels[control[KERNEL]];
	const values = new Array(count + 3);
	for (let i = 0; i < count; i++) values[i] = args[i];
	values[count + 2] = control[SCRATCH] + thread * control[SCRATCH_BYTES];
	const chunks = Math.ceil(total / grain);
	for (let i = 0; i < runs; i++) {
		const run = (thread + i) % runs;
		const end = runStart(run + 1, runs, chunks);
		for (;;) {
			const chunk = Atomics.add(control, TICKETS + run * TICKET_STEP, 1);
			if (chunk >= end) break;
			values[count] = chunk * grain;
			values[count + 1] = Math.min((chunk + 1) * grain, total);
			kernel.apply(undefined, values);
		}
	}
}

/**
 * Views of the control block.
 * @param {WebAssembly.Memory} memory
 */
export function controlViews(memory) {
	return {
		control: new Int32Array(memory.buffer, 0, 1024),
		args: new Float64Array(memory.buffer, ARGS, 64),
	};
}
