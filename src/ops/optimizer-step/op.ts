// One step of an optimizer over all its parameters, in one kernel launch. Never on the tape: these
// write parameters and their state in place.

import { check } from "../../errors.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkFloat, type KernelSet, kernelsFor } from "../op.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm.ts";

export interface SgdSettings {
	readonly lr: number;
	readonly momentum: number;
	readonly dampening: number;
	readonly nesterov: boolean;
	readonly weightDecay: number;
}

/** One parameter and what its update needs. */
export interface SgdUpdate {
	readonly param: Tensor;
	readonly grad: Tensor;
	/** The momentum buffer, zeros if new; null without momentum. */
	readonly buffer: Tensor | null;
	/** True if `buffer` is new: it then becomes the gradient itself, undampened. */
	readonly first: boolean;
	readonly settings: SgdSettings;
}

export interface AdamSettings {
	readonly lr: number;
	readonly betas: readonly [number, number];
	readonly eps: number;
	readonly weightDecay: number;
}

/** One parameter and what its update needs. State tensors are zeros before the first step. */
export interface AdamUpdate {
	readonly param: Tensor;
	readonly grad: Tensor;
	/** The moving average of the gradient. */
	readonly mean: Tensor;
	/** The moving average of its square. */
	readonly square: Tensor;
	/** The largest `square` so far (AMSGrad), or null. */
	readonly largest: Tensor | null;
	/** Which step this is for this parameter, from 1. */
	readonly step: number;
	/** Weight decay taken off the parameter itself (AdamW) instead of added to the gradient. */
	readonly decoupled: boolean;
	readonly settings: AdamSettings;
}

export interface OptimizerKernels {
	sgd(updates: readonly SgdUpdate[]): void;
	adam(updates: readonly AdamUpdate[]): void;
	squareSum(tensors: readonly Tensor[]): number;
	scale(tensors: readonly Tensor[], factor: number): void;
}

const kernels: KernelSet<OptimizerKernels> = { reference, wasm };

/**
 * Stochastic gradient descent, in place, as PyTorch's `SGD`:
 *
 *     d = grad + weightDecay p
 *     buffer = momentum buffer + (1 - dampening) d   (= d at first)
 *     p -= lr buffer,   Nesterov: p -= lr (d + momentum buffer),   without momentum: p -= lr d
 */
export function sgdStep(updates: readonly SgdUpdate[]): void {
	if (updates.length === 0) return;
	for (const { param, grad, buffer } of updates) checkUpdate("sgdStep", updates[0].param, param, [grad, buffer]);
	kernelsFor(kernels, updates[0].param).sgd(updates);
	for (const { param, buffer } of updates) changed(param, buffer);
}

/**
 * Adam, in place, as PyTorch's `Adam`, or with `decoupled` its `AdamW`; t is `step`:
 *
 *     g = grad + weightDecay p            (AdamW: g = grad, p *= 1 - lr weightDecay)
 *     m = beta1 m + (1 - beta1) g
 *     v = beta2 v + (1 - beta2) g^2       (AMSGrad: the largest v so far is used below)
 *     p -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 */
export function adamStep(updates: readonly AdamUpdate[]): void {
	if (updates.length === 0) return;
	for (const { param, grad, mean, square, largest } of updates) {
		checkUpdate("adamStep", updates[0].param, param, [grad, mean, square, largest]);
	}
	kernelsFor(kernels, updates[0].param).adam(updates);
	for (const { param, mean, square, largest } of updates) changed(param, mean, square, largest);
}

/** The L2 norm of all `gradients` together, summed in float64 and in one order; 0 of none. */
export function gradientNorm(gradients: readonly Tensor[]): number {
	if (gradients.length === 0) return 0;
	checkTogether("gradientNorm", gradients);
	return Math.sqrt(kernelsFor(kernels, gradients[0]).squareSum(gradients));
}

/** Multiplies all `gradients` by `factor`, in place. */
export function scaleGradients(gradients: readonly Tensor[], factor: number): void {
	if (gradients.length === 0) return;
	checkTogether("scaleGradients", gradients);
	kernelsFor(kernels, gradients[0]).scale(gradients, factor);
	changed(...gradients);
}

function checkTogether(op: string, gradients: readonly Tensor[]): void {
	for (const gradient of gradients) checkUpdate(op, gradients[0], gradient, []);
}

function changed(...tensors: readonly (Tensor | null)[]): void {
	for (const tensor of tensors) if (tensor) tensor.storage.version++;
}

function checkUpdate(op: string, first: Tensor, param: Tensor, others: readonly (Tensor | null)[]): void {
	checkFloat(op, param);
	check(
		param.backend === first.backend,
		() =>
			`${op}: ${param.describe()} lives on the ${param.backend.name} backend and ${first.describe()} on ` +
			`${first.backend.name}; give each backend's parameters an optimizer of their own`,
	);
	for (const other of others) {
		if (!other) continue;
		check(
			sameShape(other.shape, param.shape) && other.dtype === param.dtype && other.backend === param.backend,
			() =>
				`${op}: ${param.describe()} of type ${param.dtype} cannot be updated with ${other.dtype} ` +
				`${other.describe()}; expected shape ${formatShape(param.shape)} on the same backend`,
		);
	}
}
