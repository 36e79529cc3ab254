// How the time of a lenet-bn step grows with the batch, and shrinks with threads.

import { interleave } from "../measure.mjs";
import { withSides } from "../peers.mjs";
import { figure, times, withSpread } from "../table.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */
/** @typedef {import("../measure.mjs").Measured} Measured */

const batches = [2, 4, 16, 64, 128, 256, 512, 1024];

/** @param {Context} context @returns {Promise<Section>} */
export async function benchScaling(context) {
	const peers = context.peers.filter((name) => name === "pytorch");
	/** @type {[import("../side.mjs").SideName, number][]} */
	const wanted = [
		["evenkeel", 1],
		["evenkeel", 2],
	];
	for (const name of peers) wanted.push([name, 1], [name, 2]);
	const results = await withSides(wanted, context, async (sides) => {
		const all = [];
		for (const batch of context.quick ? [16, 64, 256, 1024] : batches) {
			context.say(`lenet-bn, batch ${batch}, 1 and 2 threads`);
			const job = /** @type {const} */ ({ kind: "train", network: "lenet-bn", batch });
			all.push({ batch, measured: await interleave(sides, job, context) });
		}
		return all;
	});
	const names = results[0].measured.map(({ side, threads }) => `${side === "pytorch" ? "PyTorch" : side}, ${threads}`);
	return {
		id: "scaling",
		title: "lenet-bn by batch size and threads",
		head: [
			"batch",
			...names.map((name) => `${name} thread${name.endsWith("1") ? "" : "s"}, ms`),
			"2 threads over 1",
			"us an example",
		],
		rows: results.map(({ batch, measured }) => {
			const [one, two] = measured.map(({ metrics }) => metrics?.step.median ?? Number.NaN);
			const steps = measured.map(({ metrics }) => (metrics ? withSpread(metrics.step) : ""));
			return [String(batch), ...steps, times(one / two), figure((1000 * two) / batch)];
		}),
		notes: [
			"The last two columns are evenkeel's, the last at 2 threads. A batch of 1 cannot be trained with batch normalization.",
		],
		data: results,
	};
}
