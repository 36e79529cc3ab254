// What a norm is made of, whichever norm it is: what conversions read.

import { BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../../nn/layers/batch-norm.ts";
import { BatchRenorm1d, BatchRenorm2d, BatchRenorm3d } from "../../nn/layers/batch-renorm.ts";
import { FrozenAffine } from "../../nn/layers/frozen-affine.ts";
import { GroupNorm } from "../../nn/layers/group-norm.ts";
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "../../nn/layers/instance-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import { LazyBatchNorm1d, LazyBatchNorm2d, LazyBatchNorm3d } from "../../nn/layers/lazy-batch-norm.ts";
import { SwitchableNorm1d, SwitchableNorm2d, SwitchableNorm3d } from "../../nn/layers/switchable-norm.ts";
import { SyncBatchNorm } from "../../nn/layers/sync-batch-norm.ts";
import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NormInput } from "./inputs.ts";

/** The kinds of norms that can be converted. */
export type NormKind =
	| "batch"
	| "sync"
	| "batch-renorm"
	| "switchable"
	| "frozen-affine"
	| "group"
	| "layer"
	| "instance";

/** What batch norm keeps for evaluation. */
export interface Statistics {
	readonly mean: Tensor;
	readonly variance: Tensor;
	/** How many batches they have seen. */
	readonly batches: number;
	readonly convention: "unbiased" | "biased";
}

/** A norm, taken apart. */
export interface NormSource {
	readonly module: Module;
	readonly kind: NormKind;
	readonly channels: number;
	readonly eps: number;
	readonly weight: Tensor | null;
	readonly bias: Tensor | null;
	/** Of the whole batch; null where there are none, or of another kind. */
	readonly statistics: Statistics | null;
	/** Weight of the new batch in them; undefined where there are none. */
	readonly momentum: number | null | undefined;
	readonly frozen: boolean;
	/** Groups of channels with statistics of their own, of norms that look at one example; null for others. */
	readonly groups: number | null;
	/** Whether the channels are on the last axis, behind the positions. */
	readonly channelsLast: boolean;
	/** What it is given, as far as that is known. */
	readonly input: NormInput;
}

const dimensions: readonly (readonly [
	dimensions: 1 | 2 | 3,
	classes: readonly (abstract new (...args: never[]) => Module)[],
])[] = [
	[1, [BatchNorm1d, BatchRenorm1d, SwitchableNorm1d, InstanceNorm1d, LazyBatchNorm1d]],
	[2, [BatchNorm2d, BatchRenorm2d, SwitchableNorm2d, InstanceNorm2d, LazyBatchNorm2d]],
	[3, [BatchNorm3d, BatchRenorm3d, SwitchableNorm3d, InstanceNorm3d, LazyBatchNorm3d]],
];

/** The number in the name of the norm's class, or of that it stands for: 2 for BatchNorm2d; null for those without one. */
export function dimensionsOf(module: Module): 1 | 2 | 3 | null {
	if (module instanceof SyncBatchNorm) return module.dimensions;
	return dimensions.find(([, classes]) => classes.some((one) => module instanceof one))?.[0] ?? null;
}

/** Takes `module` apart; or says, as the second half of a sentence, why that cannot be. Undefined if it is no such norm. */
export function sourceOf(module: Module, input: NormInput): NormSource | string | undefined {
	if (module instanceof BatchNorm) return fromBatchNorm(module, input);
	if (module instanceof FrozenAffine) {
		const { runningMean: mean, runningVar: variance, channelAxis } = module;
		const statistics = { mean, variance, batches: 0, convention: "unbiased" as const };
		return {
			...common(module, module.numFeatures, input),
			kind: "frozen-affine",
			statistics,
			channelsLast: isLast(channelAxis, input),
		};
	}
	if (module instanceof GroupNorm) {
		return { ...common(module, module.numChannels, input), kind: "group", groups: module.numGroups };
	}
	if (module instanceof InstanceNorm1d || module instanceof InstanceNorm2d || module instanceof InstanceNorm3d) {
		if (module.trackRunningStats)
			return "it evaluates by running statistics of single examples, which no other norm has";
		return { ...common(module, module.numFeatures, input), kind: "instance", groups: module.numFeatures };
	}
	if (module instanceof LayerNorm) {
		if (module.normalizedShape.length > 1) return "it has a scale an element, not a channel";
		const channelsLast = input.rank !== 2;
		return { ...common(module, module.normalizedShape[0], input), kind: "layer", groups: 1, channelsLast };
	}
	return undefined;
}

type Normalizing = Module & { readonly eps: number; readonly weight: Tensor | null; readonly bias: Tensor | null };

function common(module: Normalizing, channels: number, input: NormInput) {
	const { eps, weight, bias } = module;
	const none = { statistics: null, momentum: undefined, frozen: false, groups: null, channelsLast: false };
	return { module, channels, eps, weight, bias, input, ...none };
}

function fromBatchNorm(module: BatchNorm, input: NormInput): NormSource | string {
	if (module.numFeatures === 0) return "it has not seen its first input; run the network once";
	const { runningMean: mean, runningVar: variance, numBatchesTracked, momentum, frozen, channelAxis } = module;
	const batches = numBatchesTracked?.item() ?? 0;
	return {
		...common(module, module.numFeatures, input),
		kind: kindOf(module) ?? "batch",
		statistics: mean && variance ? { mean, variance, batches, convention: module.runningVariance } : null,
		momentum,
		frozen,
		channelsLast: isLast(channelAxis, input),
	};
}

/** Which of the norms that average over the batch `module` is; null for other modules. */
export function kindOf(module: Module): "batch" | "sync" | "switchable" | "batch-renorm" | null {
	const isOneOf = (...classes: readonly (abstract new (...args: never[]) => Module)[]) =>
		classes.some((one) => module instanceof one);
	if (isOneOf(SwitchableNorm1d, SwitchableNorm2d, SwitchableNorm3d)) return "switchable";
	if (isOneOf(BatchRenorm1d, BatchRenorm2d, BatchRenorm3d)) return "batch-renorm";
	if (module instanceof SyncBatchNorm) return "sync";
	return module instanceof BatchNorm ? "batch" : null;
}

/** Of an input `[N, C]` the last axis is the second. */
function isLast(channelAxis: number, { rank }: NormInput): boolean {
	return channelAxis !== 1 && rank !== 2;
}
