// matmul: matrix products with NumPy's rules for vectors and batches.

import type { BackwardContext } from "../../autograd/tape.ts";
import { check } from "../../errors.ts";
import { broadcastShapes, broadcastStrides, formatShape, type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, checkFloat, empty, type KernelSet, kernelsFor, type Op, viewAs } from "../op.ts";
import { type Matrices, type ProductKernels, transposed } from "./product.ts";
import { referenceProducts } from "./reference.ts";
import { wasmProducts } from "./wasm.ts";

/** Matrix products on either backend. For ops that are made of them. */
export const productKernels: KernelSet<ProductKernels> = { reference: referenceProducts, wasm: wasmProducts };

/**
 * The matrix product of `a` and `b`, as `torch.matmul` and `numpy.matmul` define it:
 *
 * - `[m, k]` and `[k, n]` give `[m, n]`, y_ij = sum over l of a_il b_lj;
 * - leading axes are a batch of matrices and broadcast against each other;
 * - a vector `[k]` on the left is a row, on the right a column, and its axis is not in the result; two vectors give
 *   their dot product, a scalar.
 *
 * Gradients: da = dy bᵀ, db = aᵀ dy, summed over the batch axes that were broadcast.
 *
 * @throws EvenkeelError if the inner lengths differ, batch axes do not broadcast, an operand is a scalar, or a type
 *   is not floating
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
	return apply(matmulOp, [a, b], null);
}

/** The sizes of a matmul, batch and matrices apart. */
interface Geometry {
	readonly m: number;
	readonly n: number;
	readonly k: number;
	/** Where each product's matrices start in a, b and the output, in matrices. */
	readonly aIndex: readonly number[];
	readonly bIndex: readonly number[];
	readonly shape: Shape;
}

const matmulOp: Op<null> = {
	name: "matmul",
	forward([a, b], _, ctx) {
		checkFloat("matmul", a, b);
		const geometry = measure(a.shape, b.shape);
		const y = empty(geometry.shape, a.backend, "float", "matmul");
		const { m, n, k } = geometry;
		kernelsFor(productKernels, a).multiply({
			...{ a: dense(a, geometry.aIndex, m, k), b: dense(b, geometry.bIndex, k, n), c: y },
			...{ bias: null, m, n, k },
		});
		ctx.save(a, b);
		return y;
	},
	backward(dy, { saved: [a, b], needsGrad }: BackwardContext<null>) {
		const { m, n, k, aIndex, bIndex } = measure(a.shape, b.shape);
		const each = aIndex.map((_, p) => p);
		const left = dense(a, aIndex, m, k);
		const right = dense(b, bIndex, k, n);
		const arriving = dense(dy, each, m, n);
		return [
			needsGrad[0] ? gradient(a, aIndex, arriving, transposed(right), [m, k, n]) : null,
			needsGrad[1] ? gradient(b, bIndex, transposed(left), arriving, [k, n, m]) : null,
		];
	},
};

/** Matrices of `rows` x `columns`, dense in `tensor`, of which product p uses the one at index[p]. */
function dense(tensor: Tensor, index: readonly number[], rows: number, columns: number): Matrices {
	return { tensor, strides: [columns, 1], starts: index.map((i) => i * rows * columns) };
}

/**
 * The products of `left` and `right`, m x n each over k, summed for each matrix of `input` over the
 * products that used it.
 */
function gradient(
	input: Tensor,
	index: readonly number[],
	left: Matrices,
	right: Matrices,
	[m, n, k]: readonly [number, number, number],
): Tensor {
	const kernels = kernelsFor(productKernels, input);
	const grad = empty(input.shape, input.backend, "float", "matmul gradient");
	if (grad.size === 0) return grad;
	const count = sizeOf(input.shape) / Math.max(1, m * n);
	const oneEach = index.length === count;
	const c = oneEach
		? viewAs(grad, grad.shape)
		: empty([index.length, m, n], input.backend, "float", "matmul gradients");
	kernels.multiply({ a: left, b: right, c, bias: null, m, n, k });
	if (!oneEach) {
		const uses: number[][] = Array.from({ length: count }, () => []);
		index.forEach((i, p) => void uses[i].push(p * m * n));
		kernels.sumRuns(c, uses, m * n, grad);
	}
	c.dispose();
	return grad;
}

function measure(a: Shape, b: Shape): Geometry {
	const shapes = () => `got ${formatShape(a)} and ${formatShape(b)}`;
	check(
		a.length > 0 && b.length > 0,
		() => `matmul: expected vectors, matrices or batches of them, ${shapes()}; use mul for scalars`,
	);
	const aMatrix = a.length === 1 ? [1, a[0]] : a;
	const bMatrix = b.length === 1 ? [b[0], 1] : b;
	const [m, k] = aMatrix.slice(-2);
	const [inner, n] = bMatrix.slice(-2);
	check(
		k === inner,
		() =>
			`matmul: the last axis of a (${k}) must be as long as ` +
			`the ${b.length === 1 ? "only" : "next to last"} axis of b (${inner}), ${shapes()}`,
	);
	const aBatch = aMatrix.slice(0, -2);
	const bBatch = bMatrix.slice(0, -2);
	const batch = broadcastShapes(aBatch, bBatch, "matmul: the batch axes");
	const shape = [...batch, ...(a.length === 1 ? [] : [m]), ...(b.length === 1 ? [] : [n])];
	// Matrices on the right that all products share: the batch is then nothing but more rows.
	if (sizeOf(bBatch) === 1 && a.length > 2) return { m: sizeOf(batch) * m, n, k, aIndex: [0], bIndex: [0], shape };
	return { m, n, k, aIndex: indices(aBatch, batch), bIndex: indices(bBatch, batch), shape };
}

/** For each entry of `out`, row-major, the entry of `shape` that broadcasting puts there. */
function indices(shape: Shape, out: Shape): number[] {
	const strides = broadcastStrides(shape, out);
	let list = [0];
	for (let axis = 0; axis < out.length; axis++) {
		list = list.flatMap((start) => Array.from({ length: out[axis] }, (_, i) => start + i * strides[axis]));
	}
	return list;
}
