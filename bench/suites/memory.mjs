// The most memory held at once. evenkeel's heap is counted to the byte; a process's resident growth is what the system
// says, and holds for both sides.

import { withSides } from "../peers.mjs";
import { figure, megabytes } from "../table.mjs";
import { batchNormShapes } from "./batch-norm.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */
/** @typedef {import("../side.mjs").Job} Job */

/** @param {Context} context @returns {Promise<Section>} */
export async function benchMemory(context) {
	const peers = context.peers.filter((name) => name === "pytorch");
	/** @type {{ job: string, of: string, evenkeel: Record<string, number>, pytorch: Record<string, number> | null }[]} */
	const results = [];
	/** @type {Job[]} */
	const jobs = batchNormShapes.map((shape) => ({ kind: "memory", shape }));
	jobs.push({ kind: "memory", network: "lenet-bn", batch: 256 });
	for (const job of jobs) {
		const name = job.shape
			? `batch normalization [${job.shape.join(", ")}]`
			: `${job.network}, batch ${job.batch}, 20 steps`;
		context.say(`memory of ${name}`);
		// A process for each: what counts is the peak since it began.
		const evenkeel = await once("evenkeel", job, context);
		const pytorch = peers.length > 0 ? await once("pytorch", job, context) : null;
		if (evenkeel) results.push({ job: name, of: job.kind, evenkeel, pytorch });
	}
	const cell = (/** @type {number | undefined} */ value) => (value === undefined ? "" : megabytes(value));
	return {
		id: "memory",
		title: "Memory",
		head: [
			"forward and backward of",
			"evenkeel's heap beyond what is asked for",
			"as a share of x",
			"evenkeel, resident growth",
			"PyTorch, resident growth",
		],
		rows: results.map(({ job, evenkeel, pytorch }) => [
			job,
			cell(evenkeel.heap),
			evenkeel.x ? `${figure(evenkeel.heap / evenkeel.x)} x` : "",
			cell(evenkeel.growth),
			cell(pytorch?.growth),
		]),
		notes: [
			"Resident growth is what the system gave to the process on top, at the peak; kernels, code and garbage included.",
			"Of a batch normalization, x, y, dy and dx are asked for and not counted in the heap; y and dx are in the resident " +
				"growth of both. Of training, the heap counts everything but the data set, the parameters and the optimizer's state.",
		],
		data: results,
	};
}

/** @param {import("../side.mjs").SideName} name @param {Job} job @param {Context} context */
function once(name, job, context) {
	return withSides([[name, context.threads]], context, async ([side]) =>
		side ? (await side.run(job, 0)).metrics : null,
	);
}
