// The web lab: its training against Node's, in turn, and its frames while it trains.

import { openLab } from "../browser/lab.mjs";
import { interleave } from "../measure.mjs";
import { withSides } from "../peers.mjs";
import { quantile } from "../statistics.mjs";
import { figure, percent, withSpread } from "../table.mjs";

/** @typedef {import("../context.mjs").Context} Context */
/** @typedef {import("../context.mjs").Section} Section */

/** From this many milliseconds on a frame is late: at 60 a second each has 16.7. */
const LATE = 20;
/** The panels that draw while training goes on. */
const panels = ["curves", "surface", "heat-maps", "distribution", "scale-shift", "statistics"];

/** Training `lenet-bn`, as the page shows its speed. @param {Context} context @returns {Promise<Section>} */
export async function benchLab(context) {
	const lab = await openLab(context);
	try {
		const job = { kind: /** @type {const} */ ("train"), network: "lenet-bn", batch: 256 };
		const measured = await withSides([["evenkeel", context.threads]], context, async (sides) => {
			if (!lab) return [];
			context.say("lenet-bn in the lab's page and in Node");
			return interleave([...sides, await lab.trainer()], job, context);
		});
		const [node, page] = measured;
		const rows = [];
		if (node?.metrics && page?.metrics) {
			const [a, b] = [node.metrics.step, page.metrics.step];
			const rate = (/** @type {number} */ ms) => figure((1000 * job.batch) / ms);
			const share = percent(a.median / b.median);
			rows.push(["lenet-bn, batch 256", withSpread(a), withSpread(b), rate(a.median), rate(b.median), share]);
		}
		return {
			id: "lab",
			title: "The lab's page against Node",
			head: ["", "Node, ms", "lab, ms", "Node, examples/s", "lab, examples/s", "the lab's speed of Node's"],
			rows,
			notes: page
				? [
						`${page.label}, ${page.threads} threads, drawing loss and accuracy meanwhile; examples/s as the page shows them.`,
					]
				: ["There is no Chromium here."],
			data: [{ title: "lenet-bn", job, measured }],
		};
	} finally {
		await lab?.stop();
	}
}

/** Frames of a run of ten thousand steps, panel by panel. @param {Context} context @returns {Promise<Section>} */
export async function benchFrames(context) {
	const lab = await openLab(context);
	try {
		const all = [];
		for (const panel of lab ? panels : []) {
			context.say(`ten thousand steps with ${panel} on the screen`);
			const { frames = [], seconds = 0 } = (await lab?.frames(panel)) ?? {};
			all.push({ panel, seconds, frames });
		}
		return {
			id: "frames",
			title: "The lab's frames in a run of 10,000 steps",
			head: [
				"on the screen",
				"seconds",
				"frames",
				"median, ms",
				"95% within, ms",
				"99% within, ms",
				`under ${LATE} ms`,
			],
			rows: all.map(({ panel, seconds, frames }) => {
				const inTime = frames.filter((ms) => ms < LATE).length / frames.length;
				const within = [0.5, 0.95, 0.99].map((q) => figure(quantile(frames, q)));
				return [panel, seconds.toFixed(1), String(frames.length), ...within, `${(100 * inTime).toFixed(1)}%`];
			}),
			notes: [
				lab
					? `Two networks of three layers on points in the plane, in Chromium ${lab.version} without a graphics card.`
					: "There is no Chromium here.",
			],
			data: all,
		};
	} finally {
		await lab?.stop();
	}
}
