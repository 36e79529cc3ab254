import { expect, test } from "vitest";
import { parseJson } from "./json.ts";

test("what is within bounds is parsed", () => {
	const value = { a: [1, { b: 'no "[[[" , depth' }], c: null };
	expect(parseJson(JSON.stringify(value), "f")).toEqual(value);
	expect(parseJson(`${"[".repeat(200)}${"]".repeat(200)}`, "f")).toHaveLength(1);
	expect(parseJson(`[${"1,".repeat(999_000)}1]`, "f")).toHaveLength(999_001);
});

test.each([
	["no JSON", "{]", "f is not JSON (Expected property name"],
	["depth", "[".repeat(201), "f is nested more than 200 deep; the file is damaged"],
	["number of values", `[${"[],".repeat(600_000)}1]`, "f holds more than 1000000 values; the file is damaged"],
])("%s", (_, text, message) => {
	expect(() => parseJson(text, "f")).toThrow(message);
});
