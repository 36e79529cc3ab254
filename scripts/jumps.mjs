// Prints, for each inner loop of the kernels that multiplies and adds, how V8 has laid it out in memory: `node scripts/jumps.mjs [name]`.
//
// Processors of Intel's Skylake family keep no decoded copy of 32 bytes of code that a jump crosses or ends with (Intel, "Mitigations
// for Jump Conditional Code Erratum", 2019), and decode what follows, up to the next jump that is taken, anew each time, at
// 16 bytes a cycle: half as fast as the loops in src/ops/conv/tiles.as.ts run. V8 starts loops at multiples of 64 bytes, so
// where jumps stand follows from the lengths of instructions, and constants in the sources can move them.

import { compiledKernels, isMultiplyAdd } from "./v8-code.mjs";

/** @typedef {import("./v8-code.mjs").Instruction} Instruction */

const LINE = 32;

const only = new RegExp(process.argv[2] ?? "");
console.table(compiledKernels("relaxed").flatMap(({ name, code }) => (only.test(name) ? loops(code, name) : [])));

/** The innermost loops with multiply-adds of a function. @param {Instruction[]} code @param {string} name */
function loops(code, name) {
	const spans = code.flatMap(({ at, text }) => {
		const to = /^j\w+ .*<\+0x([0-9a-f]+)>/.exec(text);
		const first = to ? Number.parseInt(to[1], 16) : Number.POSITIVE_INFINITY;
		return first <= at ? [{ first, last: at }] : [];
	});
	const inside = (/** @type {{ first: number, last: number }} */ a, /** @type {{ first: number, last: number }} */ b) =>
		a !== b && b.first <= a.first && a.last <= b.last;
	return spans
		.filter((span) => !spans.some((other) => inside(other, span)))
		.map(({ first, last }) => code.filter(({ at }) => at >= first && at <= last))
		.filter((body) => body.filter(isMultiplyAdd).length >= 4)
		.map((body) => ({
			kernel: name,
			from: body[0].at,
			bytes: body[body.length - 1].at - body[0].at,
			instructions: body.length,
			"multiply-adds": body.filter(isMultiplyAdd).length,
			"jumps across lines, bytes from the start": crossing(body).join(" "),
		}));
}

/** Where jumps, with the comparison that is fused to them, cross 32 bytes or end with them. @param {Instruction[]} body */
function crossing(body) {
	return body.flatMap(({ at, length, text }, i) => {
		if (!/^j/.test(text)) return [];
		const before = body[i - 1];
		const fused = before && !text.startsWith("jmp") && /^(REX\.W )?(cmp|test|add|sub|and)/.test(before.text);
		const start = fused ? before.at : at;
		return (start % LINE) + (at + length - start) >= LINE ? [start - body[0].at] : [];
	});
}
