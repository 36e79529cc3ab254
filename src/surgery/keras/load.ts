// Keras's weights in our networks.

import { check, EvenkeelError } from "../../errors.ts";
import type { KerasLayer, KerasVariable, KerasWeights } from "../../model-files/keras/weights.ts";
import { Linear } from "../../nn/layers/linear.ts";
import { Flatten } from "../../nn/layers/shape.ts";
import type { StateDict, StateEntry } from "../../nn/load-state.ts";
import type { Module } from "../../nn/module.ts";
import { scope } from "../../tensor/scope.ts";
import type { Shape } from "../../tensor/shape.ts";
import { type ObservedLayer, observeLayers } from "./feature-order.ts";
import { pairLayers } from "./pair-layers.ts";
import { type NamedVariables, type Source, sourceOf } from "./values.ts";

export interface KerasOptions {
	/**
	 * The shape of one example here, `[1, 28, 28]`. The network is run once on zeros to see in which order its layers
	 * run, and what it flattens. Needed where it has a Flatten, or is no Sequential.
	 */
	inputShape?: Shape;
	/** The paths of the network's layers by Keras's names, where their order does not tell: `{ dense_1: "head.fc" }`. */
	layers?: Readonly<Record<string, string>>;
	/**
	 * The order in which images became vectors before the first dense layer. Default: Keras's, whose Flatten has the
	 * channels last; `"channels-first"` if the model was made for, and flattens, images [C, H, W].
	 */
	flatten?: "channels-last" | "channels-first";
}

/** Which of Keras's layers became which of ours. */
export interface KerasPairing {
	/** Keras's name, `"dense_1"`. */
	keras: string;
	/** The path in the network, `"3"`. */
	layer: string;
}

/**
 * The state dict of `net` with the values of `weights`: kernels with their axes in order, gamma, beta and the moving
 * statistics of batch normalization under their names here. What Keras was made without (`scale=False`,
 * `center=False`, `use_bias=False`) becomes 1 or 0 where the network has it. Values are read, one tensor after the other,
 * when the state dict is loaded, so the file must stay open until then.
 *
 * @throws EvenkeelError if the network is not the file's: another layer, shape, stride, padding, epsilon; or if which
 *   layer or variable is which cannot be known, saying what would tell
 */
export function kerasToStateDict(
	net: Module,
	weights: KerasWeights,
	options: KerasOptions = {},
): { state: StateDict; pairs: KerasPairing[] } {
	return scope(() => convert(net, weights, options));
}

function convert(
	net: Module,
	weights: KerasWeights,
	options: KerasOptions,
): { state: Record<string, StateEntry>; pairs: KerasPairing[] } {
	const observed = options.inputShape ? observeLayers(net, options.inputShape) : null;
	check(
		observed || !mixesFeatures(net),
		() =>
			`${weights.file}: the network flattens images, which Keras does in another order; give { inputShape: [C, H, W] }`,
	);
	const order = flattenOrder(weights, options, observed);
	const inOrder = observed?.map((layer) => (order === "channels-first" ? { ...layer, order: null } : layer)) ?? null;
	const state: Record<string, StateEntry> = {};
	const pairs: KerasPairing[] = [];
	for (const { kind, ...pair } of pairLayers(net, weights, inOrder, options.layers)) {
		const { keras, module } = pair;
		const converted = kind.convert(pair, variablesOf(keras, module, weights.file));
		const path = pathOf(net, module);
		for (const [name, entry] of Object.entries(completed(converted, module)))
			state[path === "" ? name : `${path}.${name}`] = entry;
		pairs.push({ keras: keras.name, layer: path });
	}
	return { state, pairs };
}

/**
 * Loads what Keras wrote into `net`, strictly. See {@link kerasToStateDict}.
 *
 *     using weights = readKerasWeights("model.keras");
 *     loadKerasWeights(net, weights, { inputShape: [1, 28, 28] });
 *
 * @returns which layer became which
 */
export function loadKerasWeights(net: Module, weights: KerasWeights, options: KerasOptions = {}): KerasPairing[] {
	const { state, pairs } = kerasToStateDict(net, weights, options);
	try {
		net.loadStateDict(state);
	} catch (error) {
		if (!(error instanceof EvenkeelError)) throw error;
		throw new EvenkeelError(`${weights.file}: ${error.message}`);
	}
	return pairs;
}

/** Whether a layer could read features that were flattened. */
function mixesFeatures(net: Module): boolean {
	const modules = net.modules();
	return modules.some((module) => module instanceof Flatten) && modules.some((module) => module instanceof Linear);
}

