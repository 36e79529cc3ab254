// Tables of numbers as text (RFC 4180): rows of values between commas, names above them if there are any.

import { check, EvenkeelError } from "../errors.ts";

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

interface Row {
	/** Of its first character, from 1. */
	line: number;
	values: string[];
}

/**
 * Reads a table of numbers. Values may be quoted; `nan`, `inf` and `infinity` are numbers; empty lines are skipped.
 *
 * @throws EvenkeelError naming line and column if a value is no number, or a row is shorter or longer than the first
 */
export function parseCsv(text: string, options: CsvOptions = {}): CsvTable {
	const { header = "auto", delimiter = ",", name = "CSV" } = options;
	check(
		delimiter.length === 1,
		() => `parseCsv: the delimiter must be one character, got ${JSON.stringify(delimiter)}`,
	);
	const rows = splitRows(text.replace(/^\uFEFF/, ""), delimiter, name);
	check(rows.length > 0, () => `${name}: there are no numbers in this file`);
	const hasHeader = header === "auto" ? rows[0].values.every((value) => toNumber(value) === null) : header;
	const columns = hasHeader ? rows[0].values.map((value) => value.trim()) : null;
	const width = rows[0].values.length;
	const body = hasHeader ? rows.slice(1) : rows;
	check(body.length > 0, () => `${name}: there is a row of names, and no numbers below it`);
	const data = new Float64Array(body.length * width);
	body.forEach((row, i) => {
		check(
			row.values.length === width,
			() => `${name}: line ${row.line} has ${row.values.length} values, expected ${width} as in line ${rows[0].line}`,
		);
		row.values.forEach((value, column) => {
			const number = toNumber(value);
			if (number === null) throw new EvenkeelError(`${name}: ${place(row, column, columns)}: ${notANumber(value)}`);
			data[i * width + column] = number;
		});
	});
	return { columns, shape: [body.length, width], data };
}

function place(row: Row, column: number, columns: readonly string[] | null): string {
	return `line ${row.line}, column ${column + 1}${columns ? ` ("${columns[column]}")` : ""}`;
}

function notANumber(value: string): string {
	return value.trim() === "" ? "expected a number, got nothing" : `expected a number, got ${JSON.stringify(value)}`;
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

function splitRows(text: string, delimiter: string, name: string): Row[] {
	const rows: Row[] = [];
	let line = 1;
	let at = 0;
	while (at < text.length) {
		const row: Row = { line, values: [] };
		const begin = at;
		at = readRow(text, at, delimiter, row, name);
		for (let i = begin; i < at; i++) if (text[i] === "\n") line++;
		const isEmpty = row.values.length === 1 && row.values[0].trim() === "";
		if (!isEmpty) rows.push(row);
	}
	return rows;
}

/** Reads the values of one row from `at`. Returns where the next one begins. */
function readRow(text: string, at: number, delimiter: string, row: Row, name: string): number {
	for (let begin = at; ; ) {
		const { value, end } = text[begin] === '"' ? readQuoted(text, begin, row, name) : readPlain(text, begin, delimiter);
		row.values.push(value);
		if (text[end] !== delimiter) {
			const next = text[end] === "\r" && text[end + 1] === "\n" ? end + 2 : end + 1;
			const ended = end >= text.length || text[end] === "\n" || next === end + 2;
			check(
				ended,
				() => `${name}: line ${row.line}, column ${row.values.length}: there is text after the closing quote`,
			);
			return next;
		}
		begin = end + 1;
	}
}

function readPlain(text: string, begin: number, delimiter: string): { value: string; end: number } {
	let end = begin;
	while (end < text.length && text[end] !== delimiter && text[end] !== "\n") end++;
	if (text[end] === "\n" && text[end - 1] === "\r" && end > begin) end--;
	return { value: text.slice(begin, end), end };
}

function readQuoted(text: string, begin: number, row: Row, name: string): { value: string; end: number } {
	for (let end = begin + 1; end < text.length; end++) {
		if (text[end] !== '"') continue;
		if (text[end + 1] !== '"') return { value: text.slice(begin + 1, end).replaceAll('""', '"'), end: end + 1 };
		end++;
	}
	throw new EvenkeelError(
		`${name}: line ${row.line}, column ${row.values.length + 1}: the quote that opens here is not closed`,
	);
}
