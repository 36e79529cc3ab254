import { expect, test } from "vitest";
import { readNumber, readTyped } from "./read-number.ts";

const whole = { least: 0, most: 1_000_000, whole: true };
const any = { least: 0, most: 100, whole: false };

test.each([
	["1,000", 1000],
	["1,000,000", 1_000_000],
	["1,00", null],
	["1000,5", null],
	["1e3", 1000],
	["0x10", null],
	["1.5", null],
	["2,000,000", null],
	["", null],
])("%j typed into a field of whole numbers is %j", (text, value) => expect(readTyped(text, whole)).toBe(value));

test.each([
	["0,5", 0.5],
	[" .5 ", 0.5],
	["5e-1", 0.5],
	["0,5,1", null],
	["0x10", null],
	["Infinity", null],
	["101", null],
])("%j typed into a field of any numbers is %j", (text, value) => expect(readTyped(text, any)).toBe(value));

test("an address has no commas", () => {
	expect(readNumber("1,000", whole)).toBeNull();
	expect(readNumber("0,5", any)).toBeNull();
});
