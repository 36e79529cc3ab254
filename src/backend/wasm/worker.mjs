// The worker: instantiates the kernels on the shared memory, then goes through the queue of jobs, one after the other.
// Spins briefly for the next one, since a training step is a row of short jobs, and sleeps after that.

import { controlViews, kernelTable, runChunks } from "./job.mjs";
import { ACTIVE, LAST, LEFT, NAP, NUMBER, SIGNAL, SLEEPERS, SLOTS, STOP, slotOf } from "./layout.mjs";

const SPIN_MILLISECONDS = 0.2;
const SPINS_BEFORE_NAP = 20_000;
const NAP_MILLISECONDS = 0.05;

/** @param {{ module: WebAssembly.Module, memory: WebAssembly.Memory, thread: number, generation: number }} start */
async function work({ module, memory, thread, generation }) {
	const { control, args } = controlViews(memory);
	const kernels = await instantiate(module, memory);
	if (!kernels) return close();
	let number = (Atomics.load(control, LAST) + 1) | 0;
	report({ ready: true });
	while (Atomics.load(control, STOP) < generation) {
		const signal = Atomics.load(control, SIGNAL);
		const slot = slotOf(number);
		const found = Atomics.load(control, slot + NUMBER);
		if (found !== number) {
			// In the place of a job that this thread has slept through stands one that came later.
			if (((Atomics.load(control, LAST) - number) | 0) >= SLOTS) number = (Atomics.load(control, LAST) - SLOTS + 1) | 0;
			else waitForChange(control, signal);
			continue;
		}
		Atomics.add(control, slot + ACTIVE, 1);
		// Entered: if this is still the job that was seen, its place is not rewritten until ACTIVE is zero.
		const entered = Atomics.load(control, slot + NUMBER) === number && Atomics.load(control, STOP) < generation;
		if (entered) {
			try {
				runChunks(control, args, kernels, number, thread);
			} catch {
				// The pool finds it in the job's place.
			}
		}
		Atomics.sub(control, slot + ACTIVE, 1);
		if (!entered) continue;
		waitUntilDone(control, number);
		number = (number + 1) | 0;
	}
	close();
}

/**
 * Returns when all chunks of a job are done, whoever does them: the next one needs what it makes.
 * @param {Int32Array} control
 * @param {number} number
 */
function waitUntilDone(control, number) {
	const slot = slotOf(number);
	for (let spins = 0; Atomics.load(control, slot + LEFT) !== 0; spins++) {
		if (Atomics.load(control, slot + NUMBER) !== number) return;
		if (spins > SPINS_BEFORE_NAP) Atomics.wait(control, NAP, 0, NAP_MILLISECONDS);
	}
}

/**
 * The kernels on this thread; null, and a report, where they do not start.
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Memory} memory
 */
async function instantiate(module, memory) {
	try {
		const instance = await WebAssembly.instantiate(module, { env: { memory } });
		return kernelTable(instance.exports).kernels;
	} catch (error) {
		report({ error: String(error) });
		return null;
	}
}

/**
 * @param {Int32Array} control
 * @param {number} seen
 */
function waitForChange(control, seen) {
	const until = performance.now() + SPIN_MILLISECONDS;
	do {
		for (let i = 0; i < 200; i++) if (Atomics.load(control, SIGNAL) !== seen) return;
	} while (performance.now() < until);
	Atomics.add(control, SLEEPERS, 1);
	Atomics.wait(control, SIGNAL, seen);
	Atomics.sub(control, SLEEPERS, 1);
}

/** @type {(message: object) => void} */
let report;
/** @type {() => void} */
let close;

// Node's workers and the browser's differ only here. The builtin is reached through `process`, so
// that bundlers for the browser have nothing to resolve.
const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
if (threads?.parentPort) {
	const port = threads.parentPort;
	report = (message) => port.postMessage(message);
	close = () => port.close();
	port.once("message", work);
} else {
	report = (message) => globalThis.postMessage(message);
	close = () => globalThis.close();
	globalThis.addEventListener("message", (event) => work(event.data), { once: true });
}
