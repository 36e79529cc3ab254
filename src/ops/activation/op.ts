// Activations. Forward and backward are one pass each; where the output is enough for the
// derivative, the output is what is saved, and x can be freed.

import { check } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Pointwise, pointwiseOps } from "../elementwise/pointwise.ts";
import { apply } from "../op.ts";
import { normal } from "./normal.ts";

export { logSoftmax, softmax } from "./softmax.ts";

const SQRT_2_PI = Math.sqrt(2 / Math.PI);

function logistic(x: number): number {
	// Neither branch raises e to a large power.
	if (x >= 0) return 1 / (1 + Math.exp(-x));
	const e = Math.exp(x);
	return e / (1 + e);
}

const geluExact: Pointwise = {
	saves: "x",
	forward: (x) => x * normal(x),
	backward: (dy, x) => dy * (normal(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI)),
};

const geluTanh: Pointwise = {
	saves: "x",
	forward: (x) => 0.5 * x * (1 + Math.tanh(SQRT_2_PI * (x + 0.044715 * x ** 3))),
	backward(dy, x) {
		const t = Math.tanh(SQRT_2_PI * (x + 0.044715 * x ** 3));
		return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SQRT_2_PI * (1 + 3 * 0.044715 * x * x));
	},
};

const swish: Pointwise = {
	saves: "x",
	forward: (x) => x * logistic(x),
	backward(dy, x) {
		const s = logistic(x);
		return dy * s * (1 + x * (1 - s));
	},
};

const ops = pointwiseOps("activation", {
	relu: { saves: "y", forward: (x) => (x < 0 ? 0 : x), backward: (dy, y) => (y > 0 ? dy : 0) },
	leakyRelu: {
		saves: "y",
		forward: (x, slope) => (x > 0 ? x : slope * x),
		backward: (dy, y, slope) => (y > 0 ? dy : slope * dy),
	},
	sigmoid: { saves: "y", forward: logistic, backward: (dy, y) => dy * y * (1 - y) },
	tanh: { saves: "y", forward: Math.tanh, backward: (dy, y) => dy * (1 - y) * (1 + y) },
	gelu: geluExact,
	geluTanh,
	silu: swish,
});

const NONE = { p: 0, q: 0 };

/** max(x, 0), elementwise. NaN stays NaN; the gradient at 0 is 0. */
export function relu(x: Tensor): Tensor {
	return apply(ops.relu, [x], NONE);
}

/**
 * x where x > 0, `negativeSlope` x elsewhere (default 0.01).
 *
 * @throws EvenkeelError if `negativeSlope` is below 0 or not a number
 */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
	check(negativeSlope >= 0, () => `leakyRelu: negativeSlope must be a number of at least 0, got ${negativeSlope}`);
	return apply(ops.leakyRelu, [x], { p: negativeSlope, q: 0 });
}

/** 1 / (1 + e^-x), elementwise, to a few ulp from -88 up; 6e-39 below. */
export function sigmoid(x: Tensor): Tensor {
	return apply(ops.sigmoid, [x], NONE);
}

/** The hyperbolic tangent, elementwise; to a few ulp, around 0 too. */
export function tanh(x: Tensor): Tensor {
	return apply(ops.tanh, [x], NONE);
}

export interface GeluOptions {
	/** `"none"` (default): by the error function. `"tanh"`: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
	approximate?: "none" | "tanh";
}

/**
 * x Phi(x), elementwise, Phi being the normal distribution function (Hendrycks, Gimpel 2016).
 *
 * @throws EvenkeelError if `approximate` is neither "none" nor "tanh"
 */
export function gelu(x: Tensor, { approximate = "none" }: GeluOptions = {}): Tensor {
	check(
		approximate === "none" || approximate === "tanh",
		() => `gelu: approximate must be "none" or "tanh", got "${approximate}"`,
	);
	return apply(approximate === "tanh" ? ops.geluTanh : ops.gelu, [x], NONE);
}

/** x / (1 + e^-x), elementwise; also called swish. */
export function silu(x: Tensor): Tensor {
	return apply(ops.silu, [x], NONE);
}
