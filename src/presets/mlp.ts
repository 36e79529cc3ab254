// Two fully connected networks: 784-512-256-10 with batch normalization before each ReLU, and a small one as Keras
// users write it, with batch normalization after the ReLU and Keras's defaults throughout.

import { Sequential } from "../nn/containers.ts";
import { xavierUniform, zeros } from "../nn/init.ts";
import { Linear } from "../nn/layers/linear.ts";
import { Flatten } from "../nn/layers/shape.ts";
import type { Module } from "../nn/module.ts";
import { Adam } from "../optim/index.ts";
import { afterWeights, type NetworkChoice, type NormPlace } from "./network-choice.ts";
import { type NormOptions, normOf } from "./norms.ts";
import type { Preset } from "./preset.ts";

/** What sets one fully connected network apart from another. */
interface MlpParts {
	/** Units of the hidden layers. */
	readonly widths: readonly number[];
	readonly place: NormPlace;
	readonly norm?: NormOptions;
	readonly linear: (inFeatures: number, outFeatures: number) => Linear;
}

/** 784 inputs, hidden layers of the widths given or chosen, 10 outputs. */
function buildMlp({ widths, place, norm: options, linear }: MlpParts, choice: NetworkChoice): Sequential {
	const norm = normOf(choice);
	const { depth = widths.length } = choice;
	// A depth beyond the preset's repeats its last width.
	const hidden = Array.from({ length: depth }, (_, i) => choice.width ?? widths[Math.min(i, widths.length - 1)]);
	const layers = hidden.flatMap((width, i): Module[] => [
		linear(i === 0 ? 784 : hidden[i - 1], width),
		...afterWeights(norm.features(width, options), choice, { activation: "relu", place, drops: true }),
	]);
	return new Sequential(new Flatten(), ...layers, linear(hidden[depth - 1], 10));
}

export const mlpBn: Preset = {
	name: "mlp-bn",
	description: "784-512-256-10 with batch normalization before each ReLU; Adam",
	inputShape: [1, 28, 28],
	classes: 10,
	norm: "batch",
	batchSize: 256,
	epochs: 10,
	lr: 1e-3,
	varies: ["place", "activation", "dropout", "depth", "width", "momentum", "decay"],
	build: (choice) =>
		buildMlp({ widths: [512, 256], place: "before", linear: (from, to) => new Linear(from, to) }, choice),
	optimizer: (net, lr) => new Adam(net.namedParameters(), { lr }),
};

/** Keras's `Dense`: weights uniform after Glorot, biases zero. */
function dense(inFeatures: number, outFeatures: number): Linear {
	const layer = new Linear(inFeatures, outFeatures);
	xavierUniform(layer.weight);
	if (layer.bias) zeros(layer.bias);
	return layer;
}

export const kerasMlpBn: Preset = {
	name: "keras-mlp-bn",
	description: "Dense 128 ReLU, batch normalization after it, Dense 10, with Keras's defaults; Adam",
	inputShape: [1, 28, 28],
	classes: 10,
	norm: "batch",
	batchSize: 128,
	epochs: 10,
	lr: 1e-3,
	varies: ["place", "activation", "dropout", "depth", "width", "momentum", "decay"],
	build(choice) {
		// Keras's BatchNormalization: epsilon 1e-3, moving averages that keep 0.99 of the old, biased variance.
		const norm = { eps: 1e-3, decay: 0.99, runningVariance: "biased" } as const;
		return buildMlp({ widths: [128], place: "after", norm, linear: dense }, choice);
	},
	// Keras's Adam: epsilon 1e-7.
	optimizer: (net, lr) => new Adam(net.namedParameters(), { lr, eps: 1e-7 }),
};
