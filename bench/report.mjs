// Tables into files, and into their places in docs/benchmarks.md.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { markdownTable } from "./table.mjs";

/** @typedef {import("./context.mjs").Section} Section */

/** Title, table, notes. @param {Section} section */
export function renderSection({ title, head, rows, notes }) {
	return `### ${title}\n\n${markdownTable(head, rows)}\n\n${notes.map((note) => `- ${note}`).join("\n")}\n`;
}

/**
 * Writes `<id>.md` and `<id>.json` of each section into `folder`, and each into its place in `page`, if one is named.
 *
 * @param {readonly Section[]} sections @param {string} folder @param {string | null} page
 */
export function writeReport(sections, folder, page) {
	mkdirSync(folder, { recursive: true });
	for (const section of sections) {
		writeFileSync(join(folder, `${section.id}.md`), renderSection(section));
		writeFileSync(join(folder, `${section.id}.json`), `${JSON.stringify(section, null, "\t")}\n`);
	}
	if (page === null) return;
	let text = readFileSync(page, "utf8");
	for (const section of sections) text = putInPlace(text, section.id, renderSection(section));
	writeFileSync(page, text);
}

/**
 * Replaces what stands between `<!-- bench: id -->` and `<!-- /bench -->`.
 *
 * @param {string} text @param {string} id @param {string} content
 */
export function putInPlace(text, id, content) {
	const opening = `<!-- bench: ${id} -->`;
	const begin = text.indexOf(opening);
	const end = text.indexOf("<!-- /bench -->", begin);
	if (begin < 0 || end < 0)
		throw new Error(`the page has no place for the table "${id}": ${opening} … <!-- /bench -->`);
	return `${text.slice(0, begin + opening.length)}\n\n${content}\n${text.slice(end)}`;
}
