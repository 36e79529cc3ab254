// Which of Keras's layers is which of ours, and how its variables become a layer's state: kernels end with the output
// channels there and begin with them here.

import { check, EvenkeelError } from "../../errors.ts";
import type { KerasLayer } from "../../model-files/keras/weights.ts";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../../nn/layers/batch-norm.ts";
import { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d } from "../../nn/layers/conv.ts";
import { GroupNorm } from "../../nn/layers/group-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import { Linear } from "../../nn/layers/linear.ts";
import type { StateEntry } from "../../nn/load-state.ts";
import type { Module } from "../../nn/module.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import { checkBatchNorm, checkConv, checkGroupNorm, checkLayerNorm } from "./check-options.ts";
import type { ObservedLayer } from "./feature-order.ts";
import { gathered, type NamedVariables, permuted, type Source, vectorOf } from "./values.ts";

/** Keras's layer and ours, and what is known of where ours stands. */
export interface Pair {
	readonly keras: KerasLayer;
	readonly module: Module;
	/** What a run of the network shows, where there was one. */
	readonly observed: ObservedLayer | null;
}

/** One kind of layer on both sides. */
export interface Kind {
	/** Keras's classes, in snake case. */
	readonly classes: readonly string[];
	readonly holds: (module: Module) => boolean;
	/** Checks the options, and returns the module's state by its own names. */
	readonly convert: (pair: Pair, variables: NamedVariables) => Record<string, StateEntry>;
}

const isConv = (module: Module): module is Conv1d | Conv2d => module instanceof Conv1d || module instanceof Conv2d;
const isTransposed = (module: Module): module is ConvTranspose1d | ConvTranspose2d =>
	module instanceof ConvTranspose1d || module instanceof ConvTranspose2d;
const isBatchNorm = (module: Module): module is BatchNorm1d | BatchNorm2d | BatchNorm3d =>
	module instanceof BatchNorm1d || module instanceof BatchNorm2d || module instanceof BatchNorm3d;

/** Every kind that both sides have. */
export const kinds: readonly Kind[] = [
	{ classes: ["dense"], holds: (module) => module instanceof Linear, convert: convertDense },
	{
		classes: ["conv1d", "conv2d", "depthwise_conv1d", "depthwise_conv2d"],
		holds: isConv,
		convert: convertConv,
	},
	{ classes: ["conv1d_transpose", "conv2d_transpose"], holds: isTransposed, convert: convertTransposed },
	{ classes: ["batch_normalization"], holds: isBatchNorm, convert: convertBatchNorm },
	{ classes: ["layer_normalization"], holds: (module) => module instanceof LayerNorm, convert: convertLayerNorm },
	{ classes: ["group_normalization"], holds: (module) => module instanceof GroupNorm, convert: convertGroupNorm },
];

/** A dense kernel is [in, out], a linear weight [out, in]. */
function convertDense({ module, observed }: Pair, { kernel, bias }: NamedVariables): Record<string, StateEntry> {
	checkShapes(kernel, [1, 0], module);
	const transposed = permuted(kernel, [1, 0]);
	const order = observed?.order ?? null;
	return { weight: order ? gathered(transposed, order) : transposed, ...biasOf(bias) };
}

/** A kernel [k…, in, out] is a weight [out, in, k…]; a depthwise one [k…, in, times] is [in * times, 1, k…]. */
function convertConv(pair: Pair, { kernel, bias }: NamedVariables): Record<string, StateEntry> {
	const { keras, module } = pair;
	if (!isConv(module)) return {};
	const axes = kernel.shape.length - 2;
	const places = Array.from({ length: axes }, (_, axis) => axis);
	const isDepthwise = keras.className.toLowerCase().startsWith("depthwise");
	const source = isDepthwise ? depthwise(kernel) : kernel;
	checkShapes(source, [axes + 1, axes, ...places], module);
	checkConv(pair, module, isDepthwise ? kernel.shape[axes] : null);
	return { weight: permuted(source, [axes + 1, axes, ...places]), ...biasOf(bias) };
}

/** [k…, in, times] as [k…, 1, in * times]: the same numbers in the same order. */
function depthwise(kernel: Source): Source {
	const places = kernel.shape.slice(0, -2);
	const [channels, times] = kernel.shape.slice(-2);
	return { ...kernel, shape: [...places, 1, channels * times] };
}

