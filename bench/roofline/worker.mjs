// A thread of machine-limits.mjs: waits for the start, works, reports that it is done.

import { workerData } from "node:worker_threads";

/** @type {{ bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory, control: Int32Array, index: number }} */
const { bytes, memory, control, index } = workerData;
const { instance } = await WebAssembly.instantiate(bytes, { env: { memory, abort() {} } });

/** @typedef {(...args: number[]) => void} Kernel */
/** @type {Record<string, Kernel>} */
const kernels = {};
for (const [name, value] of Object.entries(instance.exports)) {
	if (typeof value === "function") kernels[name] = /** @type {Kernel} */ (value);
}
const { rounds, pairedRounds, copy, copyAtOnce } = kernels;
/** What is to be done `times` over: multiply-adds, or copying `size` bytes in one of two ways. */
const jobs = [
	(/** @type {number} */ times) => rounds(times, 0.001),
	(/** @type {number} */ times, /** @type {number} */ size) => copy(source(size), source(size) + size, size, times),
	(/** @type {number} */ times, /** @type {number} */ size) =>
		copyAtOnce(source(size), source(size) + size, size, times),
	(/** @type {number} */ times) => pairedRounds(times, 0.001, 1024 * index),
];

/** Each thread has two blocks of its own, one behind the other. @param {number} size */
function source(size) {
	return 65536 + index * 2 * size;
}

/** Where in `control`: the number of the run, the job, how often, how many bytes, threads taking part, threads done. */
const [RUN, JOB, TIMES, SIZE, THREADS, DONE] = [0, 1, 2, 3, 4, 5];
let run = 0;
Atomics.add(control, DONE, 1);
Atomics.notify(control, DONE);
for (;;) {
	Atomics.wait(control, RUN, run);
	run = Atomics.load(control, RUN);
	if (control[JOB] < 0) break;
	if (index >= control[THREADS]) continue;
	jobs[control[JOB]](control[TIMES], control[SIZE]);
	Atomics.add(control, DONE, 1);
	Atomics.notify(control, DONE);
}
