// The same code in a page of Chromium and in Node, in turn.

import { openPage } from "../browser/chromium.mjs";
import { interleave } from "../measure.mjs";
import { withSides } from "../peers.mjs";
import { figure, percent, withSpread } from "../table.mjs";
import { batchNormShapes } from "./batch-norm.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */
/** @typedef {import("../side.mjs").Job} Job */

/** @param {Context} context @returns {Promise<Section>} */
export async function benchBrowser(context) {
	const page = await openPage(context);
	try {
		const results = await withSides([["evenkeel", context.threads]], context, async (sides) => {
			/** @type {Job[]} */
			const jobs = [{ kind: "train", network: "lenet-bn", batch: 256 }];
			for (const shape of batchNormShapes) jobs.push({ kind: "batchnorm", shape });
			const all = [];
			for (const job of page ? jobs : []) {
				const title = job.shape
					? `batch normalization [${job.shape.join(", ")}]`
					: `${job.network}, batch ${job.batch}`;
				context.say(`${title}, in Chromium and in Node`);
				all.push({ title, job, measured: await interleave(page ? [...sides, page] : sides, job, context) });
			}
			return all;
		});
		return {
			id: "browser",
			title: "Chromium against Node",
			head: ["", "Node, ms", "Chromium, ms", "Node, examples/s", "Chromium, examples/s", "Chromium's speed of Node's"],
			rows: results.flatMap((result) => rowsOf(result)),
			notes: page
				? [`${page.label}, ${page.threads} threads, against Node ${process.version}.`]
				: ["There is no Chromium here."],
			data: results,
		};
	} finally {
		await page?.stop();
	}
}

/** @param {{ title: string, job: Job, measured: import("../measure.mjs").Measured[] }} result */
function rowsOf({ title, job, measured: [node, page] }) {
	if (!node.metrics || !page.metrics) return [];
	const [inNode, inPage] = [node.metrics, page.metrics];
	return Object.keys(inNode).map((metric) => {
		const [a, b] = [inNode[metric], inPage[metric]];
		const rate = (/** @type {number} */ ms) => (job.batch ? figure((1000 * job.batch) / ms) : "");
		const name = metric === "step" ? title : `${title}, ${metric}`;
		return [name, withSpread(a), withSpread(b), rate(a.median), rate(b.median), percent(a.median / b.median)];
	});
}
