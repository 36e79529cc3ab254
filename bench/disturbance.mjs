// How much of the processors' time others took while a window was measured. Known on Linux; elsewhere nothing is.

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

/** Clock ticks a second in /proc: 100 on every architecture that Node runs on. */
const TICKS = 100;

/** Milliseconds that all processors have been busy. */
function busy() {
	return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** Milliseconds that process `pid` and its threads have run, or null. @param {number} pid */
function usedBy(pid) {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, "utf8");
		// Behind the name, which may hold anything: state is the first field, user and system time are the 12th and 13th.
		const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
		return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
	} catch {
		return null;
	}
}

/**
 * Starts watching; the function returned says which share of the processors' time since then went to processes other
 * than `pid` and this one, from 0 to 1. Null where that cannot be known.
 *
 * @param {number | undefined} pid
 */
export function watchOthers(pid) {
	const start = {
		at: performance.now(),
		busy: busy(),
		side: pid === undefined ? null : usedBy(pid),
		own: usedBy(process.pid),
	};
	return () => {
		const side = pid === undefined ? null : usedBy(pid);
		const own = usedBy(process.pid);
		if (side === null || start.side === null || own === null || start.own === null) return null;
		const others = busy() - start.busy - (side - start.side) - (own - start.own);
		return Math.max(0, others / (performance.now() - start.at) / availableParallelism());
	};
}

/**
 * The same for a side of many processes, such as a browser: others are those that do not descend from this one.
 */
export function watchOutsiders() {
	const start = { at: performance.now(), busy: busy(), own: usedByFamily() };
	return () => {
		const own = usedByFamily();
		if (own === null || start.own === null) return null;
		const others = busy() - start.busy - (own - start.own);
		return Math.max(0, others / (performance.now() - start.at) / availableParallelism());
	};
}

/** Milliseconds that this process and all that descend from it, and are alive, have run, or null. */
function usedByFamily() {
	/** @type {Map<number, number[]>} */
	const children = new Map();
	try {
		for (const name of readdirSync("/proc")) {
			const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : null;
			if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
		}
	} catch {
		return null;
	}
	const family = [process.pid];
	for (const pid of family) family.push(...(children.get(pid) ?? []));
	return family.reduce((sum, pid) => sum + (usedBy(pid) ?? 0), 0);
}

/** @param {number} pid */
function parentOf(pid) {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, "utf8");
		return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
	} catch {
		return null;
	}
}

/**
 * Waits until other processes take less than `share` of the processors, for at most `minutes`.
 *
 * @param {number} share @param {number} minutes @param {(line: string) => void} say
 */
export async function waitForQuiet(share, minutes, say) {
	const end = performance.now() + minutes * 60_000;
	for (let told = false; performance.now() < end; told = true) {
		const idle = busy();
		const start = performance.now();
		await new Promise((resolve) => setTimeout(resolve, 3000));
		const taken = (busy() - idle) / (performance.now() - start) / availableParallelism();
		if (taken < share) return;
		if (!told) say(`waiting for a quiet machine: other processes take ${Math.round(100 * taken)}% of the processors`);
	}
	if (minutes > 0) say("the machine did not get quiet; measuring anyway");
}
