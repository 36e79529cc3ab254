import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CsvOptions, parseCsv } from "./csv.ts";

function rows(text: string, options?: CsvOptions): [string[] | null, number[][]] {
	const { columns, shape, data } = parseCsv(text, options);
	return [columns, Array.from({ length: shape[0] }, (_, i) => [...data.subarray(i * shape[1], (i + 1) * shape[1])])];
}

test.each([
	[
		"plain",
		"1,2\n3,-4.5\n",
		null,
		[
			[1, 2],
			[3, -4.5],
		],
	],
	[
		"no last line break",
		"1,2\n3,4",
		null,
		[
			[1, 2],
			[3, 4],
		],
	],
	[
		"Windows",
		"a,b\r\n1,2\r\n\r\n3,4\r\n",
		["a", "b"],
		[
			[1, 2],
			[3, 4],
		],
	],
	["names and spaces", "\uFEFFheight , weight\n 1.5e2, +.5 \n", ["height", "weight"], [[150, 0.5]]],
	["quotes", '"a ""b"", c","d\ne"\n"1","2"\n', ['a "b", c', "d\ne"], [[1, 2]]],
	[
		"not finite",
		"nan,inf\n-Infinity,NaN\n",
		null,
		[
			[Number.NaN, Infinity],
			[-Infinity, Number.NaN],
		],
	],
	["one column", "x\n1\n\n2\n", ["x"], [[1], [2]]],
] as const)("%s", (_, text, columns, values) => {
	expect(rows(text)).toEqual([columns, values]);
});

test("options", () => {
	expect(rows("1;2\n3;4", { delimiter: ";", header: true })).toEqual([["1", "2"], [[3, 4]]]);
	expect(() => parseCsv("a,b\n1,2", { header: false, name: "f" })).toThrow(
		'f: line 1, column 1: expected a number, got "a"',
	);
});

test("numbers come back as they were, whatever the line ends are", () => {
	const table = fc
		.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
		.chain(([width, end, quoted]) =>
			fc
				.array(fc.array(fc.double(), { minLength: width, maxLength: width }), { minLength: 1 })
				.map((values) => ({ values, end, quoted })),
		);
	fc.assert(
		fc.property(table, ({ values, end, quoted }) => {
			const text = values
				.map((row) => row.map((v) => (quoted ? `"${v}"` : Object.is(v, -0) ? "-0" : `${v}`)).join(","))
				.join(end);
			const expected = quoted ? values.map((row) => row.map((v) => (v === 0 ? 0 : v))) : values;
			expect(rows(text)[1]).toEqual(expected);
		}),
	);
});

describe("what is wrong is named", () => {
	test.each([
		["empty", "\n \n", "f: there are no numbers in this file"],
		["names alone", "a,b\n", "f: there is a row of names, and no numbers below it"],
		["word", "a,b\n1,2\n3,x4\n", 'f: line 3, column 2 ("b"): expected a number, got "x4"'],
		["hexadecimal", "1,0x10\n", 'f: line 1, column 2: expected a number, got "0x10"'],
		["nothing", "1,2\n3,\n", "f: line 2, column 2: expected a number, got nothing"],
		["short", "1,2\n\n3\n", "f: line 3 has 1 values, expected 2 as in line 1"],
		["long", "1,2\n3,4,5\n", "f: line 2 has 3 values, expected 2"],
		["after a quoted line break", '"a\nb",c\n1,y\n', 'f: line 3, column 2 ("c"): expected a number'],
		["open quote", '1,2\n3,"4\n', "f: line 2, column 2: the quote that opens here is not closed"],
		["text after a quote", '"1"2,3\n', "f: line 1, column 1: there is text after the closing quote"],
	])("%s", (_, text, message) => {
		expect(() => parseCsv(text, { name: "f" })).toThrow(message);
	});

	test("the delimiter", () => {
		expect(() => parseCsv("1", { delimiter: "::" })).toThrow('one character, got "::"');
	});
});
