// RMS normalization (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467): layer norm without
// the mean, and so without the shift.

import { type Shape, sizeOf } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { lastAxes } from "../layer-norm/op.ts";
import { groupedNorm } from "../shared/grouped.ts";

export interface RmsNormOptions {
	/** Scale, of shape `normalizedShape`; none: 1. */
	weight?: Tensor | null;
	/** Added to the mean square. Default the float32 machine epsilon, 1.1920929e-7 (PyTorch). */
	eps?: number;
	/** Names the caller in errors. */
	name?: string;
}

/** The distance from 1 to the next float32. */
export const FLOAT32_EPSILON = 2 ** -23;

/**
 * y = x / sqrt(mean(x²) + eps) * weight, the mean over the last axes.
 *
 * @param normalizedShape the lengths of the axes that are averaged over: the last ones of x
 * @throws EvenkeelError if x does not end in `normalizedShape`, or holds NaN or infinity
 * @see Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
 */
export function rmsNorm(x: Tensor, normalizedShape: number | Shape, options: RmsNormOptions = {}): Tensor {
	const { weight, eps = FLOAT32_EPSILON, name: what = "rmsNorm" } = options;
	const length = sizeOf(lastAxes(what, x, normalizedShape, { weight }));
	const geometry = { groups: x.size === 0 ? 0 : x.size / length, length, span: 1, period: 1, centered: false };
	return groupedNorm(x, geometry, { weight, eps, what });
}
