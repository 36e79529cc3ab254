// Layer normalization (Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450): each example by
// its own mean and variance over the last axes, with a scale and shift for each element of them.

import { check } from "../../../errors.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { checkFloat } from "../../op.ts";
import { groupedNorm } from "../shared/grouped.ts";

export interface LayerNormOptions {
	/** Scale, of shape `normalizedShape`; none: 1. */
	weight?: Tensor | null;
	/** Shift, of shape `normalizedShape`; none: 0. */
	bias?: Tensor | null;
	/** Added to the variance. Default 1e-5 (PyTorch; Flax has 1e-6, Keras 1e-3). */
	eps?: number;
	/** Names the caller in errors. */
	name?: string;
}

/**
 * y = (x - mean) / sqrt(var + eps) * weight + bias, mean and biased variance over the last axes.
 *
 * @param normalizedShape the lengths of the axes that are averaged over: the last ones of x
 * @throws EvenkeelError if x does not end in `normalizedShape`, or holds NaN or infinity
 * @see Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450
 */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, options: LayerNormOptions = {}): Tensor {
	const { weight, bias, eps = 1e-5, name: what = "layerNorm" } = options;
	const shape = lastAxes(what, x, normalizedShape, { weight, bias });
	const length = sizeOf(shape);
	const geometry = { groups: x.size === 0 ? 0 : x.size / length, length, span: 1, period: 1, centered: true };
	return groupedNorm(x, geometry, { weight, bias, eps, what });
}

/** Checks that `x` and the parameters end in `normalizedShape`, and returns it as a list. */
export function lastAxes(
	what: string,
	x: Tensor,
	normalizedShape: number | Shape,
	parameters: Record<string, Tensor | null | undefined>,
): Shape {
	const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
	checkShape(shape, `${what}: normalizedShape`);
	check(
		shape.length > 0 && x.ndim >= shape.length && endsIn(x.shape, shape),
		() => `${what}: expected an input whose last axes are ${formatShape(shape)}, got shape ${formatShape(x.shape)}`,
	);
	for (const name in parameters) {
		const tensor = parameters[name];
		if (tensor) checkFloat(`${what}: ${name}`, tensor);
		check(
			!tensor || sameShape(tensor.shape, shape),
			() => `${what}: ${name} has shape ${formatShape(tensor?.shape ?? [])}, expected ${formatShape(shape)}`,
		);
	}
	return shape;
}

function endsIn(shape: Shape, last: Shape): boolean {
	const from = shape.length - last.length;
	for (let axis = 0; axis < last.length; axis++) if (shape[from + axis] !== last[axis]) return false;
	return true;
}
