// The jobs of sides/work.mjs in a page, to be called from outside: suites/browser.mjs, or the console.

import { init } from "evenkeel";
import { prepare } from "../sides/work.mjs";

/** @typedef {import("../side.mjs").Job} Job */

/** @type {{ images: Uint8Array, labels: Uint8Array } | null} */
let data = null;
/** @type {{ key: string, prepared: { run(seconds: number): Record<string, number>, free(): void } } | null} */
let current = null;

/** Makes evenkeel ready and fetches the data; what runs. @param {number} threads */
async function start(threads) {
	const backend = await init({ threads });
	const [images, labels] = await Promise.all(["images", "labels"].map(bytesOf));
	data = { images, labels };
	return {
		threads: backend.threads,
		notice: backend.notice ?? "",
		build: "build" in backend ? String(backend.build) : "",
	};
}

/** @param {string} name */
async function bytesOf(name) {
	return new Uint8Array(await (await fetch(`/data/${name}`)).arrayBuffer());
}

/** As Side.run: metrics of about `seconds` of `job`. @param {Job} job @param {number} seconds */
function run(job, seconds) {
	if (!data) throw new Error("call start() first");
	const key = JSON.stringify(job);
	if (current?.key !== key) {
		current?.prepared.free();
		current = { key, prepared: prepare(job, data) };
	}
	return current.prepared.run(seconds);
}

Object.assign(globalThis, { bench: { start, run } });
