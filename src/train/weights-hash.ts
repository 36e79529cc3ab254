// A fingerprint of a network's state: two runs that ended alike have the same one.

import { check } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { nodeModule } from "../node.ts";
import { scope } from "../tensor/scope.ts";

/**
 * SHA-256, in hexadecimal, of the values of all parameters and buffers, one after another in the order of
 * `stateDict()`, as they lie in memory (little-endian, in the backend's types).
 */
export async function weightsHash(net: Module): Promise<string> {
	const bytes = stateBytes(net);
	const crypto = nodeModule("node:crypto");
	if (crypto) return crypto.createHash("sha256").update(bytes).digest("hex");
	check(globalThis.crypto?.subtle, "weightsHash: browsers have SHA-256 on pages served over https (or localhost) only");
	const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", bytes));
	return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The state's values in one piece. */
function stateBytes(net: Module): Uint8Array<ArrayBuffer> {
	return scope(() => {
		const views = Object.values(net.stateDict()).map((tensor) => tensor.view().subarray(0, tensor.size));
		const bytes = new Uint8Array(views.reduce((sum, view) => sum + view.byteLength, 0));
		let at = 0;
		for (const { buffer, byteOffset, byteLength } of views) {
			bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
			at += byteLength;
		}
		return bytes;
	});
}
