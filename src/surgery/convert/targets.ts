// What a norm can become. A target says for each kind of norm what takes its place, whether that computes the same, and
// what must follow; or why it cannot be.

import type { Communicator } from "../../communicator/communicator.ts";
import { type BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../../nn/layers/batch-norm.ts";
import {
	BatchRenorm1d,
	BatchRenorm2d,
	BatchRenorm3d,
	type BatchRenormLayerOptions,
} from "../../nn/layers/batch-renorm.ts";
import type { ChannelNorm, ChannelNormOptions } from "../../nn/layers/channel-norm.ts";
import { FrozenAffine } from "../../nn/layers/frozen-affine.ts";
import { GroupNorm } from "../../nn/layers/group-norm.ts";
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "../../nn/layers/instance-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import { SyncBatchNorm } from "../../nn/layers/sync-batch-norm.ts";
import type { Module } from "../../nn/module.ts";
import { Parameter, writeInto } from "../../nn/parameter.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { dimensionsOf, type NormSource } from "./source.ts";

/** What a conversion leaves to do. `"recalibration"`: its statistics are not known yet, or no longer right. */
export type Need = "nothing" | "fine-tuning" | "recalibration";

/** A layer that takes a norm's place. */
export interface Replacement {
	readonly made: Module;
	/** Whether it computes the same in evaluation. */
	readonly exact: boolean;
	readonly needs: Need;
	/** What else there is to know; null if nothing. */
	readonly note: string | null;
}

/** Options of single targets. */
export interface TargetOptions {
	/**
	 * Of group norm: how many groups, or the largest number below that divides a layer's channels. Default 32 (the
	 * paper's), and for `[N, C]` so many that each has at least 16 features.
	 */
	numGroups?: number;
	/** Of batch renormalization: its bounds and the momentum of its statistics. Default: those of the layer. */
	renorm?: Pick<BatchRenormLayerOptions, "rMax" | "dMax" | "schedule" | "momentum" | "decay">;
	/** Of synchronized batch norm: its ranks. Default: none yet, so that it is batch norm. */
	communicator?: Communicator | null;
}

/** What norms can be converted to. */
export type NormTarget = "batch" | "sync" | "group" | "layer" | "instance" | "batch-renorm" | "frozen-affine";

type Convert = (source: NormSource, options: TargetOptions) => Replacement | string | null;

const unknownShape = "what shape it is given is not known; pass data, or a few inputs as data";

/** The number that belongs into the name of the class that takes its place. */
function dimensionsFor({ module, input }: NormSource): 1 | 2 | 3 | string {
	const own = dimensionsOf(module);
	if (own !== null) return own;
	if (input.rank === null) return unknownShape;
	if (input.rank === 4) return 2;
	if (input.rank === 5) return 3;
	return input.rank < 4 ? 1 : `it is given ${input.rank} axes, and that norm takes at most five`;
}

const lastAxis = "its channels are on the last axis, and that norm takes them on the second";

// A target that joins adds its line here, and in NormTarget. Null: the norm is of that kind already.
const targets: Readonly<Record<NormTarget, Convert>> = {
	batch: toBatch,
	sync: toSync,
	group: toGroup,
	layer: toLayer,
	instance: toInstance,
	"batch-renorm": toRenorm,
	"frozen-affine": toFrozenAffine,
};

export const normTargets = Object.keys(targets) as readonly NormTarget[];

/** What takes the place of `source`; a text says why nothing can, null that it is of that kind already. */
export function replacementFor(
	source: NormSource,
	to: NormTarget,
	options: TargetOptions,
): Replacement | string | null {
	return targets[to](source, options);
}

function toBatch(source: NormSource): Replacement | string | null {
	if (source.kind === "batch") return null;
	return batchLike(
		source,
		(size, options) => new [BatchNorm1d, BatchNorm2d, BatchNorm3d][size - 1](source.channels, options),
	);
}

function toSync(source: NormSource, { communicator }: TargetOptions): Replacement | string | null {
	if (source.kind === "sync") return null;
	return batchLike(
		source,
		(dimensions, options) => new SyncBatchNorm(source.channels, { ...options, dimensions, communicator }),
	);
}

/** Batch norm, on one rank or on all, with what carries over of `source`. */
function batchLike(
	source: NormSource,
	make: (size: 1 | 2 | 3, options: ChannelNormOptions) => BatchNorm,
): Replacement | string {
	const { kind, eps, weight, bias, statistics, channelsLast, momentum } = source;
	const size = dimensionsFor(source);
	if (typeof size === "string") return size;
	const alike = kind === "batch" || kind === "sync";
	const made = make(size, {
		eps,
		...affineOf(source),
		// Renormalization's is slow for its own sake.
		momentum: alike || kind === "switchable" ? momentum : undefined,
		trackRunningStats: !alike || statistics !== null,
		runningVariance: statistics?.convention,
		channelAxis: channelsLast ? -1 : 1,
	});
	giveAffine(made, weight, bias);
	if (!made.trackRunningStats) return { made, exact: true, needs: "nothing", note: null };
	return withStatistics(made, source, kind === "switchable" ? "its statistics were the batch's alone" : null);
}

function toRenorm(source: NormSource, { renorm = {} }: TargetOptions): Replacement | string | null {
	if (source.kind === "batch-renorm") return null;
	const { channels, eps, weight, bias, statistics, channelsLast } = source;
	if (channelsLast) return lastAxis;
	const size = dimensionsFor(source);
	if (typeof size === "string") return size;
	const convention = statistics?.convention;
	const options = { eps, ...affineOf(source), ...(convention && { runningVariance: convention }), ...renorm };
	const made = new [BatchRenorm1d, BatchRenorm2d, BatchRenorm3d][size - 1](channels, options);
	giveAffine(made, weight, bias);
	return withStatistics(made, source, null);
}

/** A batch norm with the statistics of `source`, or none yet. */
function withStatistics(made: BatchNorm, source: NormSource, note: string | null): Replacement {
	const { statistics, kind, frozen, module } = source;
	if (!statistics) return { made, exact: false, needs: "recalibration", note };
	copyStatistics(made, statistics);
	if (made.numBatchesTracked) {
		made.numBatchesTracked.view()[0] = statistics.batches;
		made.numBatchesTracked.storage.version++;
	}
	// What trains and what does not stays as it is: the parameters are the same ones.
	if (frozen) made.freeze({ affine: false });
	const exact = kind !== "switchable";
	const virtual = "virtualBatchSize" in module && module.virtualBatchSize !== undefined;
	const lost = virtual ? "it had virtual batches, which that norm has not" : null;
	return { made, exact, needs: exact ? "nothing" : "recalibration", note: note ?? lost };
}

function toFrozenAffine(source: NormSource): Replacement | string | null {
	const { kind, channels, eps, weight, bias, statistics, channelsLast } = source;
	if (kind === "frozen-affine") return null;
	if (kind === "switchable")
		return "its statistics are a mixture with each example's own, which no fixed scale and shift replaces";
	if (!statistics) return 'it has no running statistics to hold; convert it to "batch" with data first';
	const made = new FrozenAffine(channels, { eps, channelAxis: channelsLast ? -1 : 1 });
	if (weight) writeInto(made.weight, weight);
	if (bias) writeInto(made.bias, bias);
	copyStatistics(made, statistics);
	return { made, exact: true, needs: "nothing", note: null };
}

function copyStatistics(
	{ runningMean, runningVar }: { runningMean: Tensor | null; runningVar: Tensor | null },
	{ mean, variance }: NonNullable<NormSource["statistics"]>,
): void {
	if (runningMean) writeInto(runningMean, mean);
	if (runningVar) writeInto(runningVar, variance);
}

/** Below so many values a group, what is left of them is little more than their order. */
const FEW = 8;

function toGroup(source: NormSource, { numGroups }: TargetOptions): Replacement | string | null {
	const { channels, channelsLast, input, kind } = source;
	if (channelsLast) return lastAxis;
	// Where positions may be missing, a group of one channel would be a single value, and its output zero.
	const flat = input.flat ?? dimensionsOf(source.module) === 1;
	if (flat && channels === 1) return tooFew;
	const least = flat ? (numGroups === undefined ? Math.min(16, channels) : 2) : 1;
	const groups = divisor(channels, Math.min(numGroups ?? 32, Math.floor(channels / least)));
	if (kind === "group" && source.groups === groups) return null;
	const made = giveAffine(
		new GroupNorm(groups, channels, { eps: source.eps, affine: false }),
		source.weight,
		source.bias,
	);
	const fewer =
		numGroups !== undefined && groups < numGroups ? `${numGroups} groups do not fit ${channels} channels` : null;
	const few =
		flat && channels / groups < FEW
			? `a group is ${channels / groups} values, which leaves little but their order`
			: null;
	return byExample(made, source, groups, [fewer, few]);
}

const tooFew = "it is given a single value an example, whose deviation from itself is 0";

function toLayer(source: NormSource): Replacement | string | null {
	const { kind, channels, eps, weight, bias, channelsLast, input } = source;
	if (kind === "layer") return null;
	if (input.flat && channels === 1) return tooFew;
	if (channelsLast || input.rank === 2) {
		const made = giveAffine(new LayerNorm(channels, { eps, affine: false }), weight, bias);
		return byExample(made, source, 1, [channelsLast ? "each position by itself" : null]);
	}
	if (kind === "group" && source.groups === 1) return null;
	const made = giveAffine(new GroupNorm(1, channels, { eps, affine: false }), weight, bias);
	return byExample(made, source, 1, ["one group: layer norm over channels and positions, with a scale a channel"]);
}

function toInstance(source: NormSource): Replacement | string | null {
	const { kind, channels, eps, weight, bias, channelsLast, input } = source;
	if (kind === "instance") return null;
	if (channelsLast) return lastAxis;
	if (input.flat) {
		const layer = toLayer(source);
		if (layer === null || typeof layer === "string") return layer;
		return { ...layer, note: "a channel of one example is a single value here: layer norm in its place" };
	}
	// One dimension may be none: [N, C] has no positions.
	const size = input.flat === null ? unknownShape : dimensionsFor(source);
	if (typeof size === "string") return size;
	const made = new [InstanceNorm1d, InstanceNorm2d, InstanceNorm3d][size - 1](channels, {
		eps,
		...affineOf(source),
	});
	return byExample(giveAffine(made, weight, bias), source, channels, []);
}

/** A norm that looks at one example: the same as another of so many groups, and nothing like one that looks at a batch. */
function byExample(made: Module, source: NormSource, groups: number, notes: readonly (string | null)[]): Replacement {
	const exact = source.groups === groups && !source.channelsLast;
	const fixed = [source.weight, source.bias].some((values) => values instanceof Parameter && !values.requiresGrad);
	const all = [...notes, fixed ? "its scale and shift stay frozen" : null];
	const note = all.filter((one) => one !== null).join("; ") || null;
	return { made, exact, needs: exact ? "nothing" : "fine-tuning", note };
}

/** The largest number up to `limit` that divides `count`. */
function divisor(count: number, limit: number): number {
	let number = Math.max(1, Math.min(limit, count));
	while (count % number !== 0) number--;
	return number;
}

const affineOf = ({ weight, bias }: NormSource) => ({ affine: weight !== null || bias !== null, bias: bias !== null });

/**
 * Gives a layer the scale and shift of another: the parameters themselves, so that an optimizer that has them goes on
 * with them; copies of what was fixed.
 */
function giveAffine<T extends ChannelNorm | GroupNorm | LayerNorm>(
	made: T,
	weight: Tensor | null,
	bias: Tensor | null,
): T {
	made.weight?.dispose();
	made.bias?.dispose();
	made.weight = parameterOf(weight, "weight");
	made.bias = parameterOf(bias, "bias");
	return made;
}

function parameterOf(values: Tensor | null, name: string): Parameter | null {
	return values === null || values instanceof Parameter ? values : Parameter.from(values, name);
}
