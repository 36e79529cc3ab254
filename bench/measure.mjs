// Measuring sides in turn: one window of each, again and again, so that what the machine does besides hits all alike.

import { summarize } from "./statistics.mjs";

/** @typedef {Pick<import("./side.mjs").Side, "name" | "label" | "threads" | "run">} Side */
/** @typedef {import("./side.mjs").Job} Job */
/** @typedef {import("./statistics.mjs").Summary} Summary */

/** From this many milliseconds a step on, a side gets two windows of one step each, or one: it would not end otherwise. */
const SLOW_STEP = 300;
const VERY_SLOW_STEP = 5000;

/**
 * @typedef {object} Measured what one side did
 * @property {string} side
 * @property {string} label name and version, as the side gave them
 * @property {number} threads
 * @property {Record<string, Summary> | null} metrics null if it could not do the job
 * @property {string} [reason] why it could not
 */

/**
 * Runs `job` on every side: first once to prepare and warm up, then `windows` times in turn.
 *
 * @param {readonly Side[]} sides @param {Job} job
 * @param {{ seconds: number, windows: number }} length
 * @returns {Promise<Measured[]>}
 */
export async function interleave(sides, job, { seconds, windows }) {
	/** @type {Map<Side, Record<string, number[]>>} */
	const collected = new Map();
	/** @type {Map<Side, string>} */
	const reasons = new Map();
	/** @type {Map<Side, number>} */
	const slow = new Map();
	for (const side of sides) {
		const { metrics, reason } = await side.run(job, seconds / 4);
		if (metrics === null) reasons.set(side, reason);
		else collected.set(side, {});
		const longest = Math.max(0, ...Object.values(metrics ?? {}));
		if (job.kind !== "memory" && longest > SLOW_STEP) slow.set(side, longest > VERY_SLOW_STEP ? 1 : 2);
	}
	for (let window = 0; window < windows; window++) {
		for (const [side, lists] of collected) {
			if (window >= (slow.get(side) ?? windows)) continue;
			const { metrics } = await side.run(job, slow.has(side) ? 0.001 : seconds);
			for (const [name, value] of Object.entries(metrics ?? {})) {
				lists[name] ??= [];
				lists[name].push(value);
			}
		}
	}
	return sides.map((side) => {
		const lists = collected.get(side);
		const metrics = lists
			? Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, summarize(values)]))
			: null;
		return { side: side.name, label: side.label, threads: side.threads, metrics, reason: reasons.get(side) };
	});
}
