// The channel geometry: every tensor that a norm takes is read as [N, C, S], where S is the product
// of the spatial axes.

import { check } from "../../../errors.ts";
import { formatShape, type Shape } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

export interface ChannelGeometry {
	/** Examples. */
	readonly n: number;
	/** Channels, axis 1. */
	readonly c: number;
	/** Positions in space, 1 for [N, C]. */
	readonly s: number;
}

/** Reads `shape` as [N, C, S]. `what` names the caller in errors. */
export function channelGeometry(shape: Shape, what: string): ChannelGeometry {
	check(
		shape.length >= 2,
		() => `${what}: expected at least two axes, [N, C, …], got shape ${formatShape(shape)}; reshape it to [N, C]`,
	);
	let s = 1;
	for (let axis = 2; axis < shape.length; axis++) s *= shape[axis];
	return { n: shape[0], c: shape[1], s };
}

/** Checks a parameter or buffer that holds one value a channel. */
export function checkPerChannel(what: string, name: string, tensor: Tensor | null | undefined, c: number): void {
	check(
		!tensor || (tensor.ndim === 1 && tensor.size === c),
		() => `${what}: ${name} has shape ${formatShape(tensor?.shape ?? [])}, expected [${c}], one value a channel`,
	);
}
