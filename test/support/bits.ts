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
		const data = values && "dataSync" in values ? values.dataSync() : values && Float64Array.from(values);
		hash.update(data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : "nothing");
	}
	return hash.digest("hex");
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
