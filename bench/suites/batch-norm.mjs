// Batch normalization alone, in training mode: forward, and backward (dx, dweight, dbias), from what fits the cache to
// what does not.

import { interleave } from "../measure.mjs";
import { withSides } from "../peers.mjs";
import { figure, times, withSpread } from "../table.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */
/** @typedef {import("../measure.mjs").Measured} Measured */

export const batchNormShapes = [
	[256, 512],
	[256, 6, 24, 24],
	[128, 256, 14, 14],
	[32, 128, 28, 28],
	[64, 64, 56, 56],
];

/** @param {Context} context @returns {Promise<Section>} */
export async function benchBatchNorm(context) {
	const peers = context.peers.filter((name) => name !== "onnxruntime");
	/** @type {[import("../side.mjs").SideName, number][]} */
	const wanted = [["evenkeel", context.threads]];
	for (const name of peers) wanted.push([name, context.threads]);
	const results = await withSides(wanted, context, async (sides) => {
		const all = [];
		for (const shape of batchNormShapes) {
			context.say(`batch normalization [${shape.join(", ")}]`);
			all.push({ shape, measured: await interleave(sides, { kind: "batchnorm", shape }, context) });
		}
		return all;
	});
	return {
		id: "batchnorm",
		title: "Batch normalization alone",
		head: ["shape of x", "", "forward ms", "backward ms", "both ms", "faster by, forward", "backward", "both"],
		rows: results.flatMap(({ shape, measured }) => measured.flatMap((each) => rowOf(shape, each, measured[0]))),
		notes: [
			"jax-js and TF.js compute forward and backward in one call, which cannot be timed apart; theirs is the time of both.",
			...results[0].measured.filter(({ reason }) => reason).map(({ label, reason }) => `${label}: ${reason}.`),
		].slice(peers.some((name) => name !== "pytorch") ? 0 : 1),
		data: results,
	};
}

/** @param {number[]} shape @param {Measured} measured @param {Measured} ours */
function rowOf(shape, { side, label, metrics }, ours) {
	if (!metrics || !ours.metrics) return [];
	const { forward, backward } = metrics;
	const bothOf = (/** @type {typeof metrics} */ all) => all.both?.median ?? all.forward.median + all.backward.median;
	const against = (/** @type {number | undefined} */ theirs, /** @type {number} */ own) =>
		side === "evenkeel" || theirs === undefined ? "" : times(theirs / own);
	return [
		[
			`[${shape.join(", ")}]`,
			label,
			withSpread(forward),
			backward ? withSpread(backward) : "",
			figure(bothOf(metrics)),
			against(forward.median, ours.metrics.forward.median),
			against(backward?.median, ours.metrics.backward.median),
			against(bothOf(metrics), bothOf(ours.metrics)),
		],
	];
}