/** A transposed kernel is [k…, out, in], the weight [in, out, k…]. */
function convertTransposed(pair: Pair, { kernel, bias }: NamedVariables): Record<string, StateEntry> {
	const { module } = pair;
	if (!isTransposed(module)) return {};
	const axes = kernel.shape.length - 2;
	const order = [axes + 1, axes, ...Array.from({ length: axes }, (_, axis) => axis)];
	checkShapes(kernel, order, module);
	checkConv(pair, module, null);
	return { weight: permuted(kernel, order), ...biasOf(bias) };
}

function convertBatchNorm(pair: Pair, variables: NamedVariables): Record<string, StateEntry> {
	const { module, observed } = pair;
	if (!isBatchNorm(module)) return {};
	checkBatchNorm(pair, module);
	const order = observed?.order ?? null;
	const vector = (source: Source): StateEntry => {
		checkShapes(source, [0], module, [module.numFeatures]);
		return order ? gathered(source, order) : source;
	};
	return {
		...scaleAndShift(pair, variables, module, vector),
		running_mean: vector(variables.moving_mean),
		running_var: vector(variables.moving_variance),
	};
}

function convertLayerNorm(pair: Pair, variables: NamedVariables): Record<string, StateEntry> {
	const { module, observed, keras } = pair;
	if (!(module instanceof LayerNorm)) return {};
	checkLayerNorm(pair, module);
	check(
		module.normalizedShape.length === 1,
		() =>
			`${module.label}: only layer norms over one axis can be loaded from Keras, and that of "${keras.name}" is over several`,
	);
	const order = observed?.order ?? null;
	return scaleAndShift(pair, variables, module, (source) => {
		checkShapes(source, [0], module);
		return order ? gathered(source, order) : source;
	});
}

function convertGroupNorm(pair: Pair, variables: NamedVariables): Record<string, StateEntry> {
	const { module, observed, keras } = pair;
	if (!(module instanceof GroupNorm)) return {};
	checkGroupNorm(pair, module);
	check(
		!observed?.order,
		() =>
			`${module.label}: it reads flattened images, whose features fall into other groups than in Keras's ${keras.name}; there is no such layer here`,
	);
	return scaleAndShift(pair, variables, module, (source) => {
		checkShapes(source, [0], module);
		return source;
	});
}

function biasOf(bias: Source | undefined): Record<string, StateEntry> {
	return bias ? { bias } : {};
}

/** gamma and beta. Where Keras has none and the layer here does, it is given what leaves values as they are: 1 and 0. */
function scaleAndShift(
	{ keras }: Pair,
	{ gamma, beta }: NamedVariables,
	module: { readonly label: string; readonly weight: { shape: readonly number[] } | null; readonly bias: unknown },
	convert: (source: Source) => StateEntry,
): Record<string, StateEntry> {
	const { label, weight, bias } = module;
	for (const [name, given, own, option] of [
		["gamma", gamma, weight, "affine: true"],
		["beta", beta, bias, "bias: true"],
	] as const) {
		check(
			given === undefined || own,
			() => `${label}: Keras's ${keras.name} has a ${name} and this layer has none; build it with ${option}`,
		);
	}
	return {
		...(weight ? { weight: gamma ? convert(gamma) : vectorOf(weight.shape, 1) } : {}),
		...(bias && weight ? { bias: beta ? convert(beta) : vectorOf(weight.shape, 0) } : {}),
	};
}

/** Checks the shape that `source` will have, its axes in this order. */
function checkShapes(source: Source, order: readonly number[], module: Module, expected?: readonly number[]): void {
	const wanted = expected ?? shapeOfWeight(module);
	const found = order.map((axis) => source.shape[axis]);
	if (sameShape(found, wanted)) return;
	throw new EvenkeelError(
		`${module.label}: its weight is ${formatShape(wanted)}, and ${source.what} of ${formatShape(source.shape)} would be ` +
			`${formatShape(found)}; is this the network that the file is of?`,
	);
}

function shapeOfWeight(module: Module): readonly number[] {
	const weight: unknown = Reflect.get(module, "weight");
	return typeof weight === "object" && weight !== null && "shape" in weight && Array.isArray(weight.shape)
		? weight.shape
		: [];
}
