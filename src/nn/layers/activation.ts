// Activations as layers. Formulas and sources stand with the ops.

import { gelu, leakyRelu, logSoftmax, relu, sigmoid, silu, softmax, tanh } from "../../ops/activation/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";

/** max(x, 0) */
export class ReLU extends Module {
	override forward(x: Tensor): Tensor {
		return relu(x);
	}
}

/** x where x > 0, else negativeSlope * x. Default slope 0.01 (PyTorch). */
export class LeakyReLU extends Module {
	readonly negativeSlope: number;

	constructor(negativeSlope = 0.01) {
		super();
		this.negativeSlope = negativeSlope;
	}

	override forward(x: Tensor): Tensor {
		return leakyRelu(x, this.negativeSlope);
	}
}

/** 1 / (1 + e^-x) */
export class Sigmoid extends Module {
	override forward(x: Tensor): Tensor {
		return sigmoid(x);
	}
}

/** tanh x */
export class Tanh extends Module {
	override forward(x: Tensor): Tensor {
		return tanh(x);
	}
}

/** x Φ(x), exactly or by the tanh approximation (Hendrycks and Gimpel 2016). */
export class GELU extends Module {
	readonly approximate: "none" | "tanh";

	constructor({ approximate = "none" }: { approximate?: "none" | "tanh" } = {}) {
		super();
		this.approximate = approximate;
	}

	override forward(x: Tensor): Tensor {
		return gelu(x, { approximate: this.approximate });
	}
}

/** x sigmoid(x), also known as swish. */
export class SiLU extends Module {
	override forward(x: Tensor): Tensor {
		return silu(x);
	}
}

/** e^x / sum e^x along `axis`. Default: the last. For training use `crossEntropy`, which takes logits. */
export class Softmax extends Module {
	readonly axis: number;

	constructor({ axis = -1 }: { axis?: number } = {}) {
		super();
		this.axis = axis;
	}

	override forward(x: Tensor): Tensor {
		return softmax(x, this.axis);
	}
}

/** log softmax along `axis`. Default: the last. */
export class LogSoftmax extends Module {
	readonly axis: number;

	constructor({ axis = -1 }: { axis?: number } = {}) {
		super();
		this.axis = axis;
	}

	override forward(x: Tensor): Tensor {
		return logSoftmax(x, this.axis);
	}
}
