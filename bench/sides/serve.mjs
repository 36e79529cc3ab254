// The other end of side.mjs's pipe, for sides that run in Node.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** @typedef {import("../side.mjs").Job} Job */
/** @typedef {{ run(seconds: number): object | Promise<object>, free(): void }} Prepared */

/** A job that this side has no way to do. */
export class Unsupported extends Error {}

/** What side.mjs passed on the command line. @returns {{ side: string, threads: number, folder: string }} */
export function settings() {
	return JSON.parse(process.argv[2]);
}

/** The images as bytes, `[N, 28, 28]`, and their labels. @param {string} folder */
export function readData(folder) {
	return {
		images: new Uint8Array(readFileSync(join(folder, "images"))),
		labels: new Uint8Array(readFileSync(join(folder, "labels"))),
	};
}

/**
 * Says who this is, then answers jobs until the pipe closes. A job is prepared when it first comes, and kept until
 * another one does.
 *
 * @param {string} label @param {(job: Job) => Prepared | Promise<Prepared>} prepare
 */
export async function serve(label, prepare) {
	const say = (/** @type {object} */ answer) => void process.stdout.write(`${JSON.stringify(answer)}\n`);
	say({ label });
	let key = "";
	/** @type {Prepared | null} */
	let prepared = null;
	for await (const line of createInterface({ input: process.stdin })) {
		const { job, seconds } = JSON.parse(line);
		try {
			if (JSON.stringify(job) !== key) {
				prepared?.free();
				prepared = null;
				prepared = await prepare(job);
				key = JSON.stringify(job);
			}
			if (prepared) say(await prepared.run(seconds));
		} catch (error) {
			if (!(error instanceof Unsupported)) throw error;
			key = "";
			say({ unsupported: error.message });
		}
	}
}

/**
 * Calls `step` for about `seconds`, at least once; the mean milliseconds of a call. The clock is read every
 * `stride` calls.
 *
 * @param {number} seconds @param {() => void | Promise<void>} step @param {number} [stride]
 */
export async function timeSteps(seconds, step, stride = 1) {
	const start = performance.now();
	let steps = 0;
	let elapsed = 0;
	while (elapsed < seconds * 1000) {
		for (let i = 0; i < stride; i++) {
			const pending = step();
			if (pending) await pending;
		}
		steps += stride;
		elapsed = performance.now() - start;
	}
	return elapsed / steps;
}
