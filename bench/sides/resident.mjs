// The memory a Node process has from the system.

import { readFileSync, writeFileSync } from "node:fs";

/** Starts the count of the peak anew, where the system can (Linux), and returns the bytes resident. */
export function resetPeak() {
	try {
		writeFileSync("/proc/self/clear_refs", "5");
		return statusBytes("VmRSS");
	} catch {
		return process.resourceUsage().maxRSS * 1024;
	}
}

/** The most bytes resident since {@link resetPeak}, or since the start where that cannot be reset. */
export function peakResident() {
	try {
		return statusBytes("VmHWM");
	} catch {
		return process.resourceUsage().maxRSS * 1024;
	}
}

/** @param {string} field */
function statusBytes(field) {
	const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"));
	if (!found) throw new Error(`no ${field} in /proc/self/status`);
	return Number(found[1]) * 1024;
}
