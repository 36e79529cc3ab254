// Tables of numbers as text (RFC 4180): rows of values between commas, names above them if there are any.

import { check, EvenkeelError } from "../errors.ts";
import { quote } from "./show.ts";

/** A table of numbers. */
export interface CsvTable {
	/** The columns' names, or null if the file has none. */
	columns: string[] | null;
	/** `[rows, columns]` */
	shape: [number, number];
	/** Row by row. */
	data: Float64Array;
}

export interface CsvOptions {
	/** Whether the first row holds names. Default `"auto"`: yes if none of its values is a number. */
	header?: boolean | "auto";
	/** What stands between values. Default `","`. */
	delimiter?: string;
	/** What to call the file in errors: its path. */
	name?: string;
}

/** One value, and where it stands. */
interface Value {
	text: string;
	/** Of its row's first character, from 1. */
	line: number;
	/** From 0. Empty lines are no rows. */
	row: number;
	column: number;
	/** Whether its row ends with it. */
	isLast: boolean;
}

/** More names than a table has columns. */
const MOST_NAMES = 100_000;

/**
 * Reads a table of numbers. Values may be quoted; `nan`, `inf` and `infinity` are numbers; empty lines are skipped. The text is
 * gone through twice, first to count: beyond the numbers themselves nothing is kept of it.
 *
 * @throws EvenkeelError naming line and column if a value is no number, or a row is shorter or longer than the first
 */
export function parseCsv(text: string, options: CsvOptions = {}): CsvTable {
	const { header = "auto", delimiter = ",", name = "CSV" } = options;
	check(
		delimiter.length === 1,
		() => `parseCsv: the delimiter must be one character, got ${JSON.stringify(delimiter)}`,
	);
	const body = text.replace(/^\uFEFF/, "");
	const { names, rows, width } = survey(body, delimiter, header, name);
	const data = new Float64Array(rows * width);
	const skipped = names ? 1 : 0;
	for (const value of valuesOf(body, delimiter, name)) {
		if (value.row < skipped) continue;
		const number = toNumber(value.text);
		if (number === null) {
			throw new EvenkeelError(`${name}: ${place(value, names)}: ${notANumber(value.text)}`);
		}
		data[(value.row - skipped) * width + value.column] = number;
	}
	return { columns: names, shape: [rows, width], data };
}

/** The names, if there are any, and how many rows and columns; throws if rows differ in length. */
function survey(
	text: string,
	delimiter: string,
	header: boolean | "auto",
	name: string,
): { names: string[] | null; rows: number; width: number } {
	let names: string[] | null = header === false ? null : [];
	let [width, firstLine, rows] = [0, 0, 0];
	for (const { text: value, row, column, line, isLast } of valuesOf(text, delimiter, name)) {
		if (row === 0) {
			if (header === "auto" && toNumber(value) !== null) names = null;
			names?.push(value.trim());
			check((names?.length ?? 0) <= MOST_NAMES, () => `${name}: there are more than ${MOST_NAMES} names of columns`);
			firstLine = line;
			width = column + 1;
		}
		if (!isLast) continue;
		check(
			column + 1 === width,
			() => `${name}: line ${line} has ${column + 1} values, expected ${width} as in line ${firstLine}`,
		);
		rows = row + 1;
	}
	check(rows > 0, () => `${name}: there are no numbers in this file`);
	check(rows > 1 || !names, () => `${name}: there is a row of names, and no numbers below it`);
	return { names, rows: names ? rows - 1 : rows, width };
}

function place({ line, column }: Value, columns: readonly string[] | null): string {
	return `line ${line}, column ${column + 1}${columns ? ` (${quote(columns[column])})` : ""}`;
}

function notANumber(value: string): string {
	return value.trim() === "" ? "expected a number, got nothing" : `expected a number, got ${quote(value)}`;
}

/** The number that `text` spells, or null. */
function toNumber(text: string): number | null {
	const trimmed = text.trim();
	if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return Number(trimmed);
	if (/^[+-]?nan$/i.test(trimmed)) return Number.NaN;
	const infinity = /^([+-]?)inf(inity)?$/i.exec(trimmed);
	if (infinity) return infinity[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
	return null;
}

/** The values one after the other, as one object that is used again. */
function* valuesOf(text: string, delimiter: string, name: string): Generator<Value> {
	const value: Value = { text: "", line: 1, row: 0, column: 0, isLast: false };
	let at = 0;
	let lines = 1;
	while (at < text.length) {
		const begin = at;
		const found = text[at] === '"' ? readQuoted(text, at, value, name) : readPlain(text, at, delimiter);
		value.text = found.value;
		value.isLast = text[found.end] !== delimiter;
		at = value.isLast ? endOfRow(text, found.end, value, name) : found.end + 1;
		for (let i = begin; i < at; i++) if (text.charCodeAt(i) === 0x0a) lines++;
		const isEmpty = value.isLast && value.column === 0 && found.value.trim() === "";
		if (!isEmpty) yield value;
		if (!value.isLast) value.column++;
		else {
			if (!isEmpty) value.row++;
			value.column = 0;
			value.line = lines;
		}
		// "1," ends with a value of nothing.
		if (!value.isLast && at === text.length) {
			yield Object.assign(value, { text: "", isLast: true });
		}
	}
}

/** Where the next row begins. */
function endOfRow(text: string, end: number, { line, column }: Value, name: string): number {
	const next = text[end] === "\r" && text[end + 1] === "\n" ? end + 2 : end + 1;
	const ended = end >= text.length || text[end] === "\n" || next === end + 2;
	check(ended, () => `${name}: line ${line}, column ${column + 1}: there is text after the closing quote`);
	return next;
}

function readPlain(text: string, begin: number, delimiter: string): { value: string; end: number } {
	let end = begin;
	while (end < text.length && text[end] !== delimiter && text[end] !== "\n") end++;
	if (text[end] === "\n" && text[end - 1] === "\r" && end > begin) end--;
	return { value: text.slice(begin, end), end };
}

function readQuoted(
	text: string,
	begin: number,
	{ line, column }: Value,
	name: string,
): { value: string; end: number } {
	for (let end = begin + 1; end < text.length; end++) {
		if (text[end] !== '"') continue;
		if (text[end + 1] !== '"') return { value: text.slice(begin + 1, end).replaceAll('""', '"'), end: end + 1 };
		end++;
	}
	throw new EvenkeelError(`${name}: line ${line}, column ${column + 1}: the quote that opens here is not closed`);
}
