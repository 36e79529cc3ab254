// Clipping gradients by their common norm.

import { check } from "../errors.ts";
import { gradientNorm, scaleGradients } from "../ops/optimizer-step/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type NamedParam, namedParams } from "./param-groups.ts";

/**
 * Scales the gradients of `params` so that their L2 norm, taken over all of them together, is at most
 * `maxNorm` (PyTorch's `clip_grad_norm_`): `grad *= min(1, maxNorm / (norm + 1e-6))`. A norm that is
 * not finite leaves them as they are. Call it between `backward()` and `step()`.
 *
 * @param params `net.parameters()` or `net.namedParameters()`
 * @returns the norm before clipping; 0 where no parameter has a gradient
 */
export function clipGradNorm(params: Iterable<Tensor | NamedParam>, maxNorm: number): number {
	check(maxNorm > 0, () => `clipGradNorm: maxNorm must be above 0, got ${maxNorm}`);
	const grads: Tensor[] = [];
	for (const [, { grad }] of namedParams("clipGradNorm", params, 0)) if (grad) grads.push(grad);
	const norm = gradientNorm(grads);
	const factor = maxNorm / (norm + 1e-6);
	if (factor < 1 && Number.isFinite(norm)) scaleGradients(grads, factor);
	return norm;
}
