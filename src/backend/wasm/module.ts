// The kernels as a WebAssembly module: which build this machine runs, and the memory it imports.

import type { KernelBuild } from "../backend.ts";
import { HEAP_START } from "./layout.mjs";
import { mergeVectors } from "./wide.ts";

const PAGE = 65536;

/** (module (func (result v128) (f32x4.relaxed_madd zero zero zero))) */
const RELAXED_PROBE = new Uint8Array([
	0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 1, 253, 15, 65, 2, 253, 15, 65,
	3, 253, 15, 253, 133, 2, 11,
]);

/** True if fused multiply-add is to be had. On Node 20 it waits behind a flag, which this sets. */
export function hasRelaxedSimd(): boolean {
	const process = globalThis.process;
	if (process?.versions?.node && Number.parseInt(process.versions.node, 10) < 22) {
		process.getBuiltinModule?.("node:v8")?.setFlagsFromString("--experimental-wasm-relaxed-simd");
	}
	return WebAssembly.validate(RELAXED_PROBE);
}

/** The best build for this machine; `wide` only if asked for. */
export function bestBuild(wide = false): KernelBuild {
	if (!hasRelaxedSimd()) return "simd";
	return wide && mergeVectors() ? "wide" : "relaxed";
}

const generated = {
	simd: () => import("./generated/simd.ts"),
	relaxed: () => import("./generated/relaxed.ts"),
	wide: () => import("./generated/wide.ts"),
};

/** The kernels' bytes. */
export async function kernelBytes(build: KernelBuild): Promise<Uint8Array<ArrayBuffer>> {
	const { base64 } = await generated[build]();
	const text = atob(base64);
	const bytes = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
	return bytes;
}

/**
 * Memory that workers can share, or null where there is none to be had: a page that is not
 * cross-origin isolated. Tries for 4 GB of addresses and settles for less.
 */
export function sharedMemory(): WebAssembly.Memory | null {
	if (typeof crossOriginIsolated === "boolean" && !crossOriginIsolated && !globalThis.process?.versions?.node)
		return null;
	return reserve(true);
}

/** Memory of one thread's own. */
export function privateMemory(): WebAssembly.Memory {
	const memory = reserve(false);
	if (!memory) throw new Error("wasm: no memory could be reserved");
	return memory;
}

function reserve(shared: boolean): WebAssembly.Memory | null {
	for (const maximum of [65536, 32768, 16384, 8192]) {
		try {
			return new WebAssembly.Memory({ initial: Math.max(1, HEAP_START / PAGE), maximum, shared });
		} catch {
			// Fewer addresses, then.
		}
	}
	return null;
}

/**
 * The same module with its imported memory declared unshared: the declaration is one bit, and the
 * kernels use nothing that needs the other kind.
 */
export function withPrivateMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
	const out = bytes.slice();
	let at = 8;
	const leb = (): number => {
		let value = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = out[at++];
			value |= (byte & 127) << shift;
			if (byte < 128) return value;
		}
	};
	while (at < out.length) {
		const section = out[at++];
		const length = leb();
		if (section !== 2) {
			at += length;
			continue;
		}
		for (let imports = leb(); imports > 0; imports--) {
			for (let names = 0; names < 2; names++) {
				const size = leb();
				at += size;
			}
			const kind = out[at++];
			if (kind !== 2) throw new Error("wasm: the kernels import something besides memory");
			out[at] &= ~2;
			const hasMaximum = out[at++] & 1;
			leb();
			if (hasMaximum) leb();
		}
		return out;
	}
	throw new Error("wasm: the kernels import no memory");
}
