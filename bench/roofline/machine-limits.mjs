// What this machine can do: floating-point operations a second with 128-bit SIMD, with 256 bits where V8 makes them, and bytes copied a second (read and
// written) by how many bytes are worked on, on one thread and on several.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import asc from "assemblyscript/asc";

/**
 * @typedef {object} Limits of some number of threads together
 * @property {number} flops a second, in vectors of 128 bits
 * @property {number} wideFlops the same where V8 makes one vector of 256 bits of two, or no more than `flops`
 * @property {{ bytes: number, perSecond: number }[]} copying by bytes worked on (read and written)
 */

const [RUN, JOB, TIMES, SIZE, THREADS, DONE] = [0, 1, 2, 3, 4, 5];
const [ROUNDS, COPY, COPY_AT_ONCE, PAIRED_ROUNDS] = [0, 1, 2, 3];
const OPERATIONS_A_ROUND = 96;
/** Bytes read and written together by all threads; the last is far beyond any cache. */
const sizes = [0.25, 1, 4, 16, 64, 512].map((mebibytes) => mebibytes * 2 ** 20);
/** Each try takes about this long. */
const SECONDS = 0.02;

/**
 * Calls `fn` with what measures the limits of so many threads together, up to `threads`: the best of some tries, since a limit
 * is what was reached once.
 *
 * @template T
 * @param {number} threads
 * @param {(limitsOf: (threads: number, tries: number) => Limits) => Promise<T>} fn
 * @returns {Promise<T>}
 */
export async function withLimits(threads, fn) {
	const crew = await Crew.start(threads);
	try {
		return await fn((count, tries) => limitsOf(crew, count, tries));
	} finally {
		crew.stop();
	}
}

/** @param {Crew} crew @param {number} threads @param {number} tries @returns {Limits} */
function limitsOf(crew, threads, tries) {
	const flops = crew.best(ROUNDS, threads, 0, tries) * OPERATIONS_A_ROUND * threads;
	const paired = 2 * crew.best(PAIRED_ROUNDS, threads, 0, tries) * OPERATIONS_A_ROUND * threads;
	const copying = sizes.map((bytes) => {
		const size = Math.floor(bytes / 2 / threads / 64) * 64;
		const times = Math.max(crew.best(COPY, threads, size, tries), crew.best(COPY_AT_ONCE, threads, size, tries));
		return { bytes, perSecond: times * size * 2 * threads };
	});
	return { flops, wideFlops: Math.max(flops, paired), copying };
}

/**
 * Bytes a second when `bytes` are worked on: between two measured sizes by proportion of their logarithms.
 *
 * @param {Limits} limits @param {number} bytes
 */
export function copyRate({ copying }, bytes) {
	const above = copying.findIndex((each) => each.bytes >= bytes);
	if (above === 0) return copying[0].perSecond;
	if (above < 0) return copying[copying.length - 1].perSecond;
	const [low, high] = [copying[above - 1], copying[above]];
	const share = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
	return low.perSecond + share * (high.perSecond - low.perSecond);
}

/** Threads that wait for work. */
class Crew {
	#control = new Int32Array(new SharedArrayBuffer(64));

	/** @param {number} threads */
	static async start(threads) {
		const crew = new Crew();
		const bytes = await compile();
		const pages = Math.ceil((sizes[sizes.length - 1] + 2 * 65536) / 65536);
		const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
		// A page of memory that was never written may be one page of zeros for all.
		new Uint8Array(memory.buffer).fill(1);
		for (let index = 0; index < threads; index++) {
			const workerData = { bytes, memory, control: crew.#control, index };
			new Worker(new URL("worker.mjs", import.meta.url), { workerData }).unref();
		}
		while (Atomics.load(crew.#control, DONE) < threads) await new Promise((resolve) => setTimeout(resolve, 5));
		return crew;
	}

	/**
	 * The most times a second that each of `threads` does `job`, in so many tries.
	 *
	 * @param {number} job @param {number} threads @param {number} size @param {number} tries
	 */
	best(job, threads, size, tries) {
		let times = 1;
		while (this.#seconds(job, threads, size, times) < SECONDS / 4) times *= 2;
		let best = 0;
		for (let i = 0; i < tries; i++) best = Math.max(best, (4 * times) / this.#seconds(job, threads, size, 4 * times));
		return best;
	}

	stop() {
		this.#control[JOB] = -1;
		this.#go();
	}

	/** @param {number} job @param {number} threads @param {number} size @param {number} times */
	#seconds(job, threads, size, times) {
		const control = this.#control;
		control[JOB] = job;
		control[TIMES] = times;
		control[SIZE] = size;
		control[THREADS] = threads;
		control[DONE] = 0;
		const start = performance.now();
		this.#go();
		for (;;) {
			const done = Atomics.load(control, DONE);
			if (done >= threads) break;
			Atomics.wait(control, DONE, done);
		}
		return (performance.now() - start) / 1000;
	}

	#go() {
		Atomics.add(this.#control, RUN, 1);
		Atomics.notify(this.#control, RUN);
	}
}

/** peak.as.ts, with fused multiply-add where the engine has it. @returns {Promise<Uint8Array>} */
async function compile() {
	const major = Number.parseInt(process.versions.node, 10);
	if (major < 22) setFlagsFromString("--experimental-wasm-relaxed-simd");
	// As evenkeel's command line does.
	if (major >= 24 && process.arch === "x64") setFlagsFromString("--experimental-wasm-revectorize");
	const source = readFileSync(fileURLToPath(new URL("peak.as.ts", import.meta.url)), "utf8");
	for (const features of ["simd,threads,relaxed-simd", "simd,threads"]) {
		const bytes = await compileWith(source, features);
		if (WebAssembly.validate(bytes)) return bytes;
	}
	throw new Error("roofline: this engine has no WebAssembly SIMD");
}

/** @param {string} source @param {string} features @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function compileWith(source, features) {
	/** @type {Record<string, Uint8Array>} */
	const written = {};
	const { error, stderr } = await asc.main(
		[
			...["peak.ts", "--outFile", "peak.wasm", "--enable", features, "--runtime", "stub", "-O3", "--noAssert"],
			...["--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
		],
		{
			readFile: (name) => (name === "peak.ts" ? source : null),
			writeFile: (name, contents) => {
				if (contents instanceof Uint8Array) written[name] = contents;
			},
			listFiles: () => [],
		},
	);
	if (error) throw new Error(`roofline: the kernels did not compile: ${stderr}`);
	return new Uint8Array(written["peak.wasm"]);
}
