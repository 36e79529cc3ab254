// Training a preset: shuffled batches, forward, loss, count of right answers, backward, update.

import { interleave } from "../measure.mjs";
import { withSides } from "../peers.mjs";
import { figure, times, withSpread } from "../table.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */
/** @typedef {import("../side.mjs").SideName} SideName */

/** How many examples a step of each preset has, and what cannot be waited for. */
const presets = {
	"lenet-bn": { batches: [256], tooSlow: [] },
	"mlp-bn": { batches: [256], tooSlow: [] },
	"resnet-mini": { batches: [64, 128], tooSlow: ["jax-js", "tfjs-cpu"] },
};

/** @param {Context} context @param {keyof typeof presets} network @returns {Promise<Section>} */
export async function benchTraining(context, network) {
	const { batches, tooSlow } = presets[network];
	const peers = context.peers.filter((name) => name !== "onnxruntime" && !tooSlow.some((slow) => slow === name));
	/** @type {[SideName, number][]} */
	const wanted = [["evenkeel", context.threads]];
	for (const name of peers) wanted.push([name, context.threads]);
	const results = await withSides(wanted, context, async (sides) => {
		const all = [];
		for (const batch of batches) {
			context.say(`${network}, batch ${batch}`);
			all.push({ batch, measured: await interleave(sides, { kind: "train", network, batch }, context) });
		}
		return all;
	});
	const notes = results[0].measured.filter(({ reason }) => reason).map(({ label, reason }) => `${label}: ${reason}.`);
	for (const name of tooSlow) notes.push(`${name} is left out: a step takes half a minute or more.`);
	if (network !== "lenet-bn" && peers.includes("jax-js")) notes.push("jax-js updates by plain SGD.");
	return {
		id: `train-${network}`,
		title: `Training ${network}`,
		head: ["", "batch", "examples/s", "ms a step", "evenkeel faster by"],
		rows: results.flatMap(({ batch, measured }) => rowsOf(batch, measured)),
		notes,
		data: results,
	};
}

/** @param {number} batch @param {import("../measure.mjs").Measured[]} measured */
function rowsOf(batch, measured) {
	const ours = measured[0].metrics?.step.median ?? Number.NaN;
	return measured
		.filter(({ metrics }) => metrics)
		.map(({ label, metrics, threads, side }) => {
			const step = metrics?.step ?? { median: Number.NaN, low: 0, high: 0, count: 0 };
			const rate = figure((1000 * batch) / step.median);
			const name = side === "evenkeel" || side === "pytorch" ? `${label}, ${threads} threads` : label;
			return [name, String(batch), rate, withSpread(step), side === "evenkeel" ? "" : times(step.median / ours)];
		});
}
