// Which normalization a preset is built with: the choices of --norm, by name.

import { check } from "../errors.ts";
import { BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from "../nn/layers/batch-norm.ts";
import { BatchRenorm1d, BatchRenorm2d, paperRenormSchedule } from "../nn/layers/batch-renorm.ts";
import { FilterResponseNorm } from "../nn/layers/filter-response-norm.ts";
import { FrozenAffine } from "../nn/layers/frozen-affine.ts";
import { GroupNorm } from "../nn/layers/group-norm.ts";
import { InstanceNorm2d } from "../nn/layers/instance-norm.ts";
import { LayerNorm } from "../nn/layers/layer-norm.ts";
import { RMSNorm } from "../nn/layers/rms-norm.ts";
import { SwitchableNorm1d, SwitchableNorm2d } from "../nn/layers/switchable-norm.ts";
import { SyncBatchNorm } from "../nn/layers/sync-batch-norm.ts";
import { Module } from "../nn/module.ts";
import { permute } from "../ops/shape/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A normalization that was asked for. */
export interface NormChoice {
	/** One of {@link normNames}. */
	readonly norm: string;
	/** Groups of group norm. Default 4; where they do not divide the channels, the largest number below that does. */
	readonly groups?: number;
	/** Weight of the new batch in the running statistics, instead of the preset's. Norms without any leave it unused. */
	readonly momentum?: number;
	/** Weight of the old running statistics: 1 - momentum. Give one of the two. */
	readonly decay?: number;
}

/** What a preset may ask of its normalization beyond the number of channels. */
export type NormOptions = Pick<BatchNormLayerOptions, "eps" | "momentum" | "decay" | "runningVariance">;

/** One normalization: what it is after a linear layer, and after a convolution. */
interface NormFamily {
	/** For --help: what it averages over, and what stands in for it where it does not fit. */
	readonly averages: string;
	/** For `[N, count]`. */
	features(count: number, options: NormOptions, groups: number): Module;
	/** For `[N, count, H, W]`. */
	channels(count: number, options: NormOptions, groups: number): Module;
}

const defaultGroups = 4;

/** The paper's schedule opens its bounds between steps 5,000 and 40,000; a preset's whole run is a twentieth of that. */
const shortRenormSchedule = (step: number) => paperRenormSchedule(20 * step);

// A normalization that joins adds its lines here, and every preset and --norm know it.
const families: Readonly<Record<string, NormFamily | null>> = {
	batch: {
		averages: "over the batch and positions, a channel at a time",
		features: (count, options) => new BatchNorm1d(count, options),
		channels: (count, options) => new BatchNorm2d(count, options),
	},
	none: null,
	group: {
		averages: "over --groups groups of channels and positions, an example at a time",
		features: (count, { eps }, groups) => new GroupNorm(divisor(count, groups), count, { eps }),
		channels: (count, { eps }, groups) => new GroupNorm(divisor(count, groups), count, { eps }),
	},
	layer: {
		averages: "over channels and positions, an example at a time",
		features: (count, { eps }) => new LayerNorm(count, { eps }),
		// One group: layer norm's statistics, and a scale a channel, which fits images of any size.
		channels: (count, { eps }) => new GroupNorm(1, count, { eps }),
	},
	instance: {
		averages: "over positions, a channel of an example at a time; layer norm after a linear layer",
		features: (count, { eps }) => new LayerNorm(count, { eps }),
		channels: (count, { eps }) => new InstanceNorm2d(count, { eps, affine: true }),
	},
	switchable: {
		averages: "instance, layer and batch statistics in shares that are learned",
		features: (count, { eps, momentum, decay }) => new SwitchableNorm1d(count, { eps, momentum, decay }),
		channels: (count, { eps, momentum, decay }) => new SwitchableNorm2d(count, { eps, momentum, decay }),
	},
	rms: {
		averages: "the mean square over channels, a position of an example at a time",
		features: (count) => new RMSNorm(count),
		channels: (count) => new PositionRMSNorm(count),
	},
	renorm: {
		averages: "as batch, corrected towards the running statistics",
		features: (count, options) => new BatchRenorm1d(count, { ...options, schedule: shortRenormSchedule }),
		channels: (count, options) => new BatchRenorm2d(count, { ...options, schedule: shortRenormSchedule }),
	},
	"frozen-affine": {
		averages: "over nothing: a scale and shift a channel that stay, as `evenkeel convert` takes them from a batch norm",
		features: (count, { eps }) => new FrozenAffine(count, { eps }),
		channels: (count, { eps }) => new FrozenAffine(count, { eps }),
	},
	frn: {
		averages: "the mean square over positions, a channel of an example at a time; rms after a linear layer",
		features: (count) => new RMSNorm(count),
		// Without its thresholded unit: the preset's own activation follows.
		channels: (count) => new FilterResponseNorm(count, { tlu: false }),
	},
	sync: {
		averages: "as batch, over the batches of all ranks together where there are several",
		features: (count, options) => new SyncBatchNorm(count, { ...options, dimensions: 1 }),
		channels: (count, options) => new SyncBatchNorm(count, { ...options, dimensions: 2 }),
	},
};

/** The names that {@link normOf} knows. */
export const normNames: readonly string[] = Object.keys(families);

/** For --help: each name, and what that normalization averages over. */
export const normDescriptions: readonly (readonly [name: string, averages: string])[] = Object.entries(families).map(
	([name, family]) => [name, family?.averages ?? "no normalization"],
);

/** The layers of one normalization, each as a list to spread into a Sequential: empty for `"none"`. */
export interface Norm {
	/** For `[N, count]`. */
	features(count: number, options?: NormOptions): Module[];
	/** For `[N, count, H, W]`. */
	channels(count: number, options?: NormOptions): Module[];
}

/**
 * The normalization that was chosen.
 *
 * @throws EvenkeelError listing what there is if it is unknown
 */
export function normOf({ norm, groups = defaultGroups, momentum, decay }: NormChoice): Norm {
	check(
		Object.hasOwn(families, norm),
		() => `norm: unknown normalization "${norm}"; there are ${normNames.map((known) => `"${known}"`).join(", ")}`,
	);
	check(
		Number.isInteger(groups) && groups >= 1,
		() => `norm: groups must be a whole number of at least 1, got ${groups}`,
	);
	const family = families[norm];
	// A choice of one takes the place of the preset's other.
	const chosen = momentum === undefined && decay === undefined ? {} : { momentum, decay };
	return {
		features: (count, options = {}) => (family ? [family.features(count, { ...options, ...chosen }, groups)] : []),
		channels: (count, options = {}) => (family ? [family.channels(count, { ...options, ...chosen }, groups)] : []),
	};
}

/** The largest number up to `groups` that divides `count`. */
function divisor(count: number, groups: number): number {
	let number = Math.min(groups, count);
	while (count % number !== 0) number--;
	return number;
}

/** RMS norm over the channels at each position of `[N, C, H, W]`. */
class PositionRMSNorm extends Module {
	norm: RMSNorm;

	constructor(channels: number) {
		super();
		this.norm = new RMSNorm(channels);
	}

	override forward(x: Tensor): Tensor {
		return permute(this.norm.forward(permute(x, [0, 2, 3, 1])), [0, 3, 1, 2]);
	}
}
