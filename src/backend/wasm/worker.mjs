// The worker: instantiates the kernels on the shared memory, then waits for jobs. Spins briefly
// for the next one, since a training step is a row of short jobs, and sleeps after that.

import { controlViews, kernelTable, runChunks } from "./job.mjs";
import { ACTIVE, FAILED, SEQ, SLEEPERS, STOP } from "./layout.mjs";

const SPIN_MILLISECONDS = 0.2;

/** @param {{ module: WebAssembly.Module, memory: WebAssembly.Memory, thread: number, generation: number }} start */
async function work({ module, memory, thread, generation }) {
	const { control, args } = controlViews(memory);
	const kernels = await instantiate(module, memory);
	if (!kernels) return close();
	let seen = Atomics.load(control, SEQ);
	report({ ready: true });
	while (Atomics.load(control, STOP) < generation) {
		const seq = Atomics.load(control, SEQ);
		if (seq === seen || seq & 1) {
			waitForChange(control, seen);
			continue;
		}
		Atomics.add(control, ACTIVE, 1);
		// Entered: if this is still the job that was seen, it is not rewritten until ACTIVE is zero.
		if (Atomics.load(control, SEQ) === seq) {
			seen = seq;
			try {
				runChunks(control, args, kernels, thread);
			} catch {
				Atomics.store(control, FAILED, thread);
			}
		}
		Atomics.sub(control, ACTIVE, 1);
	}
	close();
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
		for (let i = 0; i < 200; i++) {
			const seq = Atomics.load(control, SEQ);
			if (seq !== seen && !(seq & 1)) return;
		}
	} while (performance.now() < until);
	Atomics.add(control, SLEEPERS, 1);
	Atomics.wait(control, SEQ, seen);
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
