// Comparing results bit for bit, however large they are.

import { createHash } from "node:crypto";
import type { Tensor } from "../../src/tensor/tensor.ts";

/** A hash of the elements of `tensors`, in order: equal where every bit is. A missing tensor counts as such. */
export function bitsOf(...tensors: readonly (Tensor | null)[]): string {
	const hash = createHash("sha256");
	for (const tensor of tensors) {
		const data = tensor?.dataSync();
		hash.update(data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : "nothing");
	}
	return hash.digest("hex");
}
