import { init, scope } from "evenkeel";
import { beforeAll, describe, expect, test } from "vitest";
import { readTable } from "./table.ts";

beforeAll(() => init({ threads: 1 }));

const table = (rows: number, row: (i: number) => string, head = ""): string =>
	head + Array.from({ length: rows }, (_, i) => row(i)).join("\n");

describe("a table of one's own", () => {
	test("has its classes in the last column, by name or by number", () => {
		const named = readTable(
			table(10, (i) => `${i},${i % 2 ? "cat" : "dog"}`, "weight,kind\n"),
			"pets.csv",
			1,
		);
		expect(named.info).toMatchObject({ train: 8, test: 2, shape: [1], classes: ["dog", "cat"], plane: null });
		const numbered = readTable(
			table(12, (i) => `${i},1,${[10, 2, 9][i % 3]}`),
			"t.csv",
			1,
		);
		expect(numbered.info.classes).toEqual(["2", "9", "10"]);
		for (const one of [named, numbered]) one.dispose();
	});

	test("brings columns to mean 0 and deviation 1 over the training rows; a constant one to 0", () => {
		const examples = readTable(
			table(50, (i) => `${3 + 100 * (i % 5)},7,${i % 2}`),
			"t.csv",
			1,
		);
		const rows = Int32Array.from({ length: 40 }, (_, i) => i);
		const x = scope(() => examples.train.gather(rows).x.dataSync());
		const first = Array.from(rows, (row) => x[2 * row]);
		const mean = first.reduce((a, b) => a + b) / 40;
		expect(mean).toBeCloseTo(0, 5);
		expect(first.reduce((sum, v) => sum + v * v, 0) / 40).toBeCloseTo(1, 4);
		expect(Array.from(rows, (row) => x[2 * row + 1])).toEqual(new Array(40).fill(0));
		examples.dispose();
	});

	test("of two columns can be drawn", () => {
		const examples = readTable(
			table(20, (i) => `${i},${-i},${i % 2}`),
			"t.csv",
			1,
		);
		expect(examples.info.plane?.points).toHaveLength(2 * 16);
		expect(examples.info.plane?.labels).toHaveLength(16);
		examples.dispose();
	});

	test.each([
		["1,2,a\n1,x,b\n3,4,a\n5,6,b\n7,8,a", /t\.csv: line 2, column 2: expected a number, got "x"/],
		["1\n2\n3", /line 1 has one value/],
		["1,a\n2,a\n3,a\n4,a\n5,a", /the last column holds 1 different value; it should name 2 to 100 classes/],
		["1,a\n2,b\n3,a", /3 rows are too few/],
		["1,a\n2,b\nnan,a\n4,b\n5,a", /row 3, column 1 is NaN/],
		["", /t\.csv: this file is empty/],
		["a,b\n", /0 different values/],
		["1,2,a\n\n1,b\n3,4,a\n5,6,b\n7,8,a", /t\.csv: line 3 has 2 values, expected 3 as in line 1/],
		["1,2,a\n\n1,x,b\n3,4,a\n5,6,b\n7,8,a", /t\.csv: line 3, column 2: expected a number, got "x"/],
	])("%j is refused with the reason", (text, message) => {
		expect(() => readTable(text, "t.csv", 1)).toThrow(message);
	});
});
