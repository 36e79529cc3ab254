// One side of a comparison: a process of its own that is told a job and a time, and answers with figures. While one
// works, the others wait for their next line, so that all are measured in turn on the same machine in the same minutes.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Job what to do
 * @property {"train" | "infer" | "batchnorm" | "memory" | "trace"} kind
 * @property {string} [network] a preset's name
 * @property {number} [batch]
 * @property {boolean} [folded] inference without the norms, as folding leaves the network
 * @property {number[]} [shape] of x, for `batchnorm`
 *
 * @typedef {Record<string, number>} Metrics milliseconds by what took them; bytes for `memory`
 */

/** The sides there are: what runs them, in how many threads they can. */
const known = {
	evenkeel: { file: "sides/evenkeel.mjs", command: () => process.execPath },
	pytorch: { file: "peers/pytorch.py", command: () => process.env.EVENKEEL_BENCH_PYTHON },
	"jax-js": { file: "peers/jax-js.mjs", command: () => process.execPath },
	"tfjs-cpu": { file: "peers/tfjs.mjs", command: () => process.execPath },
	"tfjs-wasm": { file: "peers/tfjs.mjs", command: () => process.execPath },
	onnxruntime: { file: "peers/onnxruntime.mjs", command: () => process.execPath },
};

/** @typedef {keyof typeof known} SideName */

export class Side {
	/** @type {import("node:child_process").ChildProcessByStdio<import("node:stream").Writable, import("node:stream").Readable, null>} */
	#process;
	/** @type {AsyncIterator<string>} */
	#lines;
	/** What it says it is: name, version, threads. */
	label = "";

	/**
	 * Starts a side; null where it cannot be had, which `explain` is told.
	 *
	 * @param {SideName} name
	 * @param {{ threads: number, folder: string }} settings `folder` holds the data, see data.mjs
	 * @param {(line: string) => void} explain
	 */
	static async start(name, settings, explain) {
		const command = known[name].command();
		if (!command) {
			explain("PyTorch is not measured: set EVENKEEL_BENCH_PYTHON to a Python that has it");
			return null;
		}
		const side = new Side(name, command, settings);
		try {
			side.label = (await side.#answer()).label;
			return side;
		} catch (error) {
			explain(`${name} is not measured: ${error instanceof Error ? error.message : error}`);
			return null;
		}
	}

	/** The process's id. */
	get pid() {
		return this.#process.pid;
	}

	/** @param {SideName} name @param {string} command @param {{ threads: number, folder: string }} settings */
	constructor(name, command, settings) {
		this.name = name;
		this.threads = settings.threads;
		const file = fileURLToPath(new URL(known[name].file, import.meta.url));
		const args = [file, JSON.stringify({ ...settings, side: name })];
		this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
		this.#process.on("error", (error) => this.#process.stdout.destroy(error));
		this.#process.stdin.on("error", () => {});
		this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
	}

	/**
	 * Does `job` for about `seconds`, at least once; the first time for a job it is prepared and warmed up as well.
	 * Null if this side cannot do it, with the reason in `reason`.
	 *
	 * @param {Job} job @param {number} seconds
	 * @returns {Promise<{ metrics: Metrics, reason?: undefined } | { metrics: null, reason: string }>}
	 */
	async run(job, seconds) {
		this.#process.stdin.write(`${JSON.stringify({ job, seconds })}\n`);
		const answer = await this.#answer();
		if (answer.unsupported) return { metrics: null, reason: answer.unsupported };
		return { metrics: answer };
	}

	/** Where the time of a step of training goes; evenkeel alone can say. @param {Job} job @returns {Promise<import("./sides/work.mjs").Trace>} */
	async trace(job) {
		this.#process.stdin.write(`${JSON.stringify({ job: { ...job, kind: "trace" }, seconds: 0 })}\n`);
		return this.#answer();
	}

	async stop() {
		if (this.#process.exitCode !== null) return;
		const ended = new Promise((resolve) => this.#process.once("exit", resolve));
		this.#process.stdin.end();
		await ended;
	}

	async #answer() {
		const { value, done } = await this.#lines.next();
		if (done) throw new Error(`the process of ${this.name} ended`);
		return JSON.parse(value);
	}
}
