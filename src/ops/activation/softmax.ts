// Softmax and its logarithm along an axis. The largest element is subtracted first, so that no
// exponential overflows.

import { check } from "../../errors.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, checkFloat, empty, type KernelSet, kernelsFor, type Op, wasmOf } from "../op.ts";

/** x is seen as [outer, n, inner], and each run of n becomes one that sums to 1. */
interface Layout {
	outer: number;
	n: number;
	inner: number;
}

interface Kernels {
	forward(isLog: boolean, x: Tensor, y: Tensor, layout: Layout): void;
	backward(isLog: boolean, y: Tensor, dy: Tensor, dx: Tensor, layout: Layout): void;
}

/** Elements a thread takes at a time, about. */
const GRAIN = 8192;

/** Calls `fn` with the places of each run of n. */
function forEachRun({ outer, n, inner }: Layout, fn: (places: number[]) => void): void {
	for (let o = 0; o < outer; o++) {
		for (let i = 0; i < inner; i++) fn(Array.from({ length: n }, (_, k) => (o * n + k) * inner + i));
	}
}

const kernels: KernelSet<Kernels> = {
	reference: {
		forward(isLog, x, y, layout) {
			const [from, to] = [x.view(), y.view()];
			forEachRun(layout, (places) => {
				const max = places.reduce((most, k) => Math.max(most, from[k]), -Infinity);
				const sum = places.reduce((total, k) => total + Math.exp(from[k] - max), 0);
				for (const k of places) to[k] = isLog ? from[k] - max - Math.log(sum) : Math.exp(from[k] - max) / sum;
			});
		},
		backward(isLog, y, dy, dx, layout) {
			const [out, grad, to] = [y.view(), dy.view(), dx.view()];
			forEachRun(layout, (places) => {
				const sum = places.reduce((total, k) => total + (isLog ? grad[k] : grad[k] * out[k]), 0);
				for (const k of places) to[k] = isLog ? grad[k] - Math.exp(out[k]) * sum : out[k] * (grad[k] - sum);
			});
		},
	},
	wasm: {
		forward(isLog, x, y, { outer, n, inner }) {
			const grain = Math.max(1, Math.floor(GRAIN / (n * inner)));
			wasmOf(x).launch("activation_softmax", [isLog ? 1 : 0, x.ptr, y.ptr, n, inner], outer, grain);
		},
		backward(isLog, y, dy, dx, { outer, n, inner }) {
			const grain = Math.max(1, Math.floor(GRAIN / (n * inner)));
			const args = [isLog ? 1 : 0, y.ptr, dy.ptr, dx.ptr, n, inner];
			wasmOf(y).launch("activation_softmax_backward", args, outer, grain);
		},
	},
};

function softmaxOp(name: string, isLog: boolean): Op<Layout> {
	return {
		name,
		forward([x], layout, ctx) {
			checkFloat(name, x);
			const y = empty(x.shape, x.backend, "float", name);
			if (x.size > 0) kernelsFor(kernels, x).forward(isLog, x, y, layout);
			ctx.save(y);
			return y;
		},
		backward(dy, { attrs, saved: [y] }) {
			const dx = empty(dy.shape, dy.backend, "float", `gradient of ${name}`);
			if (dx.size > 0) kernelsFor(kernels, dy).backward(isLog, y, dy, dx, attrs);
			return [dx];
		},
	};
}

const ops = { softmax: softmaxOp("softmax", false), logSoftmax: softmaxOp("logSoftmax", true) };

function alongAxis(name: keyof typeof ops, x: Tensor, axis: number): Tensor {
	check(x.ndim > 0, () => `${name}: ${x.describe()} has no axis to go along; reshape it to [1]`);
	const along = normalizeAxis(axis, x.ndim, name);
	const layout = { outer: sizeOf(x.shape.slice(0, along)), n: x.shape[along], inner: sizeOf(x.shape.slice(along + 1)) };
	return apply(ops[name], [x], layout);
}

/**
 * e^x / sum(e^x) along `axis` (default the last), computed as e^(x - max).
 *
 * @throws EvenkeelError if the axis is out of range
 */
export function softmax(x: Tensor, axis = -1): Tensor {
	return alongAxis("softmax", x, axis);
}

/**
 * log(softmax(x)) along `axis` (default the last), computed as x - max - log(sum(e^(x - max))), so that it stays
 * finite where softmax is 0.
 *
 * @throws EvenkeelError if the axis is out of range
 */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
	return alongAxis("logSoftmax", x, axis);
}
