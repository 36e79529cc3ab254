// Filter response normalization with its thresholded linear unit (Singh and Krishnan 2019,
// https://arxiv.org/abs/1911.09737): each channel of each example by its mean square, no mean taken
// out, and max(y, threshold) in place of ReLU, which has no fixed zero to cut at.

import { check } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { maximum } from "../../elementwise/op.ts";
import { reshape } from "../../shape/op.ts";
import { channelGeometry, checkPerChannel } from "../shared/geometry.ts";
import { groupedNorm } from "../shared/grouped.ts";

export interface FilterResponseNormOptions {
	/** Scale, shape [C]; none: 1. */
	weight?: Tensor | null;
	/** Shift, shape [C]; none: 0. */
	bias?: Tensor | null;
	/** τ of the thresholded linear unit, shape [C]; none: the unit is left out. */
	threshold?: Tensor | null;
	/** Added to the mean square. Default 1e-6 (the paper's). */
	eps?: number;
	/** Names the caller in errors. */
	name?: string;
}

/**
 * y = max(x / sqrt(mean(x²) + eps) * weight + bias, threshold) for x of `[N, C, L…]`, the mean over the
 * positions of one channel of one example.
 *
 * @throws EvenkeelError if shapes do not fit, or x holds NaN or infinity
 * @see Singh and Krishnan 2019, https://arxiv.org/abs/1911.09737
 */
export function filterResponseNorm(x: Tensor, options: FilterResponseNormOptions = {}): Tensor {
	const { weight, bias, threshold, eps = 1e-6, name: what = "filterResponseNorm" } = options;
	const { n, c, s } = channelGeometry(x.shape, what);
	for (const [name, tensor] of Object.entries({ weight, bias, threshold })) checkPerChannel(what, name, tensor, c);
	check(x.ndim > 2, () => `${what}: expected [N, C, L…] with positions to average over, got ${x.describe()}`);
	const geometry = { groups: n * c, length: s, span: s, period: c, centered: false };
	const y = groupedNorm(x, geometry, { weight, bias, eps, what });
	if (!threshold) return y;
	return maximum(y, reshape(threshold, [1, c, ...x.shape.slice(2).map(() => 1)]));
}
