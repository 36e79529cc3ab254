// Launching the kernels: channels are the work items, taken by threads in groups that hold enough
// work to be worth handing out. [N, C] has kernels of its own, in which channels are columns.

import type { Tensor } from "../../../tensor/tensor.ts";
import { wasmOf } from "../../op.ts";
import type { BatchNormKernels } from "./op.ts";

/** Elements that make a chunk worth a hand-over between threads. */
const CHUNK = 16384;
/** Columns that a kernel takes together. */
const COLUMNS = 16;
const SCRATCH_BYTES = 512;

const ptrOf = (tensor: Tensor | null) => tensor?.ptr ?? 0;

function launch(name: string, like: Tensor, args: number[], { n, c, s }: { n: number; c: number; s: number }): void {
	const perChunk = Math.max(1, Math.ceil(CHUNK / (n * s)));
	if (s === 1) {
		wasmOf(like).launch(`${name}_columns`, args, c, Math.ceil(perChunk / COLUMNS) * COLUMNS, SCRATCH_BYTES);
	} else wasmOf(like).launch(name, args, c, perChunk, SCRATCH_BYTES);
}

const sizes = (n: number, c: number, s: number) => (s === 1 ? [n, c] : [n, c, s]);

export const wasmBatchNorm: BatchNormKernels = {
	forward({ x, y, weight, bias, stats, n, c, s, eps }) {
		const args = [x.ptr, y.ptr, ptrOf(weight), ptrOf(bias), stats.ptr, ...sizes(n, c, s), eps];
		launch("batch_norm_forward", x, args, { n, c, s });
	},

	normalize({ x, y, weight, bias, stats, n, c, s }) {
		const args = [x.ptr, y.ptr, ptrOf(weight), ptrOf(bias), stats.ptr, ...sizes(n, c, s)];
		launch("batch_norm_normalize", x, args, { n, c, s });
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, n, c, s, training }) {
		const tensors = [x, dy, dx, weight, dweight, dbias, stats].map(ptrOf);
		launch("batch_norm_backward", x, [...tensors, ...sizes(n, c, s), training ? 1 : 0], { n, c, s });
	},
};
