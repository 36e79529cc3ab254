// Prints, for each kernel of the wide build with multiply-adds, how many of them V8 has made 256 bits wide and how many not:
// `node scripts/merged.mjs [name]`, with Node 24 or later on x64. See docs/decisions/0019-pairs-of-vectors.md.

import { fileURLToPath } from "node:url";
import { compiledKernels, isMultiplyAdd } from "./v8-code.mjs";

/** How many multiply-adds of each kernel are 256 bits wide, and how many 128. */
export function mergedMultiplyAdds() {
	return compiledKernels("wide", ["--experimental-wasm-revectorize"]).flatMap(({ name, code }) => {
		const all = code.filter(isMultiplyAdd);
		const wide = all.filter(({ text }) => text.includes("ymm")).length;
		return all.length > 0 ? [{ kernel: name, wide, narrow: all.length - wide }] : [];
	});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	if (Number.parseInt(process.versions.node, 10) < 24) {
		throw new Error(`merged: V8 merges vectors from Node 24 on, this is Node ${process.versions.node}`);
	}
	const only = new RegExp(process.argv[2] ?? "");
	console.table(mergedMultiplyAdds().filter(({ kernel }) => only.test(kernel)));
}
