// Runs the suites asked for, one after the other, and writes their tables.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeData } from "./data.mjs";
import { waitForQuiet } from "./disturbance.mjs";
import { machine } from "./machine.mjs";
import { mostDisturbed } from "./measure.mjs";
import { installPeers, parsePeers } from "./peers.mjs";
import { renderSection, writeReport } from "./report.mjs";
import { benchBatchNorm } from "./suites/batch-norm.mjs";
import { benchBrowser } from "./suites/browser.mjs";
import { benchInference } from "./suites/inference.mjs";
import { benchFrames, benchLab } from "./suites/lab.mjs";
import { benchMemory } from "./suites/memory.mjs";
import { benchRoofline } from "./suites/roofline.mjs";
import { benchScaling } from "./suites/scaling.mjs";
import { benchTraining } from "./suites/training.mjs";
import { percent } from "./table.mjs";

/** @typedef {import("./context.mjs").Context} Context */
/** @typedef {import("./context.mjs").Section} Section */

/** @type {Record<string, (context: Context) => Promise<Section | Section[]>>} */
const suites = {
	lenet: (context) => benchTraining(context, "lenet-bn"),
	mlp: (context) => benchTraining(context, "mlp-bn"),
	resnet: (context) => benchTraining(context, "resnet-mini"),
	batchnorm: benchBatchNorm,
	scaling: benchScaling,
	inference: benchInference,
	memory: benchMemory,
	roofline: benchRoofline,
	browser: benchBrowser,
	lab: benchLab,
	frames: benchFrames,
};

/**
 * @typedef {object} Options
 * @property {number} seconds @property {number} windows @property {number} threads
 * @property {boolean} quick @property {boolean} docs @property {boolean} json
 * @property {number} patience minutes to wait for a quiet machine before each suite
 * @property {string} [out] @property {string} [peers]
 */

/** @param {string[]} names @param {Options} options */
export async function runSuites(names, { seconds, windows, threads, quick, docs, json, patience, out, peers }) {
	const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);
	const usual = names.includes("inference") && !quick ? "pytorch,onnxruntime" : "pytorch";
	const wanted = installPeers(parsePeers(peers ?? usual));
	const data = await writeData();
	say(`${machine()}; ${data.summary}`);
	/** @type {Context} */
	const context = { folder: data.folder, seconds, windows, threads, quick, peers: [...wanted], say };
	const root = fileURLToPath(new URL("..", import.meta.url));
	const folder = out ?? join(root, "runs", "bench");
	/** @type {Section[]} */
	const sections = [];
	try {
		for (const name of names) {
			await waitForQuiet(0.1, patience, say);
			for (const section of [await suites[name](context)].flat()) {
				const whole = { ...section, notes: [...section.notes, conditionsOf(context, section)] };
				sections.push(whole);
				// At once, so that what is measured is kept if a later suite fails or is stopped.
				writeReport([whole], folder, docs ? join(root, "docs", "benchmarks.md") : null);
				if (!json) process.stdout.write(`\n${renderSection(whole)}\n`);
			}
		}
	} finally {
		data.remove();
	}
	if (json) process.stdout.write(`${JSON.stringify({ machine: machine(), date: today(), sections })}\n`);
	else say(`\nwritten to ${folder}${docs ? " and docs/benchmarks.md" : ""}`);
}

/** Under what it was measured: without that a figure says little. @param {Context} context @param {Section} section */
function conditionsOf({ seconds, windows }, { data }) {
	const measured = Array.isArray(data) ? data.flatMap(({ measured = [] }) => measured) : [];
	const how = measured.length > 0 ? `; medians of up to ${windows} windows of ${seconds} s, in turn` : "";
	const others = mostDisturbed(measured);
	const noise = others > 0.05 ? ` Other processes took up to ${percent(others)} of the processors meanwhile.` : "";
	return `Measured ${today()} on ${machine()}${how}.${noise}`;
}

function today() {
	return new Date().toISOString().slice(0, 10);
}
