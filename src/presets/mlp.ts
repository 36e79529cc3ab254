// Two fully connected networks: 784-512-256-10 with batch normalization before each ReLU, and a small one as Keras
// users write it, with batch normalization after the ReLU and Keras's defaults throughout.

import { Sequential } from "../nn/containers.ts";
import { xavierUniform, zeros } from "../nn/init.ts";
import { ReLU } from "../nn/layers/activation.ts";
import { Linear } from "../nn/layers/linear.ts";
import { Flatten } from "../nn/layers/shape.ts";
import { Adam } from "../optim/index.ts";
import { normOf } from "./norms.ts";
import type { Preset } from "./preset.ts";

export const mlpBn: Preset = {
	name: "mlp-bn",
	description: "784-512-256-10 with batch normalization before each ReLU; Adam",
	inputShape: [1, 28, 28],
	classes: 10,
	norm: "batch",
	batchSize: 256,
	epochs: 10,
	lr: 1e-3,
	build(choice) {
		const { features } = normOf(choice);
		return new Sequential(
			new Flatten(),
			new Linear(784, 512),
			...features(512),
			new ReLU(),
			new Linear(512, 256),
			...features(256),
			new ReLU(),
			new Linear(256, 10),
		);
	},
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
	build(choice) {
		// Keras's BatchNormalization: epsilon 1e-3, moving averages that keep 0.99 of the old, biased variance.
		const keras = { eps: 1e-3, decay: 0.99, runningVariance: "biased" } as const;
		return new Sequential(
			new Flatten(),
			dense(784, 128),
			new ReLU(),
			...normOf(choice).features(128, keras),
			dense(128, 10),
		);
	},
	// Keras's Adam: epsilon 1e-7.
	optimizer: (net, lr) => new Adam(net.namedParameters(), { lr, eps: 1e-7 }),
};
