// init(): choosing the backend and its threads. Loaded once; calling again changes the choice.

import { check, EvenkeelError } from "../errors.ts";
import { type Backend, type BackendName, setCurrentBackend } from "./backend.ts";
import { referenceBackend } from "./reference/reference-backend.ts";
import { WasmBackend } from "./wasm/wasm-backend.ts";

export interface InitOptions {
	/** `"wasm"` (default) computes in float32 with SIMD and threads; `"reference"` in float64, slowly. */
	backend?: BackendName;
	/** Threads that share the work, the calling one included. Default `"auto"`: one a processor core. */
	threads?: "auto" | number;
}

let wasm: Promise<WasmBackend> | null = null;

/**
 * Makes evenkeel ready: call it once before anything else, and again to change backend or threads.
 * Tensors made before stay where they are and go on working. Resolves to the backend; its
 * `threads` says how many really run, its `notice` why they are fewer than asked for.
 *
 * @throws EvenkeelError if the backend is unknown, or the engine has no WebAssembly SIMD.
 */
export async function init(options: InitOptions = {}): Promise<Backend & { notice?: string }> {
	const { backend = "wasm", threads = "auto" } = options;
	check(
		threads === "auto" || (Number.isInteger(threads) && threads >= 1 && threads <= 64),
		() => `init: threads must be "auto" or a whole number from 1 to 64, got ${threads}`,
	);
	if (backend === "reference") {
		setCurrentBackend(referenceBackend);
		return referenceBackend;
	}
	check(backend === "wasm", () => `init: unknown backend "${backend}"; there are "wasm" and "reference"`);
	const loaded = await loadWasm();
	await loaded.setThreads(threads === "auto" ? availableThreads() : threads);
	setCurrentBackend(loaded);
	return loaded;
}

async function loadWasm(): Promise<WasmBackend> {
	wasm ??= WasmBackend.load();
	try {
		return await wasm;
	} catch (error) {
		wasm = null;
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
