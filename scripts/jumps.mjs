// Prints, for each inner loop of the kernels that multiplies and adds, how V8 has laid it out in memory: `node scripts/jumps.mjs [name]`.
//
// Processors of Intel's Skylake family keep no decoded copy of 32 bytes of code that a jump crosses or ends with (Intel, "Mitigations
// for Jump Conditional Code Erratum", 2019), and decode what follows, up to the next jump that is taken, anew each time, at
// 16 bytes a cycle: half as fast as the loops in src/ops/conv/tiles.as.ts run. V8 starts loops at multiples of 64 bytes, so
// where jumps stand follows from the lengths of instructions, and constants in the sources can move them.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

const file = fileURLToPath(new URL("../src/backend/wasm/generated/relaxed.wasm", import.meta.url));
const LINE = 32;
// Node 20 has relaxed SIMD behind a flag.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");

if (process.env.EVENKEEL_JUMPS) {
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
	new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory, abort() {} } });
} else {
	const only = new RegExp(process.argv[2] ?? "");
	const rows = functions(compiled()).flatMap(({ name, code }) => (only.test(name) ? loops(code, name) : []));
	console.table(rows);
}

/** @typedef {{ at: number, length: number, text: string }} Instruction */

/** What V8 prints of its code for the kernels. */
function compiled() {
	const flags = ["--no-liftoff", "--no-wasm-lazy-compilation", "--print-wasm-code"];
	const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, fileURLToPath(import.meta.url)], {
		env: { ...process.env, EVENKEEL_JUMPS: "1" },
		encoding: "utf8",
		maxBuffer: 1 << 28,
	});
	if (status !== 0) throw new Error(`jumps: Node could not compile ${file}: ${stderr}`);
	return stdout;
}

/** The compiled kernels. @param {string} output @returns {{ name: string, code: Instruction[] }[]} */
function functions(output) {
	const exported = WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(file)));
	const names = indices(exported.filter(({ kind }) => kind === "function").map(({ name }) => name));
	return output
		.split("--- WebAssembly code ---")
		.slice(1)
		.map((part) => {
			const index = Number(/^index: (\d+)$/m.exec(part)?.[1]);
			const lines = [...part.matchAll(/^0x[0-9a-f]+ +([0-9a-f]+) +([0-9a-f]+) +(.*)$/gm)];
			const code = lines.map(([, at, bytes, text]) => ({
				at: Number.parseInt(at, 16),
				length: bytes.length / 2,
				text,
			}));
			return { name: names.get(index) ?? `function ${index}`, code };
		});
}

/** The index of each exported function: what the function itself is called in JavaScript. @param {string[]} names */
function indices(names) {
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
		env: { memory, abort() {} },
	});
	return new Map(names.map((name) => [Number(/** @type {Function} */ (exports[name]).name), name]));
}

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

/** @param {Instruction} instruction */
function isMultiplyAdd({ text }) {
	return text.startsWith("vfmadd");
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
