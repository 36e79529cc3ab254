// Group normalization (Wu and He 2018, https://arxiv.org/abs/1803.08494): each example by the mean
// and variance of groups of its channels, whatever the batch.

import { check } from "../../../errors.ts";
import { formatShape } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { channelGeometry, checkPerChannel } from "../shared/geometry.ts";
import { groupedNorm } from "../shared/grouped.ts";

export interface GroupNormOptions {
	/** Scale, shape [C]; none: 1. */
	weight?: Tensor | null;
	/** Shift, shape [C]; none: 0. */
	bias?: Tensor | null;
	/** Added to the variance. Default 1e-5 (PyTorch). */
	eps?: number;
	/** Names the caller in errors. */
	name?: string;
}

/**
 * y = (x - mean) / sqrt(var + eps) * weight + bias for x of `[N, C, …]`, mean and biased variance
 * over C / numGroups channels and all positions of one example; scale and shift a channel.
 *
 * @throws EvenkeelError if numGroups does not divide C, a group holds a single value, or x holds NaN
 *   or infinity
 * @see Wu and He 2018, https://arxiv.org/abs/1803.08494
 */
export function groupNorm(x: Tensor, numGroups: number, options: GroupNormOptions = {}): Tensor {
	const { weight, bias, eps = 1e-5, name: what = "groupNorm" } = options;
	const { n, c, s } = channelGeometry(x.shape, what);
	check(
		Number.isInteger(numGroups) && numGroups >= 1 && c % numGroups === 0,
		() => `${what}: ${numGroups} groups do not divide the ${c} channels of shape ${formatShape(x.shape)}`,
	);
	for (const [name, tensor] of Object.entries({ weight, bias })) checkPerChannel(what, name, tensor, c);
	const length = (c / numGroups) * s;
	check(
		length !== 1 || n === 0,
		() =>
			`${what}: a group holds a single value (shape ${formatShape(x.shape)}, ${numGroups} groups), whose variance is 0; ` +
			"use fewer groups",
	);
	const geometry = { groups: n * numGroups, length, span: s, period: numGroups, centered: true };
	return groupedNorm(x, geometry, { weight, bias, eps, what });
}
