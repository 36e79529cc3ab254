// Measuring sides in turn: one window of each, again and again, so that what the machine does besides hits all alike.
// A window in which other processes took much of the processors is measured again, and the quietest ones count: a
// library whose threads spin while they wait suffers more from others than one whose threads sleep.

import { watchOthers } from "./disturbance.mjs";
import { median, summarize } from "./statistics.mjs";

/** @typedef {Pick<import("./side.mjs").Side, "name" | "label" | "threads" | "pid" | "run">} Side */
/** @typedef {import("./side.mjs").Job} Job */
/** @typedef {import("./side.mjs").Metrics} Metrics */
/** @typedef {import("./statistics.mjs").Summary} Summary */

/** From this many milliseconds a step on, a side gets two windows of one step each, or one: it would not end otherwise. */
const SLOW_STEP = 300;
const VERY_SLOW_STEP = 5000;
/** The share of the processors' time that others may take of a window that counts as quiet. */
const QUIET = 0.05;
/** How many times the windows asked for are tried at most, to get as many quiet ones. */
const PATIENCE = 6;
/** How long to wait after a disturbed one, in milliseconds: others tend to come in bursts. */
const PAUSE = 300;

/**
 * @typedef {object} Measured what one side did
 * @property {string} side
 * @property {string} label name and version, as the side gave them
 * @property {number} threads
 * @property {Record<string, Summary> | null} metrics null if it could not do the job
 * @property {number | null} others the share of the processors' time that others took, at the median of the windows
 * @property {string} [reason] why it could not
 */

/** One side's windows of one job. */
class Windows {
	/** @type {{ metrics: Metrics, others: number | null }[]} */
	#windows = [];
	#wanted = 0;
	#seconds = 0;
	#watch = true;
	reason = "";

	/** @param {Side} side @param {Job} job */
	constructor(side, job) {
		this.side = side;
		this.job = job;
	}

	/** Prepares, warms up, and decides how many windows there will be. @param {{ seconds: number, windows: number, watch: boolean }} length */
	async warmUp({ seconds, windows, watch }) {
		const { metrics, reason } = await this.side.run(this.job, seconds / 4);
		if (metrics === null) {
			this.reason = reason;
			return;
		}
		const longest = Math.max(0, ...Object.values(metrics));
		const slow = longest > SLOW_STEP;
		this.#watch = watch && !slow;
		this.#seconds = slow ? 0.001 : seconds;
		this.#wanted = slow ? Math.min(windows, longest > VERY_SLOW_STEP ? 1 : 2) : windows;
	}

	get done() {
		const enough = this.#watch ? PATIENCE * this.#wanted : this.#wanted;
		const quiet = this.#windows.filter(({ others }) => others === null || others <= QUIET);
		return quiet.length >= this.#wanted || this.#windows.length >= enough;
	}

	async measure() {
		const others = watchOthers(this.side.pid);
		const { metrics } = await this.side.run(this.job, this.#seconds);
		const taken = others();
		if (metrics) this.#windows.push({ metrics, others: taken });
		if (this.#watch && taken !== null && taken > QUIET) await new Promise((resolve) => setTimeout(resolve, PAUSE));
	}

	/** @returns {Measured} */
	result() {
		const { name: side, label, threads } = this.side;
		if (this.#windows.length === 0) return { side, label, threads, metrics: null, others: null, reason: this.reason };
		const windows = this.#windows.sort((a, b) => (a.others ?? 0) - (b.others ?? 0)).slice(0, this.#wanted);
		/** @type {Record<string, Summary>} */
		const metrics = {};
		for (const name of Object.keys(windows[0].metrics))
			metrics[name] = summarize(windows.map((each) => each.metrics[name]));
		const others = windows.flatMap((each) => (each.others === null ? [] : [each.others]));
		return { side, label, threads, metrics, others: others.length > 0 ? median(others) : null };
	}
}

/**
 * Runs `job` on every side: first once to prepare and warm up, then `windows` times in turn.
 *
 * @param {readonly Side[]} sides @param {Job} job
 * @param {{ seconds: number, windows: number }} length
 * @returns {Promise<Measured[]>}
 */
export async function interleave(sides, job, { seconds, windows }) {
	const all = sides.map((side) => new Windows(side, job));
	// Where one side cannot be told from others (a browser is many processes), none is measured again.
	const watch = sides.every(({ pid }) => pid !== undefined);
	for (const each of all) await each.warmUp({ seconds, windows, watch });
	while (all.some(({ done }) => !done)) {
		for (const each of all) if (!each.done) await each.measure();
	}
	return all.map((each) => each.result());
}

/** The most that others took of the processors' time in what was measured, from 0 to 1. @param {readonly Measured[]} measured */
export function mostDisturbed(measured) {
	return Math.max(0, ...measured.map(({ others }) => others ?? 0));
}
