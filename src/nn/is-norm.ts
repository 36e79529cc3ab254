// Which layers are norms: what tools that look for them go by.

import { BatchNorm } from "./layers/batch-norm.ts";
import { ChannelNorm } from "./layers/channel-norm.ts";
import { FilterResponseNorm } from "./layers/filter-response-norm.ts";
import { FrozenAffine } from "./layers/frozen-affine.ts";
import { GroupNorm } from "./layers/group-norm.ts";
import { LayerNorm } from "./layers/layer-norm.ts";
import { RMSNorm } from "./layers/rms-norm.ts";
import type { Module } from "./module.ts";

/** Any layer that normalizes. */
export type NormLayer = ChannelNorm | GroupNorm | LayerNorm | RMSNorm | FilterResponseNorm | FrozenAffine;

// A normalization that joins with a class of its own adds it here.
const classes = [ChannelNorm, GroupNorm, LayerNorm, RMSNorm, FilterResponseNorm, FrozenAffine];

/**
 * Whether `module` normalizes: batch, layer, instance, group, switchable, RMS, filter response norm, batch renorm, and
 * what a batch norm is when its statistics stand still.
 */
export function isNorm(module: Module): module is NormLayer {
	return classes.some((one) => module instanceof one);
}

/** Whether `module` normalizes by statistics of the batch in training, and by running ones in evaluation. */
export function isBatchNorm(module: Module): module is BatchNorm {
	return module instanceof BatchNorm;
}