function flattenOrder(
	{ config, file }: KerasWeights,
	{ flatten }: KerasOptions,
	observed: readonly ObservedLayer[] | null,
): "channels-last" | "channels-first" {
	if (flatten !== undefined || !config) return flatten ?? "channels-last";
	const flattens = config.layers.filter(({ className }) => className === "Flatten");
	const ownInput = observed?.find((layer) => layer.flattensInput && layer.order);
	check(
		flattens.length > 0 || !ownInput,
		() =>
			`${file}: the network flattens its input and the Keras model takes it flat, in an order that the file does not say; ` +
			'give { flatten: "channels-last" } if it was [H, W, C], else "channels-first"',
	);
	const unknown = config.layers.find(({ className }) => className === "Permute" || className === "Reshape");
	check(
		!unknown || !observed?.some((layer) => layer.order),
		() =>
			`${file}: ${unknown?.className} "${unknown?.name}" changes the order of features before they are flattened; ` +
			'say how they end up: { flatten: "channels-last" } or "channels-first"',
	);
	// Flatten turns what it takes for channels first around; told nothing, it flattens what is there.
	const images = config.layers.filter(({ className }) => /Conv|Pool/.test(className));
	const first = images.length > 0 && images.every(({ options }) => options.data_format === "channels_first");
	const turned = flattens.some(({ options }) => options.data_format === "channels_first");
	return first && !turned ? "channels-first" : "channels-last";
}

function pathOf(net: Module, wanted: Module): string {
	for (const [path, module] of net.namedModules()) if (module === wanted) return path;
	return "";
}

/** What Keras has nothing for: biases that it was made without, and the count of batches, of which it keeps none. */
function completed(converted: Record<string, StateEntry>, module: Module): Record<string, StateEntry> {
	const missing = Object.entries(module.stateDict()).filter(([name]) => !(name in converted));
	const zeros = missing.map(([name, { shape, size }]): [string, StateEntry] => [
		name,
		{ shape, numbers: () => new Float32Array(size) },
	]);
	return {
		...converted,
		...Object.fromEntries(zeros.filter(([name]) => name === "bias" || name === "num_batches_tracked")),
	};
}

const missing: Source = { what: "a missing variable", shape: [], numbers: () => [] };

/** The layer's variables by name. Numbers alone leave gamma and beta open where one of them is absent. */
function variablesOf(keras: KerasLayer, module: Module, file: string): NamedVariables {
	const names = keras.variables.map(({ name }) => name ?? "");
	const resolved = names.includes("") ? resolve(keras, module, file) : names;
	const found = new Map(
		keras.variables.map((variable, i) => [knownName(resolved[i], keras, file), source(variable, resolved[i])]),
	);
	check(
		found.size === keras.variables.length,
		() => `${file}: layer "${keras.name}" has a variable twice: ${resolved.join(", ")}; the file is damaged`,
	);
	const needed = found.has("kernel") ? [] : toNeeded(keras);
	for (const name of needed) {
		check(
			found.has(name),
			() => `${file}: layer "${keras.name}" has no ${name}, only ${resolved.join(", ")}; the file is damaged`,
		);
	}
	return {
		kernel: found.get("kernel") ?? missing,
		bias: found.get("bias"),
		gamma: found.get("gamma"),
		beta: found.get("beta"),
		moving_mean: found.get("moving_mean") ?? missing,
		moving_variance: found.get("moving_variance") ?? missing,
	};
}

const known = ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"];

function knownName(name: string, keras: KerasLayer, file: string): string {
	// tf.keras calls a depthwise kernel so.
	const own = name === "depthwise_kernel" ? "kernel" : name;
	check(
		known.includes(own),
		() => `${file}: layer "${keras.name}" has a variable "${name}", for which there is nothing here`,
	);
	return own;
}

function toNeeded({ className }: KerasLayer): string[] {
	if (/^batch_?normalization$/i.test(className)) return ["moving_mean", "moving_variance"];
	return /normalization$/i.test(className) ? [] : ["kernel"];
}

function source(variable: KerasVariable, name: string): Source {
	return sourceOf(variable, name);
}

/** Three variables of a batch normalization, or one of another, and no configuration: what the layer here has tells. */
function resolve(keras: KerasLayer, module: Module, file: string): string[] {
	const { weight, bias } = module.stateDict();
	const count = keras.variables.length;
	const isBatch = /^batch_?normalization$/i.test(keras.className);
	const affine = count - (isBatch ? 2 : 0);
	// A layer here that has a scale and no shift can only be that one.
	check(
		affine === 1 && weight && !bias,
		() =>
			`${file}: layer "${keras.name}" has ${count} variables, and whether gamma or beta is absent cannot be told from numbers; ` +
			"give the .keras file, which has the configuration, or save it as .h5 with names" +
			(affine === 1 ? "; for a layer with gamma alone, build the one here with bias: false" : ""),
	);
	return isBatch ? ["gamma", "moving_mean", "moving_variance"] : ["gamma"];
}
