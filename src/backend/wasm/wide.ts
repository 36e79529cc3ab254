// The build of the kernels whose vectors come in pairs, for engines that make one of 256 bits of each pair.
//
// V8 does that where the flag --experimental-wasm-revectorize is set and the processor has AVX2; it finds pairs by the two stores,
// side by side, that they end in. The flag holds for the whole process: other modules that are compiled after it was set are
// treated alike. That is why it is not set unless asked for.

import { nodeModule } from "../../node.ts";

/** The first version of Node whose V8 merges what the kernels have in pairs: 13. */
const FIRST_NODE = 24;

/** Makes V8 merge pairs of vectors, for the rest of the process. False where it cannot. */
export function mergeVectors(): boolean {
	const process = globalThis.process;
	if (Number.parseInt(process?.versions?.node ?? "0", 10) < FIRST_NODE || process.arch !== "x64" || !hasAvx2())
		return false;
	process.getBuiltinModule("node:v8").setFlagsFromString("--experimental-wasm-revectorize");
	return true;
}

/**
 * Linux says what the processor has. Elsewhere it is taken to have AVX2, as all but the cheapest have since 2013; without, kernels would be
 * slow, not wrong.
 */
function hasAvx2(): boolean {
	const process = globalThis.process;
	if (process.platform !== "linux") return true;
	try {
		return /^flags\b.* avx2\b/m.test(nodeModule("node:fs")?.readFileSync("/proc/cpuinfo", "utf8") ?? "");
	} catch {
		return false;
	}
}
