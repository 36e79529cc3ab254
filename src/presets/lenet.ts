// LeNet-5 (LeCun et al. 1998) with sigmoids and average pooling, with and without batch normalization: the
// experiment of Dive into Deep Learning, section 8.5, https://d2l.ai/chapter_convolutional-modern/batch-norm.html.

import { Sequential } from "../nn/containers.ts";
import { Conv2d } from "../nn/layers/conv.ts";
import { Linear } from "../nn/layers/linear.ts";
import { AvgPool2d } from "../nn/layers/pool.ts";
import { Flatten } from "../nn/layers/shape.ts";
import { SGD } from "../optim/index.ts";
import { afterWeights, type NetworkChoice } from "./network-choice.ts";
import { normOf } from "./norms.ts";
import type { Preset } from "./preset.ts";

/** LeNet for 28 x 28 images: two convolutions and three linear layers, the norm before each sigmoid. */
export function buildLenet(choice: NetworkChoice): Sequential {
	const norm = normOf(choice);
	const channels = (count: number) => afterWeights(norm.channels(count), choice, { activation: "sigmoid" });
	const features = (count: number) =>
		afterWeights(norm.features(count), choice, { activation: "sigmoid", drops: true });
	return new Sequential(
		new Conv2d(1, 6, 5),
		...channels(6),
		new AvgPool2d(2),
		new Conv2d(6, 16, 5),
		...channels(16),
		new AvgPool2d(2),
		new Flatten(),
		new Linear(256, 120),
		...features(120),
		new Linear(120, 84),
		...features(84),
		new Linear(84, 10),
	);
}

const shared = {
	inputShape: [1, 28, 28],
	classes: 10,
	batchSize: 256,
	epochs: 10,
	lr: 1,
	varies: ["place", "activation", "dropout", "momentum", "decay"],
	build: buildLenet,
	optimizer: (net, lr) => new SGD(net.namedParameters(), { lr }),
} as const satisfies Partial<Preset>;

export const lenetBn: Preset = {
	...shared,
	name: "lenet-bn",
	description: "LeNet with batch normalization before each sigmoid; SGD, learning rate 1.0",
	norm: "batch",
};

export const lenet: Preset = {
	...shared,
	name: "lenet",
	description: "the same without batch normalization: it stays at chance for several epochs",
	norm: "none",
};
