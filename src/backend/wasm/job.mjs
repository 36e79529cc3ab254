// Running a job: taking chunks by ticket until none are left. The same code runs on the main
// thread and on the workers. Each thread begins with a run of chunks of its own, the same part of
// every job, so that what it made in one job lies in its cache in the next; then it helps the
// others. Which thread takes which chunk is left to chance; what a chunk computes is not, so
// results do not depend on it.

import * as L from "./layout.mjs";

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
 * Takes chunks of job `number` until none are left. If a kernel traps, others take what is left.
 * @param {Int32Array} control
 * @param {Float64Array} args
 * @param {Kernel[]} kernels
 * @param {number} number
 * @param {number} thread
 */
export function runChunks(control, args, kernels, number, thread) {
	const slot = L.slotOf(number);
	const count = control[slot + L.ARG_COUNT];
	const total = control[slot + L.TOTAL];
	const grain = control[slot + L.GRAIN];
	const runs = control[slot + L.RUNS];
	const kernel = kernels[control[slot + L.KERNEL]];
	// Of numbers as values, not as float64, which would be turned into values anew for each call.
	const values = new Array(count + 3).fill(undefined);
	const first = (number & (L.SLOTS - 1)) * L.MAX_ARGS;
	for (let i = 0; i < count; i++) {
		const value = args[first + i];
		values[i] = Object.is(value | 0, value) ? value | 0 : value;
	}
	values[count + 2] = control[slot + L.SCRATCH] + thread * control[slot + L.SCRATCH_BYTES];
	const chunks = Math.ceil(total / grain);
	let taken = 0;
	try {
		for (let i = 0; i < runs; i++) {
			const run = (thread + i) % runs;
			const end = runStart(run + 1, runs, chunks);
			for (;;) {
				const chunk = Atomics.add(control, slot + L.TICKETS + run * L.TICKET_STEP, 1);
				if (chunk >= end) break;
				taken++;
				values[count] = chunk * grain;
				values[count + 1] = Math.min((chunk + 1) * grain, total);
				kernel.apply(undefined, values);
			}
		}
	} catch (error) {
		// Before the chunk counts as done, so that who waits for it sees this.
		if (thread > 0) Atomics.store(control, slot + L.FAILED, thread);
		throw error;
	} finally {
		if (taken > 0) Atomics.sub(control, slot + L.LEFT, taken);
	}
}

/**
 * Views of the control block and of the arguments.
 * @param {WebAssembly.Memory} memory
 */
export function controlViews(memory) {
	return {
		control: new Int32Array(memory.buffer, 0, L.ARGS / 4),
		args: new Float64Array(memory.buffer, L.ARGS, L.SLOTS * L.MAX_ARGS),
	};
}
