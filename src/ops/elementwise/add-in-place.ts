// out += b, for accumulating gradients. Not an op: it is never on the tape.

import type { Tensor } from "../../tensor/tensor.ts";
import { type KernelSet, kernelsFor, wasmOf } from "../op.ts";

interface Kernels {
	accumulate(out: Tensor, b: Tensor): void;
}

const GRAIN = 16384;

const kernels: KernelSet<Kernels> = {
	reference: {
		accumulate(out, b) {
			const to = out.view();
			const from = b.view();
			for (let i = 0; i < out.size; i++) to[i] += from[i];
		},
	},
	wasm: {
		accumulate(out, b) {
			wasmOf(out).launch("elementwise_accumulate", [out.ptr, b.ptr], out.size, GRAIN);
		},
	},
};

/** Adds `b` to `out`, of the same shape, in place. */
export function addInPlace(out: Tensor, b: Tensor): void {
	kernelsFor(kernels, out).accumulate(out, b);
	out.storage.version++;
}
