// Weight standardization (Qiao et al. 2019, https://arxiv.org/abs/1903.10520): not activations but the
// weights of a convolution are normalized, each output channel's by its own mean and variance.

import { check } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { groupedNorm } from "../shared/grouped.ts";

/**
 * (w - mean) / sqrt(var + eps) of a weight `[out, …]`, mean and biased variance over all that belongs
 * to one output channel. Gradients flow through it to the weight.
 *
 * @param options.eps added to the variance. Default 1e-5 (the paper's).
 * @throws EvenkeelError if an output channel has a single weight
 * @see Qiao et al. 2019, https://arxiv.org/abs/1903.10520
 */
export function standardizeWeight(weight: Tensor, { eps = 1e-5, name: what = "standardizeWeight" } = {}): Tensor {
	const groups = weight.shape[0] ?? 0;
	const length = groups === 0 ? 0 : weight.size / groups;
	check(
		length > 1,
		() => `${what}: ${weight.describe()} has ${length} weights an output channel; their variance needs more than one`,
	);
	return groupedNorm(weight, { groups, length, span: length, period: 1, centered: true }, { eps, what });
}
