// The channel geometry: every tensor that a norm takes is read as [N, C, S], where S is the product
// of the spatial axes.

import { check } from "../../../errors.ts";
import { formatShape, normalizeAxis, productOf, type Shape } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { checkFloat } from "../../op.ts";

export interface ChannelGeometry {
	/** Examples (times what lies before the channel axis). */
	readonly n: number;
	/** Channels. */
	readonly c: number;
	/** Positions in space behind the channel axis, 1 for [N, C] and for channels last. */
	readonly s: number;
}

/**
 * Reads `shape` as [N, C, S]: N is the product of the axes before that of the channels, S of those
 * behind it. `what` names the caller in errors.
 */
export function channelGeometry(shape: Shape, what: string, channelAxis = 1): ChannelGeometry {
	check(
		shape.length >= 2,
		() => `${what}: expected at least two axes, [N, C, …], got shape ${formatShape(shape)}; reshape it to [N, C]`,
	);
	const axis = normalizeAxis(channelAxis, shape.length, what);
	check(axis > 0, () => `${what}: channelAxis ${channelAxis} is the batch's; the channels are on another axis`);
	return { n: productOf(shape, 0, axis), c: shape[axis], s: productOf(shape, axis + 1, shape.length) };
}

/** Checks a parameter or buffer that holds one floating value a channel. */
export function checkPerChannel(what: string, name: string, tensor: Tensor | null | undefined, c: number): void {
	if (tensor) checkFloat(`${what}: ${name}`, tensor);
	check(
		!tensor || (tensor.ndim === 1 && tensor.size === c),
		() => `${what}: ${name} has shape ${formatShape(tensor?.shape ?? [])}, expected [${c}], one value a channel`,
	);
}
