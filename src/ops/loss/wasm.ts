// Launching the losses' kernels. Each chunk leaves the sum of its losses as a double; they are added
// here in the order of the chunks.

import type { Tensor } from "../../tensor/tensor.ts";
import { wasmOf } from "../op.ts";
import type { LossKernels, PositiveWeight } from "./kernels.ts";
import type { Rows } from "./rows.ts";

/** Elements a chunk, for kernels that read and add. */
const CHUNK = 16384;
/** Elements a chunk, where each costs an exponential and a logarithm. */
const COSTLY_CHUNK = 2048;

/** Items a chunk, when an item is `each` elements. Depends on shapes alone. */
function grainFor(each: number): number {
	return Math.max(1, Math.floor(CHUNK / each));
}

/** Runs a summing kernel: `args` get the place for the partial sums; returns their total. */
function sumChunks(
	x: Tensor,
	kernel: string,
	args: (partials: number) => number[],
	total: number,
	grain: number,
): number {
	const wasm = wasmOf(x);
	const chunks = Math.ceil(total / grain);
	const partials = wasm.take(chunks * 8);
	wasm.launch(kernel, args(partials), total, grain);
	const values = wasm.heapViews.float64;
	let sum = 0;
	for (let chunk = 0; chunk < chunks; chunk++) sum += values[partials / 8 + chunk];
	wasm.giveBack(partials);
	return sum;
}

/** Blocks of four rows of one image: the items of the kernels for rows that are not contiguous. */
function blocksOf(rows: Rows): number {
	return rows.batch * Math.ceil(rows.inner / 4);
}

/** Calls `fn` with the address and length of the table of weights. */
function withWeights<T>(x: Tensor, weight: PositiveWeight, fn: (table: number, length: number) => T): T {
	if (typeof weight !== "number") return fn(weight.ptr, weight.size);
	const { ptr, float32 } = wasmOf(x).stage(1);
	float32[ptr / 4] = weight;
	return fn(ptr, 1);
}

export const wasm: LossKernels = {
	crossEntropy(x, labels, rows, smoothing, each, stats) {
		const { count, classes, inner, ignore } = rows;
		const to = [stats?.ptr ?? 0, each?.ptr ?? 0];
		if (inner === 1) {
			const grain = grainFor(classes);
			const args = (partials: number) => [x.ptr, labels.ptr, ...to, partials, count, classes, smoothing, ignore, grain];
			return sumChunks(x, "loss_cross_entropy", args, count, grain);
		}
		const grain = grainFor(4 * classes);
		const args = (partials: number) => [
			...[x.ptr, labels.ptr, ...to, partials],
			...[count, classes, inner, smoothing, ignore, grain],
		];
		return sumChunks(x, "loss_cross_entropy_strided", args, blocksOf(rows), grain);
	},

	crossEntropyBackward(x, labels, stats, rows, smoothing, dy, dx) {
		const { count, classes, inner, ignore } = rows;
		const tensors = [x.ptr, labels.ptr, stats.ptr, dy.each?.ptr ?? 0, dx.ptr];
		if (inner === 1) {
			const args = [...tensors, count, classes, smoothing, dy.scale, ignore];
			wasmOf(x).launch("loss_cross_entropy_backward", args, count, grainFor(classes));
			return;
		}
		const args = [...tensors, count, classes, inner, smoothing, dy.scale, ignore];
		wasmOf(x).launch("loss_cross_entropy_strided_backward", args, blocksOf(rows), grainFor(4 * classes));
	},

	nll(x, labels, rows, each) {
		const { classes, inner, ignore, count } = rows;
		const args = (partials: number) => [x.ptr, labels.ptr, each?.ptr ?? 0, partials, classes, inner, ignore, CHUNK];
		return sumChunks(x, "loss_nll", args, count, CHUNK);
	},

	nllBackward(labels, rows, dy, dx) {
		const { batch, classes, inner, ignore } = rows;
		const args = [labels.ptr, dy.each?.ptr ?? 0, dx.ptr, classes, inner, dy.scale, ignore];
		wasmOf(dx).launch("loss_nll_backward", args, batch, grainFor(Math.max(1, classes * inner)));
	},

	countCorrect(x, labels, rows) {
		const { classes, inner, count } = rows;
		const grain = grainFor(classes);
		const args = (partials: number) => [x.ptr, labels.ptr, partials, classes, inner, grain];
		return sumChunks(x, "loss_count_correct", args, count, grain);
	},

	mse(x, target, each) {
		if (each) {
			wasmOf(x).launch("loss_mse_each", [x.ptr, target.ptr, each.ptr], x.size, CHUNK);
			return 0;
		}
		return sumChunks(x, "loss_mse", (partials) => [x.ptr, target.ptr, partials, CHUNK], x.size, CHUNK);
	},

	mseBackward(x, target, sign, dy, dx) {
		const args = [x.ptr, target.ptr, dy.each?.ptr ?? 0, dx.ptr, 2 * sign * dy.scale];
		wasmOf(x).launch("loss_mse_backward", args, x.size, CHUNK);
	},

	bce(x, target, weight, each) {
		return withWeights(x, weight, (table, length) => {
			const args = (partials: number) => [
				...[x.ptr, target.ptr, table, each?.ptr ?? 0, partials],
				...[length, COSTLY_CHUNK],
			];
			return sumChunks(x, "loss_bce", args, x.size, COSTLY_CHUNK);
		});
	},

	bceBackward(x, target, weight, dy, dx) {
		withWeights(x, weight, (table, length) => {
			const args = [x.ptr, target.ptr, table, dy.each?.ptr ?? 0, dx.ptr, length, dy.scale];
			wasmOf(x).launch("loss_bce_backward", args, x.size, CHUNK);
		});
	},
};
