// The contract between the losses and their kernels. Each forward returns the unscaled sum of the
// losses, taken in float64; or, where `each` is given, writes the single losses there, and what it
// returns has no meaning.

import type { Tensor } from "../../tensor/tensor.ts";
import type { KernelSet } from "../op.ts";
import { reference } from "./reference.ts";
import type { Rows } from "./rows.ts";
import { wasm } from "./wasm.ts";

/** The incoming gradient: one value a row or element in `each`, or the same for all; times `scale`. */
export interface Incoming {
	readonly each: Tensor | null;
	readonly scale: number;
}

/** The weight of the positive class: one number, or one for each index along the last axis. */
export type PositiveWeight = number | Tensor;

export interface LossKernels {
	/** `stats`, where given, receives the maximum of each row and then 1 / sum e^(x - max) of each. */
	crossEntropy(
		x: Tensor,
		labels: Tensor,
		rows: Rows,
		smoothing: number,
		each: Tensor | null,
		stats: Tensor | null,
	): number;
	crossEntropyBackward(
		x: Tensor,
		labels: Tensor,
		stats: Tensor,
		rows: Rows,
		smoothing: number,
		dy: Incoming,
		dx: Tensor,
	): void;
	nll(x: Tensor, labels: Tensor, rows: Rows, each: Tensor | null): number;
	nllBackward(labels: Tensor, rows: Rows, dy: Incoming, dx: Tensor): void;
	countCorrect(x: Tensor, labels: Tensor, rows: Rows): number;
	mse(x: Tensor, target: Tensor, each: Tensor | null): number;
	/** dx = 2 sign (x - target) dy */
	mseBackward(x: Tensor, target: Tensor, sign: 1 | -1, dy: Incoming, dx: Tensor): void;
	bce(x: Tensor, target: Tensor, weight: PositiveWeight, each: Tensor | null): number;
	bceBackward(x: Tensor, target: Tensor, weight: PositiveWeight, dy: Incoming, dx: Tensor): void;
}

export const kernels: KernelSet<LossKernels> = { reference, wasm };
