// Sections of blocks as text: every column of numbers stands under the same place all the way down.

import type { Colors } from "picocolors/types";
import { numberFormat } from "../ui/format.ts";
import { pad, visibleWidth } from "../ui/table.ts";

export interface Row {
	label: string;
	values: readonly number[];
}

/** A formula, what it is for, and its numbers. */
export interface Block {
	/** Shown in front of the formula; empty for what is no step. */
	step: string;
	formula: string;
	purpose: string;
	rows: readonly Row[];
	/** Shows every row, however many may be shown. */
	uncut?: boolean;
}

export interface Section {
	title: string;
	text: readonly string[];
	blocks: readonly Block[];
}

export interface RenderOptions {
	/** A name for each column of numbers. */
	columns: readonly string[];
	/** Decimals. */
	digits: number;
	/** Rows shown of each block. */
	rows: number;
	/** Characters in a line; columns that do not fit are left out. */
	width: number;
	colors: Colors;
}

/** The sections as text, ending in a line break. */
export function renderSections(sections: readonly Section[], options: RenderOptions): string {
	const cut = (block: Block): Block => (block.uncut ? block : { ...block, rows: block.rows.slice(0, options.rows) });
	const shown = sections.map((section) => ({ ...section, blocks: section.blocks.map(cut) }));
	const layout = layOut(shown, options);
	const lines = sections.flatMap((section, s) => [
		...sectionHead(section, layout, options),
		...section.blocks.flatMap((block, b) => blockLines(block, shown[s].blocks[b], layout, options)),
	]);
	return `${lines.join("\n").trimEnd()}\n`;
}

/** The columns that all blocks share. */
interface Layout {
	label: number;
	column: number;
	/** How many columns of numbers fit. */
	count: number;
}

const indent = 4;
const gap = 2;

function layOut(sections: readonly Section[], { columns, digits, width }: RenderOptions): Layout {
	const blocks = sections.flatMap((section) => section.blocks);
	const rows = blocks.flatMap((block) => block.rows);
	const label = Math.max(0, ...rows.map((row) => visibleWidth(row.label)));
	const column = Math.max(
		...columns.map((name) => Math.min(visibleWidth(name), 12)),
		...blocks.flatMap(formattedRows(digits)).flatMap((cells) => cells.map(visibleWidth)),
	);
	const fit = Math.floor((width - indent - label) / (column + gap));
	// The last column that fits gives way to the dots that say there are more.
	return { label, column, count: fit >= columns.length ? columns.length : Math.max(1, fit - 1) };
}

function formattedRows(digits: number): (block: Block) => string[][] {
	return ({ rows }) => {
		const format = numberFormat(
			rows.flatMap((row) => row.values),
			digits,
		);
		return rows.map((row) => row.values.map(format));
	};
}

function sectionHead(section: Section, layout: Layout, { columns, colors, width }: RenderOptions): string[] {
	const rule = "─".repeat(Math.max(0, Math.min(width, 100) - visibleWidth(section.title) - 1));
	const names = columns.map((name) => shorten(name, layout.column));
	return [
		`${colors.bold(colors.cyan(section.title))} ${colors.dim(rule)}`,
		...section.text.flatMap((line) => wrap(line, Math.min(width, 100))),
		"",
		colors.dim(cellsLine("", names, layout)),
		"",
	];
}

function blockLines(block: Block, shown: Block, layout: Layout, options: RenderOptions): string[] {
	const { digits, colors } = options;
	const cells = formattedRows(digits)(shown);
	const rows = shown.rows.map((row, i) =>
		cellsLine(colors.dim(pad(row.label, layout.label, "right")), cells[i], layout),
	);
	const hidden = block.rows.length - shown.rows.length;
	const more =
		hidden > 0 ? [colors.dim(`${" ".repeat(indent)}… ${hidden} more (--rows ${block.rows.length} shows all)`)] : [];
	return [...blockHead(block, options), ...rows, ...more, ""];
}

/** The formula and what it is for: side by side where there is room, else one below the other. */
function blockHead({ step, formula, purpose }: Block, { width, colors }: RenderOptions): string[] {
	const left = `${colors.cyan(pad(step, 2, "right"))}  ${colors.bold(formula)}`;
	const room = width - indent - Math.max(formulaWidth, visibleWidth(formula)) - gap;
	if (width >= 100 && visibleWidth(purpose) <= room) {
		return [`${pad(left, indent + formulaWidth)}${" ".repeat(gap)}${colors.dim(purpose)}`];
	}
	return [left, ...wrap(purpose, width - indent).map((line) => " ".repeat(indent) + colors.dim(line))];
}

const formulaWidth = 38;

function cellsLine(label: string, cells: readonly string[], { label: labelWidth, column, count }: Layout): string {
	const shown = cells.slice(0, count).map((cell) => " ".repeat(gap) + pad(cell, column, "right"));
	const more = cells.length > count ? `${" ".repeat(gap)}…` : "";
	return `${" ".repeat(indent)}${pad(label, labelWidth)}${shown.join("")}${more}`;
}

function shorten(text: string, width: number): string {
	return visibleWidth(text) <= width ? text : `${[...text].slice(0, width - 1).join("")}…`;
}

/** `text` in lines of at most `width`, broken between words. */
function wrap(text: string, width: number): string[] {
	const lines = [""];
	for (const word of text.split(" ")) {
		const last = lines[lines.length - 1];
		if (last === "") lines[lines.length - 1] = word;
		else if (visibleWidth(last) + 1 + visibleWidth(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
		else lines.push(word);
	}
	return lines;
}
