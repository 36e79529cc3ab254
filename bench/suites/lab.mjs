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
/** A run that others disturbed more than this is taken again, so many times at most. */
const DISTURBED = 0.05;
const TRIES = 4;
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

/**
 * The first run that nothing disturbed, or that which was disturbed least.
 *
 * @param {() => Promise<{ frames: number[], seconds: number, others: number | null } | undefined>} run
 * @param {Context} context
 */
async function quietest(run, { say }) {
	let best = { frames: /** @type {number[]} */ ([]), seconds: 0, others: Number.POSITIVE_INFINITY };
	for (let i = 0; i < TRIES && best.others > DISTURBED; i++) {
		const { frames = [], seconds = 0, others = null } = (await run()) ?? {};
		if ((others ?? 0) > DISTURBED) say(`  other processes took ${percent(others ?? 0)} of the processors meanwhile`);
		if ((others ?? 0) < best.others) best = { frames, seconds, others: others ?? 0 };
	}
	return best;
}

/** Frames of a run of ten thousand steps, panel by panel. @param {Context} context @returns {Promise<Section>} */
export async function benchFrames(context) {
	const lab = await openLab(context);
	try {
		const all = [];
		for (const panel of lab ? panels : []) {
			context.say(`ten thousand steps with ${panel} on the screen`);
			all.push({ panel, ...(await quietest(async () => lab?.frames(panel), context)) });
		}
		return framesSection(all, lab?.version);
	} finally {
		await lab?.stop();
	}
}

/**
 * The table of frames: milliseconds from each to the next.
 *
 * @param {readonly { panel: string, frames: number[], seconds: number, others: number }[]} all
 * @param {string | undefined} version of Chromium
 * @returns {Section}
 */
export function framesSection(all, version) {
	const times = ["median, ms", "95% within, ms", "99% within, ms"];
	return {
		id: "frames",
		title: "The lab's frames in a run of 10,000 steps",
		head: ["on the screen", "seconds", "frames", ...times, `under ${LATE} ms`, "others took"],
		rows: all.map(({ panel, seconds, frames, others }) => {
			const inTime = frames.filter((ms) => ms < LATE).length / frames.length;
			const within = [0.5, 0.95, 0.99].map((q) => figure(quantile(frames, q)));
			const shares = [`${(100 * inTime).toFixed(1)}%`, percent(others)];
			return [panel, seconds.toFixed(1), String(frames.length), ...within, ...shares];
		}),
		notes: [
			version
				? `Two networks of three layers on points in the plane, in Chromium ${version} without a graphics card, at 60 frames a second. A run that other processes disturb is taken again, and the quietest counts; the last column says how much of the processors they took.`
				: "There is no Chromium here.",
		],
		data: all,
	};
}
