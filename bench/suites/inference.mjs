// lenet-bn in evaluation, with its norms and with them folded into the layers before.

import { interleave } from "../measure.mjs";
import { withSides } from "../peers.mjs";
import { figure, withSpread } from "../table.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */

/** @param {Context} context @returns {Promise<Section>} */
export async function benchInference(context) {
	/** @type {[import("../side.mjs").SideName, number][]} */
	const wanted = [["evenkeel", context.threads]];
	for (const name of context.peers) wanted.push([name, context.threads]);
	const batches = context.quick ? [1, 256] : [1, 4, 16, 64, 256, 1024];
	const results = await withSides(wanted, context, async (sides) => {
		const all = [];
		for (const folded of [false, true]) {
			for (const batch of batches) {
				context.say(`lenet-bn in evaluation${folded ? ", folded" : ""}, batch ${batch}`);
				const job = /** @type {const} */ ({ kind: "infer", network: "lenet-bn", batch, folded });
				all.push({ batch, folded, measured: await interleave(sides, job, context) });
			}
		}
		return all;
	});
	const { measured } = results[0];
	return {
		id: "inference",
		title: "lenet-bn in evaluation: ms a batch",
		head: [
			"norms",
			"batch",
			...measured.map(({ label }) => label.replace(/ \(.*/, backendOf(label))),
			"evenkeel examples/s",
		],
		rows: results.map(({ batch, folded, measured: row }) => [
			folded ? "folded" : "as trained",
			String(batch),
			...row.map(({ metrics }) => (metrics ? withSpread(metrics.step) : "")),
			figure((1000 * batch) / (row[0].metrics?.step.median ?? Number.NaN)),
		]),
		notes: [
			"ONNX Runtime folds by itself the norms that follow a convolution.",
			...measured.filter(({ reason }) => reason).map(({ label, reason }) => `${label}: ${reason}.`),
		],
		data: results,
	};
}

/** TF.js has two backends, told apart in the head of the table. @param {string} label */
function backendOf(label) {
	const backend = /^TF\.js.*\((cpu|wasm)/.exec(label);
	return backend ? ` ${backend[1]}` : "";
}
