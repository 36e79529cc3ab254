// What batch norms are given, checked: the same for each that keeps running statistics.

import { check } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { checkFloat } from "../../op.ts";
import { type ChannelGeometry, channelGeometry, checkPerChannel } from "../shared/geometry.ts";

/** The geometry of `x`, when it, what there is of one value a channel, and `eps` fit together. */
export function checkedGeometry(
	what: string,
	x: Tensor,
	perChannel: Readonly<Record<"weight" | "bias" | "runningMean" | "runningVar", Tensor | null>>,
	eps: number,
	channelAxis?: number,
): ChannelGeometry {
	checkFloat(what, x);
	const geometry = channelGeometry(x.shape, what, channelAxis);
	const { weight, bias, runningMean, runningVar } = perChannel;
	checkPerChannel(what, "weight", weight, geometry.c);
	checkPerChannel(what, "bias", bias, geometry.c);
	checkPerChannel(what, "runningMean", runningMean, geometry.c);
	checkPerChannel(what, "runningVar", runningVar, geometry.c);
	check(eps >= 0, () => `${what}: eps must be at least 0, got ${eps}`);
	check(
		(runningMean === null) === (runningVar === null),
		() => `${what}: runningMean and runningVar come together; one of them is missing`,
	);
	return geometry;
}

export type RunningVariance = "unbiased" | "biased";

/** Checks which variance is tracked. */
export function checkRunningVariance(what: string, value: RunningVariance): void {
	check(
		value === "unbiased" || value === "biased",
		() => `${what}: runningVariance is "unbiased" or "biased", got ${JSON.stringify(value)}`,
	);
}

/**
 * The weight of the new batch from whichever convention was used; null for the cumulative average,
 * undefined where neither was given.
 */
export function resolveMomentum(
	{ momentum, decay }: { momentum?: number | null; decay?: number },
	what: string,
): number | null | undefined {
	check(
		momentum === undefined || decay === undefined,
		() =>
			`${what}: momentum (${momentum}, the weight of the new batch) and decay (${decay}, the weight of the old ` +
			"average) were both given; give one, decay = 1 - momentum",
	);
	const isWeight = (value: unknown) => typeof value === "number" && value >= 0 && value <= 1;
	check(
		momentum === undefined || momentum === null || isWeight(momentum),
		() => `${what}: momentum must be between 0 and 1, got ${momentum}`,
	);
	check(decay === undefined || isWeight(decay), () => `${what}: decay must be between 0 and 1, got ${decay}`);
	return decay === undefined ? momentum : 1 - decay;
}
