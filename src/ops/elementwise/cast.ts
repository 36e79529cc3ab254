// toFloat and clone: the same numbers in new memory, and in another type.

import type { Tensor } from "../../tensor/tensor.ts";
import { apply, empty, type KernelSet, kernelsFor, type Op, viewAs, wasmOf } from "../op.ts";
import { GRAIN } from "./rows.ts";

interface Kernels {
	toFloat(x: Tensor, out: Tensor): void;
}

const kernels: KernelSet<Kernels> = {
	reference: {
		toFloat(x, out) {
			out.view().set(x.view());
		},
	},
	wasm: {
		toFloat(x, out) {
			wasmOf(x).launch(`elementwise_from_${x.dtype}`, [x.ptr, out.ptr], x.size, GRAIN);
		},
	},
};

const toFloatOp: Op<null> = {
	name: "toFloat",
	forward([x]) {
		if (x.dtype === x.backend.float) return viewAs(x, x.shape);
		const out = empty(x.shape, x.backend, "float", "toFloat");
		kernelsFor(kernels, x).toFloat(x, out);
		return out;
	},
	backward: (dy) => [dy],
};

/**
 * `x` as a floating tensor: int32 and uint8 are converted (whole numbers beyond 2^24 are rounded in float32),
 * a floating tensor comes back as another handle on the same memory.
 */
export function toFloat(x: Tensor): Tensor {
	return apply(toFloatOp, [x], null);
}

const cloneOp: Op<null> = {
	name: "clone",
	forward([x]) {
		const out = empty(x.shape, x.backend, x.dtype, x.name);
		out.view().set(x.view().subarray(0, x.size));
		return out;
	},
	backward: (dy) => [dy],
};

/** A copy of `x` in memory of its own. The gradient passes through; `x.detach().clone()` cuts it. */
export function clone(x: Tensor): Tensor {
	return apply(cloneOp, [x], null);
}
