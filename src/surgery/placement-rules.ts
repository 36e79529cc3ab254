// Findings about where norms stand and how they are trained.

import { isBatchNorm, isNorm } from "../nn/is-norm.ts";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../nn/layers/batch-norm.ts";
import { Conv1d, Conv2d, ConvTranspose2d } from "../nn/layers/conv.ts";
import { Dropout } from "../nn/layers/dropout.ts";
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "../nn/layers/instance-norm.ts";
import { Linear } from "../nn/layers/linear.ts";
import { SyncBatchNorm } from "../nn/layers/sync-batch-norm.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Finding, InspectContext } from "./inspect.ts";
import type { PlacedLayer } from "./layer-order.ts";

/** Below this many examples a batch, the error of batch norm rises quickly (Wu and He 2018, figure 1). */
export const SMALL_BATCH = 16;

/** Findings that follow from the layers' order and options. */
export function placementFindings(layers: readonly PlacedLayer[], context: InspectContext): Finding[] {
	const droppers = layers.filter(({ module }) => module instanceof Dropout && module.p > 0);
	return layers.flatMap((layer, index) => {
		const dropper = droppers.find((candidate) => layers.indexOf(candidate) < index);
		return [
			smallBatch(layer, context),
			biasBeforeNorm(layer),
			dropper && isPlainBatchNorm(layer.module) ? dropoutBefore(layer, dropper) : null,
			normBeforeDropout(layer),
			decayedNorm(layer, context),
		].filter((finding) => finding !== null);
	});
}

const isOneOf = (module: Module, classes: readonly (abstract new (...args: never[]) => Module)[]) =>
	classes.some((one) => module instanceof one);

/** Batch norm itself: neither corrected (renorm) nor mixed with other statistics (switchable norm). */
function isPlainBatchNorm(module: Module): module is BatchNorm2d {
	return isOneOf(module, [BatchNorm1d, BatchNorm2d, BatchNorm3d, SyncBatchNorm]);
}

function smallBatch({ name, module }: PlacedLayer, { batchSize, replicas }: InspectContext): Finding | null {
	if (!isPlainBatchNorm(module) || module.frozen) return null;
	// Synchronized, the replicas' batches are one.
	const own = module instanceof SyncBatchNorm ? batchSize : Math.floor(batchSize / replicas);
	const size = Math.min(own, module.virtualBatchSize ?? own);
	if (size >= SMALL_BATCH) return null;
	const virtual = module.virtualBatchSize !== undefined && module.virtualBatchSize < own;
	const from = virtual
		? `virtual batches of ${module.virtualBatchSize}`
		: `batch size ${batchSize}${replicas > 1 ? ` over ${replicas} replicas` : ""}`;
	return {
		layer: name,
		kind: "small-batch",
		evidence: `${from}: its statistics are of ${size} examples, and below ${SMALL_BATCH} they are too noisy`,
		remedy: virtual
			? `a virtualBatchSize of at least ${SMALL_BATCH}`
			: `${replicas > 1 ? "synchronized batch norm (convertSyncBatchNorm), " : ""}a larger batch, group norm or batch renormalization; when fine-tuning, freeze the norm`,
		severity: "warning",
	};
}

/** What a norm subtracts with the mean: a constant a channel. */
function cancelsBias(module: Module): boolean {
	if (isPlainBatchNorm(module)) return !module.frozen;
	return isOneOf(module, [InstanceNorm1d, InstanceNorm2d, InstanceNorm3d]);
}

function biasBeforeNorm({ name, module, input }: PlacedLayer): Finding | null {
	if (!input || !cancelsBias(module)) return null;
	const before = input.module;
	if (!(before instanceof Linear || before instanceof Conv1d || before instanceof Conv2d || isTransposed(before))) {
		return null;
	}
	if (!before.bias) return null;
	return {
		layer: input.name,
		kind: "bias-before-norm",
		evidence: `its bias of ${before.bias.size} values is taken out with the mean by ${module.constructor.name} "${name}"`,
		remedy: "build it with bias: false; the norm's own shift does the same",
		severity: "info",
	};
}

function isTransposed(module: Module): module is ConvTranspose2d {
	return module instanceof ConvTranspose2d;
}

function dropoutBefore({ name }: PlacedLayer, dropper: PlacedLayer): Finding {
	const { p } = dropper.module as Dropout;
	return {
		layer: name,
		kind: "dropout-before-norm",
		evidence:
			`Dropout "${dropper.name}" (p ${p}) runs before it: in training it raises the variance that the running ` +
			"statistics learn, in evaluation it does not",
		remedy: "move dropout behind the last batch norm, or leave it out",
		severity: "warning",
	};
}

/** Layers that keep a channel's values in place: a dropout behind them still acts on the norm's output. */
const passThrough = new Set(["ReLU", "LeakyReLU", "Sigmoid", "Tanh", "GELU", "SiLU", "Identity"]);

function normBeforeDropout({ name, module, input }: PlacedLayer): Finding | null {
	if (!(module instanceof Dropout) || module.p === 0) return null;
	let before = input;
	while (before && passThrough.has(before.module.constructor.name)) before = before.input;
	if (!before || !isPlainBatchNorm(before.module)) return null;
	return {
		layer: before.name,
		kind: "norm-before-dropout",
		evidence: `Dropout "${name}" (p ${module.p}) drops what it has normalized: both add noise, and each weakens the other`,
		remedy: "train without dropout first, or with a smaller p; keep it only if the validation loss says so",
		severity: "info",
	};
}

function decayedNorm({ name, module }: PlacedLayer, { optimizer }: InspectContext): Finding | null {
	if (!optimizer || !isNorm(module)) return null;
	const own = [...module.namedParameters()];
	for (const group of optimizer.paramGroups) {
		const { params = [], weightDecay = 0 }: { params?: readonly Tensor[]; weightDecay?: number } = group;
		const decayed = own.filter(([, parameter]) => params.includes(parameter)).map(([, { name: full }]) => full);
		if (weightDecay === 0 || decayed.length === 0) continue;
		return {
			layer: name,
			kind: "decayed-norm",
			evidence: `weight decay ${weightDecay} acts on ${decayed.map((full) => full.slice(full.lastIndexOf(".") + 1)).join(", ")}`,
			remedy: "optim.noWeightDecayOnNorms(net, { weightDecay }) leaves scales and shifts out",
			severity: "warning",
		};
	}
	return null;
}

/** Whether running statistics move although no parameter of the norm trains. */
export function movesWhileFrozen(module: Module): boolean {
	if (!isBatchNorm(module) || module.frozen || !module.trackRunningStats || !module.training) return false;
	const parameters = module.parameters();
	return parameters.length > 0 && parameters.every((parameter) => !parameter.requiresGrad);
}
