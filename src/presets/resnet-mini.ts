// A small residual network (He et al. 2015, https://arxiv.org/abs/1512.03385) for 28 x 28 images: a 3 x 3
// convolution, three stages of one block at 16, 32 and 64 channels, global average pooling, one linear layer.

import { Sequential } from "../nn/containers.ts";
import { heNormal } from "../nn/init.ts";
import { ReLU } from "../nn/layers/activation.ts";
import { Conv2d } from "../nn/layers/conv.ts";
import { Linear } from "../nn/layers/linear.ts";
import { AdaptiveAvgPool2d } from "../nn/layers/pool.ts";
import { Flatten } from "../nn/layers/shape.ts";
import { Module } from "../nn/module.ts";
import { add } from "../ops/elementwise/op.ts";
import { noWeightDecayOnNorms, oneCycleLR, SGD } from "../optim/index.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Norm, normOf } from "./norms.ts";
import type { Preset } from "./preset.ts";

/** A convolution without bias (the norm has one) and He's initialization; with bias where no norm follows. */
function convolution(from: number, to: number, kernel: number, stride: number, norm: Norm): Module[] {
	const normLayers = norm.channels(to);
	const conv = new Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, bias: normLayers.length === 0 });
	heNormal(conv.weight, { mode: "fanOut" });
	return [conv, ...normLayers];
}

/** y = relu(f(x) + x), f being two 3 x 3 convolutions; x passes a 1 x 1 convolution where its shape must change. */
class ResidualBlock extends Module {
	body: Sequential;
	shortcut: Sequential | null;
	relu = new ReLU();

	constructor(from: number, to: number, stride: number, norm: Norm) {
		super();
		this.body = new Sequential(
			...convolution(from, to, 3, stride, norm),
			new ReLU(),
			...convolution(to, to, 3, 1, norm),
		);
		this.shortcut = from === to && stride === 1 ? null : new Sequential(...convolution(from, to, 1, stride, norm));
	}

	override forward(x: Tensor): Tensor {
		return this.relu.forward(add(this.body.forward(x), this.shortcut?.forward(x) ?? x));
	}
}

export const resnetMini: Preset = {
	name: "resnet-mini",
	description: "a residual network of 3 stages, 16, 32 and 64 channels; SGD with momentum, one-cycle schedule",
	inputShape: [1, 28, 28],
	classes: 10,
	norm: "batch",
	batchSize: 128,
	epochs: 10,
	lr: 0.1,
	transform: { mean: 0.28604, std: 0.35302 },
	varies: ["momentum", "decay"],
	build(choice) {
		const layers = normOf(choice);
		return new Sequential(
			...convolution(1, 16, 3, 1, layers),
			new ReLU(),
			new ResidualBlock(16, 16, 1, layers),
			new ResidualBlock(16, 32, 2, layers),
			new ResidualBlock(32, 64, 2, layers),
			new AdaptiveAvgPool2d(1),
			new Flatten(),
			new Linear(64, 10),
		);
	},
	optimizer: (net, lr) => new SGD(noWeightDecayOnNorms(net, { weightDecay: 5e-4 }), { lr, momentum: 0.9 }),
	schedule: (optimizer, { lr, steps }) => oneCycleLR(optimizer, { maxLr: lr, totalSteps: steps }),
};
