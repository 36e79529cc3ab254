// Running one job: taking chunks by ticket until none are left. The same code runs on the main
// thread and on the workers. Which thread takes which chunk is left to chance; what a chunk
// computes is not, so results do not depend on it.

import { ARG_COUNT, ARGS, GRAIN, KERNEL, SCRATCH, SCRATCH_BYTES, TICKET, TOTAL } from "./layout.mjs";

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
	const kernel = kernels[control[KERNEL]];
	const values = new Array(count + 3);
	for (let i = 0; i < count; i++) values[i] = args[i];
	values[count + 2] = control[SCRATCH] + thread * control[SCRATCH_BYTES];
	for (;;) {
		const begin = Atomics.add(control, TICKET, 1) * grain;
		if (begin >= total) return;
		values[count] = begin;
		values[count + 1] = Math.min(begin + grain, total);
		kernel.apply(undefined, values);
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
