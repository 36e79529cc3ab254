// The other side of a comparison: a Python process that is given the data, then runs a window whenever it is told to,
// so that both sides are measured in turn on the same machine in the same minutes.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** @param {number[]} values */
export function median(values) {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @typedef {import("evenkeel").Tensor} Tensor */

export class Peer {
	/** @type {import("node:child_process").ChildProcessByStdio<import("node:stream").Writable, import("node:stream").Readable, null>} */
	#process;
	/** @type {AsyncIterator<string>} */
	#lines;
	#folder;
	/** Which PyTorch it is. */
	version = "";

	/**
	 * Starts `script`; null where no Python is named.
	 *
	 * @param {string} script
	 * @param {{ threads: number, batchSize: number, images: Tensor, labels: Tensor }} setup
	 */
	static async start(script, { threads, batchSize, images, labels }) {
		const python = process.env.EVENKEEL_BENCH_PYTHON;
		if (!python) return null;
		const folder = mkdtempSync(join(tmpdir(), "evenkeel-bench-"));
		writeFileSync(join(folder, "images"), images.dataSync());
		writeFileSync(join(folder, "labels"), Uint8Array.from(labels.dataSync()));
		const settings = { folder, threads, batchSize, shape: images.shape };
		const peer = new Peer(python, script, folder, settings);
		peer.version = await peer.#answer();
		return peer;
	}

	/** Starts `script` with settings alone; null where no Python is named. @param {string} script @param {object} settings */
	static async open(script, settings) {
		const python = process.env.EVENKEEL_BENCH_PYTHON;
		if (!python) return null;
		const peer = new Peer(python, script, mkdtempSync(join(tmpdir(), "evenkeel-bench-")), settings);
		peer.version = await peer.#answer();
		return peer;
	}

	/** @param {string} python @param {string} script @param {string} folder @param {object} settings */
	constructor(python, script, folder, settings) {
		const file = fileURLToPath(new URL(script, import.meta.url));
		this.#folder = folder;
		this.#process = spawn(python, [file, JSON.stringify(settings)], { stdio: ["pipe", "pipe", "inherit"] });
		this.#process.on("error", (error) => this.#process.stdout.destroy(error));
		this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
	}

	/** Trains for about `seconds`; examples a second. @param {number} seconds */
	async window(seconds) {
		return Number(await this.ask(String(seconds)));
	}

	/** Sends a line and waits for the answer's. @param {string} line */
	async ask(line) {
		this.#process.stdin.write(`${line}\n`);
		return this.#answer();
	}

	async stop() {
		const ended = new Promise((resolve) => this.#process.once("exit", resolve));
		this.#process.stdin.end();
		await ended;
		rmSync(this.#folder, { recursive: true, force: true });
	}

	async #answer() {
		const { value, done } = await this.#lines.next();
		if (!done) return value;
		rmSync(this.#folder, { recursive: true, force: true });
		throw new Error("the Python process named by EVENKEEL_BENCH_PYTHON ended; does it have PyTorch?");
	}
}
