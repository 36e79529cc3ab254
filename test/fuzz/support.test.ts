// The harness itself: each thing that it is to find, it finds.

import { expect, test } from "vitest";
import { EvenkeelError } from "../../src/errors.ts";
import { fuzz } from "../support/fuzz.ts";

const seeds = [new TextEncoder().encode('{"length": 12, "values": [1, 2, 3]}')];

test("what is refused and what is read are counted", () => {
	const { read, refused } = fuzz({
		seeds,
		cases: 300,
		read: (bytes) => {
			if (bytes[0] !== 0x7b) throw new EvenkeelError("no");
		},
	});
	expect(read + refused).toBe(300);
	expect(Math.min(read, refused)).toBeGreaterThan(10);
});

test.each<[string, (bytes: Uint8Array) => unknown, RegExp]>([
	["another error", (bytes) => bytes.length < 30 && JSON.parse("{"), /SyntaxError|JSON/],
	[
		"a length that is believed",
		(bytes) => new Uint8Array(Number(/\d+/.exec(new TextDecoder().decode(bytes))?.[0]) & 0xffffff),
		/took \d+ bytes of memory/,
	],
	[
		"a message that quotes the file",
		(bytes) => {
			throw new EvenkeelError("x".repeat(bytes[0] === 0x7b ? 1 : 5000));
		},
		/a message of 5000 characters/,
	],
])("found: %s", (_, read, message) => {
	expect(() => fuzz({ seeds, cases: 1000, read })).toThrow(message);
});

test("found: a loop without end", () => {
	const read = (bytes: Uint8Array) => {
		while (bytes.length > 40);
	};
	expect(() => fuzz({ seeds, cases: 1000, read, limit: 50 })).toThrow(/timed out after 50ms/);
});

test("found: a wrong answer", () => {
	const target = { seeds, cases: 300, read: (bytes: Uint8Array) => bytes.length };
	const verify = (length: number) => {
		if (length === 0) throw new Error("nothing was read");
	};
	expect(() => fuzz({ ...target, verify })).toThrow("nothing was read");
});
