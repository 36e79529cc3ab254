// Comparing results bit for bit, however large they are.

import { createHash } from "node:crypto";
import { expect } from "vitest";
import { init } from "../../src/backend/init.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

type Values = Tensor | ArrayLike<number> | null;

/** A hash of the elements of `results`, in order: equal where every bit is. A missing one counts as such. */
export function bitsOf(...results: readonly Values[]): string {
	const hash = createHash("sha256");
	for (const values of results) {
		const data = viewOf(values);
		hash.update(data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : "nothing");
	}
	return hash.digest("hex");
}

/** Typed arrays as they are: there may be millions of elements. */
function viewOf(values: Values): ArrayBufferView | null {
	if (values === null || ArrayBuffer.isView(values)) return values;
	return "dataSync" in values ? values.dataSync() : Float64Array.from(values);
}

/** Expects the same bits of `run` on one, two and three threads. */
export async function expectSameBits(run: () => readonly Values[]): Promise<void> {
	const bits: string[] = [];
	for (const threads of [1, 2, 3]) {
		await init({ threads });
		bits.push(bitsOf(...run()));
	}
	expect(bits.slice(1)).toEqual([bits[0], bits[0]]);
}
