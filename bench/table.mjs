// Tables in Markdown that are readable as text, and how figures are written in them.

import { spread } from "./statistics.mjs";

/** @typedef {import("./statistics.mjs").Summary} Summary */

/**
 * A table whose columns are as wide as their widest cell; every column but the first is aligned to the right.
 *
 * @param {readonly string[]} head @param {readonly (readonly string[])[]} rows
 */
export function markdownTable(head, rows) {
	const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i].length)));
	const line = (/** @type {readonly string[]} */ cells) =>
		`| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(" | ")} |`;
	const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
	return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Three significant digits, thousands apart. @param {number} value */
export function figure(value) {
	const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
	return value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** A median and its spread: `12.3 ±4%`. @param {Summary} summary */
export function withSpread(summary) {
	return summary.count > 1
		? `${figure(summary.median)} ±${(100 * spread(summary)).toFixed(0)}%`
		: figure(summary.median);
}

/** `3.2 x` @param {number} value */
export function times(value) {
	return `${figure(value)} x`;
}

/** `85%` @param {number} share */
export function percent(share) {
	return `${(100 * share).toFixed(0)}%`;
}

/** @param {number} bytes */
export function megabytes(bytes) {
	return `${figure(bytes / 1e6)} MB`;
}
