// init(): choosing the backend and its threads. Loaded once; calling again changes the choice.

import { check, EvenkeelError } from "../errors.ts";
import { type Backend, type BackendName, type KernelBuild, setCurrentBackend } from "./backend.ts";
import { referenceBackend } from "./reference/reference-backend.ts";
import { bestBuild } from "./wasm/module.ts";
import { WasmBackend } from "./wasm/wasm-backend.ts";

export interface InitOptions {
	/** `"wasm"` (default) computes in float32 with SIMD and threads; `"reference"` in float64, slowly. */
	backend?: BackendName;
	/** Threads that share the work, the calling one included. Default `"auto"`: one a processor core. */
	threads?: "auto" | number;
	/**
	 * True to run kernels that V8 makes 256 bits wide, where it can: Node 24 or later on x64 with AVX2. Large matrix products are then up
	 * to twice as fast. It sets V8's flag `--experimental-wasm-revectorize` for the whole process, which other WebAssembly in it,
	 * compiled later, is affected by as well. Elsewhere it changes nothing. Default false, or what was chosen before.
	 */
	wide?: boolean;
}

/** The backends that were loaded, by their kernels, and whether wide ones were asked for last. */
const loaded = new Map<KernelBuild, Promise<WasmBackend>>();
let chosen = false;
/** How many calls there were, and which of them chose the current backend: an earlier one that takes longer is not to undo it. */
let calls = 0;
let deciding = 0;

/**
 * Makes evenkeel ready: call it once before anything else, and again to change backend or threads.
 * Tensors made before stay where they are and go on working. Of calls at once the latest decides. Resolves to the backend; its
 * `threads` says how many really run, its `notice` why they are fewer than asked for, its `build` which kernels:
 * `"simd"`, `"relaxed"` (with fused multiply-add) or `"wide"`.
 *
 * @throws EvenkeelError if the backend is unknown, or the engine has no WebAssembly SIMD.
 */
export async function init(options: InitOptions = {}): Promise<Backend & { notice?: string; build?: KernelBuild }> {
	const { backend = "wasm", threads = "auto", wide = chosen } = options;
	check(
		threads === "auto" || (Number.isInteger(threads) && threads >= 1 && threads <= 64),
		() => `init: threads must be "auto" or a whole number from 1 to 64, got ${threads}`,
	);
	check(
		backend === "wasm" || backend === "reference",
		() => `init: unknown backend "${backend}"; there are "wasm" and "reference"`,
	);
	const call = ++calls;
	const decide = (made: Backend) => {
		if (call < deciding) return;
		deciding = call;
		setCurrentBackend(made);
	};
	if (backend === "reference") {
		decide(referenceBackend);
		return referenceBackend;
	}
	chosen = wide;
	const wasm = await loadWasm(bestBuild(wide));
	await wasm.setThreads(threads === "auto" ? availableThreads() : threads);
	decide(wasm);
	return wasm;
}

async function loadWasm(build: KernelBuild): Promise<WasmBackend> {
	const loading = loaded.get(build) ?? WasmBackend.load({ build });
	loaded.set(build, loading);
	try {
		return await loading;
	} catch (error) {
		loaded.delete(build);
		throw new EvenkeelError(
			`init: the wasm backend did not start (${error instanceof Error ? error.message : error}); ` +
				'it needs WebAssembly SIMD (Node 20, Chrome 91, Firefox 89, Safari 16.4 or later), or use backend: "reference"',
		);
	}
}

function availableThreads(): number {
	const os = globalThis.process?.getBuiltinModule?.("node:os");
	const cores = os ? os.availableParallelism() : (globalThis.navigator?.hardwareConcurrency ?? 1);
	return Math.max(1, Math.min(cores, 64));
}
