// The backends that the tests run on: the float64 reference, and wasm on two threads.

import { beforeAll, describe } from "vitest";
import { type Backend, type BackendName, withBackend } from "../../src/backend/backend.ts";
import { init } from "../../src/backend/init.ts";
import { WasmBackend } from "../../src/backend/wasm/wasm-backend.ts";

/** One `describe` a backend; inside, new tensors are made on it. `exact`: float64 arithmetic. */
export function onEachBackend(name: string, body: (on: { backend: BackendName; exact: boolean }) => void): void {
	for (const backend of ["reference", "wasm"] as const) {
		describe(`${name} on ${backend}`, () => {
			beforeAll(async () => {
				await init({ backend, threads: 2 });
			});
			body({ backend, exact: backend === "reference" });
		});
	}
}

/** The backends themselves, for tests that compare them. */
export async function bothBackends(): Promise<{ reference: Backend; wasm: Backend & { build?: string } }> {
	const reference = await init({ backend: "reference" });
	const wasm = await init({ threads: 2 });
	return { reference, wasm };
}

let loading: Promise<WasmBackend> | null = null;

/** The kernels with vectors in pairs, on any engine: where it does not merge them they are slow, and compute the same. */
export async function wideBackend(threads = 2): Promise<WasmBackend> {
	loading ??= WasmBackend.load({ build: "wide" });
	const backend = await loading;
	await backend.setThreads(threads);
	return backend;
}

export { withBackend };
