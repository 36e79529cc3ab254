// Files that are damaged at random, for fuzz tests.

import fc from "fast-check";

/** How many files a fuzz test tries; EVENKEEL_FUZZ_RUNS asks for more. */
export const numRuns = Number(process.env.EVENKEEL_FUZZ_RUNS ?? 1000);

/** What is put in: nothing much, lengths that lie, messages that are empty. */
const pieces = fc.oneof(
	fc.uint8Array({ maxLength: 3 }),
	fc
		.constantFrom([0xff, 0xff, 0xff, 0xff, 0x0f], [0x80], [0x0a, 0x00], [0x3a], [0x12, 0x02, 0x08, 0x7f])
		.map((bytes) => Uint8Array.from(bytes)),
);

/** One of `files` with up to four places at which bytes are changed, cut out or put in. */
export function damaged(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
	const edit = fc.record({
		at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
		cut: fc.constantFrom(0, 0, 1, 1, 2, 50),
		put: pieces,
	});
	return fc.tuple(fc.constantFrom(...files), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) =>
		edits.reduce((before, { at, cut, put }) => {
			const from = Math.floor(at * before.length);
			return concat(before.subarray(0, from), put, before.subarray(from + cut));
		}, bytes),
	);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}
