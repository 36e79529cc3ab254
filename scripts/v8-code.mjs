// The machine code that this Node's V8 makes of the kernels: node scripts/v8-code.mjs <build> compiles them, others call compiledKernels().

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

// Node 20 has relaxed SIMD behind a flag.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");

/** @typedef {{ at: number, length: number, text: string }} Instruction */
/** @typedef {{ name: string, code: Instruction[] }} Kernel */

/** @param {string} build */
const fileOf = (build) => fileURLToPath(new URL(`../src/backend/wasm/generated/${build}.wasm`, import.meta.url));

if (argv[1] === fileURLToPath(import.meta.url)) instantiate(argv[2]);

/**
 * The functions of a build of the kernels as V8 compiles them; those that are not exported have numbers for names.
 *
 * @param {"simd" | "relaxed" | "wide"} build @param {readonly string[]} [flags] more flags for V8
 * @returns {Kernel[]}
 */
export function compiledKernels(build, flags = []) {
	const stdout = printed(build, [...flags, "--no-liftoff", "--no-wasm-lazy-compilation", "--print-wasm-code"]);
	const names = new Map(
		Object.entries(instantiate(build)).map(([name, kernel]) => [/** @type {Function} */ (kernel).name, name]),
	);
	return stdout
		.split("--- WebAssembly code ---")
		.slice(1)
		.map((part) => {
			const index = /^index: (\d+)$/m.exec(part)?.[1] ?? "";
			const lines = [...part.matchAll(/^0x[0-9a-f]+ +([0-9a-f]+) +([0-9a-f]+) +(.*)$/gm)];
			const code = lines.map(([, at, bytes, text]) => ({
				at: Number.parseInt(at, 16),
				length: bytes.length / 2,
				text,
			}));
			return { name: names.get(index) ?? `function ${index}`, code };
		});
}

/** @param {Instruction} instruction */
export function isMultiplyAdd({ text }) {
	return text.startsWith("vfmadd");
}

/**
 * What a process prints that compiles all functions: to a file, since V8 loses what a pipe does not take at once.
 *
 * @param {string} build @param {string[]} flags @returns {string}
 */
function printed(build, flags) {
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-code-"));
	try {
		const path = join(folder, "code");
		const file = openSync(path, "w");
		const { stderr, status } = spawnSync(process.execPath, [...flags, fileURLToPath(import.meta.url), build], {
			stdio: ["ignore", file, "pipe"],
			encoding: "utf8",
		});
		closeSync(file);
		if (status !== 0) throw new Error(`v8-code: Node could not compile ${fileOf(build)}: ${stderr}`);
		return readFileSync(path, "utf8");
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** The kernels. A function of an instance is called by its number in the module. @param {string} build */
function instantiate(build) {
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
	const module = new WebAssembly.Module(readFileSync(fileOf(build)));
	return new WebAssembly.Instance(module, { env: { memory, abort() {} } }).exports;
}
