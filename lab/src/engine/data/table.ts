// A table of one's own: numbers, with the class in the last column. Columns are brought to mean 0 and deviation 1, and
// every fifth row is held back for testing.

import { data, EvenkeelError, keep, tensor } from "evenkeel";
import { Generator } from "evenkeel/random";
import { type CsvTable, parseCsv } from "../../../../src/model-files/csv.ts";
import type { Examples } from "./examples.ts";
import { extentOf } from "./plane.ts";

/** More classes than this are no classes. */
const MOST_CLASSES = 100;
/** One row in so many is held back. */
const TEST_SHARE = 5;

/** Text to numbers: what the last column holds may be names. */
interface Table {
	readonly rows: number;
	readonly features: number;
	/** `[rows, features]` */
	readonly x: Float32Array;
	readonly labels: Int32Array;
	readonly classes: readonly string[];
}

/**
 * The examples of a CSV file: one a row, features first, the class last (a number or a name).
 *
 * @throws EvenkeelError naming line and column of what is no number, or what is wrong with the classes
 */
export function readTable(text: string, name: string, seed: number): Examples {
	const table = toTable(text, name);
	const { rows, features, classes } = table;
	const order = new Generator(seed).fork("table").permutation(rows);
	const held = Math.floor(rows / TEST_SHARE);
	const [test, train] = [order.subarray(0, held), order.subarray(held)];
	const x = standardized(table, train);
	const sets = [train, test].map((part) => subset(x, table, part));
	const [points, labels] = [takeRows(x, train, features), train.map((row) => table.labels[row])];
	return {
		info: {
			kind: "csv",
			train: train.length,
			test: test.length,
			shape: [features],
			classes,
			file: name,
			plane: features === 2 ? { points, labels: Int32Array.from(labels), extent: extentOf(points) } : null,
		},
		train: sets[0],
		test: sets[1],
		transform: {},
		dispose() {
			for (const set of sets) {
				set.x.dispose();
				set.y.dispose();
			}
		},
	};
}

function toTable(text: string, name: string): Table {
	const { body, classes, labels } = splitClasses(text, name);
	const table: CsvTable = parseCsv(body, { name });
	const [rows, features] = table.shape;
	if (rows !== labels.length) throw new EvenkeelError(`${name}: not every row has a class in its last column`);
	if (rows < TEST_SHARE)
		throw new EvenkeelError(`${name}: ${rows} rows are too few to learn from; bring ${TEST_SHARE} or more`);
	const bad = table.data.findIndex((value) => !Number.isFinite(value));
	if (bad >= 0) {
		throw new EvenkeelError(
			`${name}: row ${Math.floor(bad / features) + 1}, column ${(bad % features) + 1} is ${table.data[bad]}; remove or repair it`,
		);
	}
	return { rows, features, x: Float32Array.from(table.data), labels, classes };
}

/** The text without its last column, and that column as classes: in the order of numbers, or as they come. */
function splitClasses(text: string, name: string): { body: string; classes: string[]; labels: Int32Array } {
	const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
	const body: string[] = [];
	const words: string[] = [];
	let [first, width] = [-1, 0];
	for (const [i, line] of lines.entries()) {
		// Empty lines are no rows, but they count.
		if (line.trim() === "") {
			body.push("");
			continue;
		}
		const comma = line.lastIndexOf(",");
		if (comma < 0)
			throw new EvenkeelError(
				`${name}: line ${i + 1} has one value; expected numbers and a class, with commas between`,
			);
		// What stands in quotes may have commas, and is left to parseCsv.
		const values = line.includes('"') ? width : line.split(",").length;
		if (width === 0) [first, width] = [i, values];
		if (values !== width) {
			throw new EvenkeelError(`${name}: line ${i + 1} has ${values} values, expected ${width} as in line ${first + 1}`);
		}
		body.push(line.slice(0, comma));
		words.push(
			line
				.slice(comma + 1)
				.trim()
				.replace(/^"(.*)"$/, "$1"),
		);
	}
	if (words.length === 0) {
		throw new EvenkeelError(`${name}: this file is empty; expected rows of numbers with the class in the last column`);
	}
	if (isHeader(body.find((line) => line !== "") ?? "")) words.shift();
	const classes = [...new Set(words)];
	if (classes.every((word) => word !== "" && Number.isFinite(Number(word))))
		classes.sort((a, b) => Number(a) - Number(b));
	if (classes.length < 2 || classes.length > MOST_CLASSES) {
		throw new EvenkeelError(
			`${name}: the last column holds ${classes.length} different ${classes.length === 1 ? "value" : "values"}; it should name 2 to ${MOST_CLASSES} classes`,
		);
	}
	const numbers = new Map(classes.map((word, i) => [word, i]));
	return { body: body.join("\n"), classes, labels: Int32Array.from(words, (word) => numbers.get(word) ?? 0) };
}

/** As `parseCsv` tells a row of names: none of its values is a number. */
function isHeader(line: string): boolean {
	return line.split(",").every((value) => value.trim() === "" || Number.isNaN(Number(value.replaceAll('"', ""))));
}

/** Each column by mean and deviation of its training rows. */
function standardized({ x, features }: Table, train: Int32Array): Float32Array {
	const result = new Float32Array(x.length);
	for (let column = 0; column < features; column++) {
		const values = Array.from(train, (row) => x[row * features + column]);
		const mean = average(values);
		const deviation = Math.sqrt(average(values.map((value) => (value - mean) ** 2)));
		// What is left of a constant column is rounding, and stays small.
		const scale = deviation > 1e-6 * Math.abs(mean) ? deviation : 1;
		for (let i = column; i < x.length; i += features) result[i] = (x[i] - mean) / (scale || 1);
	}
	return result;
}

function average(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function takeRows(x: Float32Array, rows: Int32Array, features: number): Float32Array {
	const taken = new Float32Array(rows.length * features);
	for (const [i, row] of rows.entries()) taken.set(x.subarray(row * features, (row + 1) * features), i * features);
	return taken;
}

function subset(x: Float32Array, { labels, features }: Table, rows: Int32Array): data.TensorDataset {
	return new data.TensorDataset(
		keep(tensor(takeRows(x, rows, features), [rows.length, features])),
		keep(
			tensor(
				rows.map((row) => labels[row]),
				[rows.length],
			),
		),
	);
}
