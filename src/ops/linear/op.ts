// linear: y = x Wᵀ + b over the last axis.

import { check } from "../../errors.ts";
import { formatShape, productOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { productKernels } from "../matmul/op.ts";
import { matrix, transposed } from "../matmul/product.ts";
import { apply, checkFloat, empty, type KernelSet, kernelsFor, type Op, wasmOf } from "../op.ts";

/**
 * `y = x Wᵀ + b`: every vector along the last axis of `x` becomes one of `outFeatures` values.
 *
 * @param x `[..., inFeatures]`
 * @param weight `[outFeatures, inFeatures]`, PyTorch's layout
 * @param bias `[outFeatures]`, or null or left out for none
 * @returns `[..., outFeatures]`
 * @throws EvenkeelError if ranks or lengths do not fit
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
	return apply(linearOp, bias === null ? [x, weight] : [x, weight, bias], null);
}

interface Kernels {
	/** out[j] = sum over rows i of x[i, j]. */
	sumRows(x: Tensor, rows: number, columns: number, out: Tensor): void;
}

/** Rows that are summed one after the other; more of them are summed in such runs, then the runs. */
const RUN = 512;

const kernels: KernelSet<Kernels> = {
	reference: {
		sumRows(x, rows, columns, out) {
			const from = x.view();
			const to = out.view().fill(0);
			for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[j] += from[i * columns + j];
		},
	},
	wasm: {
		sumRows(x, rows, columns, out) {
			const wasm = wasmOf(x);
			const blocks = Math.ceil(columns / 64);
			const sum = (from: number, count: number, to: number) => {
				const grain = Math.max(1, Math.ceil(1024 / Math.min(count, RUN)));
				const items = Math.max(1, Math.ceil(count / RUN)) * blocks;
				wasm.launch("linear_sum_rows", [from, count, columns, RUN, blocks, to], items, grain);
			};
			let from = x.ptr;
			let count = rows;
			const taken: number[] = [];
			for (; count > RUN; count = Math.ceil(count / RUN)) {
				const partial = wasm.take(Math.ceil(count / RUN) * columns * 4);
				taken.push(partial);
				sum(from, count, partial);
				from = partial;
			}
			sum(from, count, out.ptr);
			for (const ptr of taken) wasm.giveBack(ptr);
		},
	},
};

const linearOp: Op<null> = {
	name: "linear",
	forward([x, weight, bias], _, ctx) {
		checkInputs(x, weight, bias);
		const [n, k] = weight.shape;
		const m = productOf(x.shape, 0, x.ndim - 1);
		const y = empty([...x.shape.slice(0, -1), n], x.backend, "float", "linear");
		const b = transposed(matrix(weight, k));
		kernelsFor(productKernels, x).multiply({ a: matrix(x, k), b, c: y, bias: bias ?? null, m, n, k });
		ctx.save(x, weight);
		return y;
	},
	backward(dy, { saved: [x, weight], needsGrad }) {
		const { multiply } = kernelsFor(productKernels, x);
		const [n, k] = weight.shape;
		const m = productOf(x.shape, 0, x.ndim - 1);
		const dx = needsGrad[0] ? empty(x.shape, x.backend, "float", "linear dx") : null;
		if (dx) multiply({ a: matrix(dy, n), b: matrix(weight, k), c: dx, bias: null, m, n: k, k: n });
		const dw = needsGrad[1] ? empty(weight.shape, x.backend, "float", "linear dweight") : null;
		if (dw) multiply({ a: transposed(matrix(dy, n)), b: matrix(x, k), c: dw, bias: null, m: n, n: k, k: m });
		if (needsGrad.length < 3) return [dx, dw];
		const db = needsGrad[2] ? empty([n], x.backend, "float", "linear dbias") : null;
		if (db) kernelsFor(kernels, x).sumRows(dy, m, n, db);
		return [dx, dw, db];
	},
};

function checkInputs(x: Tensor, weight: Tensor, bias: Tensor | undefined): void {
	checkFloat("linear", x, weight, ...(bias ? [bias] : []));
	check(
		weight.ndim === 2,
		() => `linear: expected weight [outFeatures, inFeatures], got shape ${formatShape(weight.shape)}`,
	);
	const [n, k] = weight.shape;
	check(
		x.ndim > 0 && x.shape[x.ndim - 1] === k,
		() =>
			`linear: expected ${k} features at the last axis, got shape ${formatShape(x.shape)}; ` +
			`build the layer with inFeatures ${x.shape[x.ndim - 1] ?? 1}, or flatten() the input first`,
	);
	check(
		!bias || (bias.ndim === 1 && bias.shape[0] === n),
		() => `linear: expected bias [${n}], as many as the weight has rows, got shape ${formatShape(bias?.shape ?? [])}`,
	);
}
