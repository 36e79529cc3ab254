// The other side of a comparison: a Python process that works whenever it is told to, so that both
// sides are measured in turn on the same machine in the same minutes.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export { median } from "./statistics.mjs";

export class Peer {
	/** @type {import("node:child_process").ChildProcessByStdio<import("node:stream").Writable, import("node:stream").Readable, null>} */
	#process;
	/** @type {AsyncIterator<string>} */
	#lines;
	#folder;
	/** Which PyTorch it is. */
	version = "";

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
