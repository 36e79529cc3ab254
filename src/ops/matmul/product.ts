// What matmul and linear ask of a backend: products of strided matrices, and sums over a batch.

import type { Tensor } from "../../tensor/tensor.ts";

/** A matrix, or a batch of them, inside a tensor; strides and offsets in elements. */
export interface Matrices {
	readonly tensor: Tensor;
	/** From one row to the next, and from one column to the next. Swapped, they read the transpose. */
	readonly strides: readonly [row: number, column: number];
	/** Where the matrix of each product starts. */
	readonly starts: readonly number[];
}

/** c[p, m, n] = sum over k of a[p, m, k] b[p, k, n], plus bias[n] where there is one. */
export interface Product {
	readonly a: Matrices;
	readonly b: Matrices;
	/** Dense, one product after the other. */
	readonly c: Tensor;
	readonly bias: Tensor | null;
	readonly m: number;
	readonly n: number;
	readonly k: number;
}

export interface ProductKernels {
	multiply(product: Product): void;
	/** out[o, i] = sum over j of x[starts[o][j] + i], for i < size; every o has as many terms. */
	sumRuns(x: Tensor, starts: readonly (readonly number[])[], size: number, out: Tensor): void;
}

/** A single matrix of `columns` columns that fills a tensor. */
export function matrix(tensor: Tensor, columns: number): Matrices {
	return { tensor, strides: [columns, 1], starts: [0] };
}

/** The transpose of `matrices`, without moving anything. */
export function transposed({ tensor, strides, starts }: Matrices): Matrices {
	return { tensor, strides: [strides[1], strides[0]], starts };
}
