// Losses between predictions and targets of one shape: squared error, and binary cross-entropy.

import { check } from "../../errors.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, checkFloat, empty, kernelsFor, type Op } from "../op.ts";
import { incoming, reduced } from "./classes.ts";
import { kernels, type PositiveWeight } from "./kernels.ts";
import { checkReduction, type Reduction, scaleFor } from "./rows.ts";

export interface MseLossOptions {
	/** `"mean"` (default) over all elements, `"sum"`, or `"none"`: one loss an element. */
	reduction?: Reduction;
}

export interface BceWithLogitsOptions extends MseLossOptions {
	/**
	 * The weight of positive targets against negative ones: a number, or a tensor `[C]` with one for
	 * each index along the last axis. Default 1.
	 */
	posWeight?: PositiveWeight;
}

interface PairAttrs {
	readonly reduction: Reduction;
	readonly scale: number;
}

interface BceAttrs extends PairAttrs {
	/** The weight where it is one number; a tensor comes as the third input. */
	readonly weight: number;
}

const mseOp: Op<PairAttrs> = {
	name: "mseLoss",
	forward([x, target], { reduction, scale }, ctx) {
		const each = reduction === "none" ? empty(x.shape, x.backend, "float", "mseLoss") : null;
		const sum = kernelsFor(kernels, x).mse(x, target, each);
		ctx.save(x, target);
		return reduced(x, each, sum, scale, "mseLoss");
	},
	backward(dy, { attrs, saved: [x, target], needsGrad }) {
		const arriving = incoming(dy, attrs.reduction, attrs.scale);
		return ([1, -1] as const).map((sign, i) => {
			if (!needsGrad[i]) return null;
			const d = empty(x.shape, x.backend, "float", "gradient of mseLoss");
			kernelsFor(kernels, x).mseBackward(x, target, sign, arriving, d);
			return d;
		});
	},
};

const bceOp: Op<BceAttrs> = {
	name: "bceWithLogits",
	forward(inputs, { reduction, scale, weight }, ctx) {
		const [x, target, weights] = inputs;
		const each = reduction === "none" ? empty(x.shape, x.backend, "float", "bceWithLogits") : null;
		const sum = kernelsFor(kernels, x).bce(x, target, weights ?? weight, each);
		ctx.save(...inputs);
		return reduced(x, each, sum, scale, "bceWithLogits");
	},
	backward(dy, { attrs, saved: [x, target, weights], needsGrad }) {
		const dx = empty(x.shape, x.backend, "float", "gradient of bceWithLogits");
		const arriving = incoming(dy, attrs.reduction, attrs.scale);
		kernelsFor(kernels, x).bceBackward(x, target, weights ?? attrs.weight, arriving, dx);
		return needsGrad.map((_, i) => (i === 0 ? dx : null));
	},
};

/**
 * Mean squared error (PyTorch's `mse_loss`): `loss = (x - target)^2`, dx = 2 (x - target). Gives a
 * gradient to `target` too where that requires one. The sum is taken in float64.
 *
 * @param x predictions, any shape
 * @param target of the same shape; nothing is broadcast, since that is mostly a mistake here
 * @returns a scalar, or with `reduction: "none"` a tensor of x's shape
 */
export function mseLoss(x: Tensor, target: Tensor, options: MseLossOptions = {}): Tensor {
	const { reduction = "mean" } = options;
	checkPair("mseLoss", x, target, reduction);
	return apply(mseOp, [x, target], { reduction, scale: scaleFor(reduction, x.size) });
}

/**
 * Binary cross-entropy on logits (PyTorch's `binary_cross_entropy_with_logits`), stable for logits
 * of any size:
 *
 *     loss = (1 - t) softplus(x) + w t softplus(-x),  softplus(x) = max(x, 0) + ln(1 + e^-|x|)
 *     dx   = (1 - t) sigmoid(x) - w t sigmoid(-x)
 *
 * @param x logits, any shape
 * @param target probabilities in [0, 1] of the same shape, as floating numbers
 * @returns a scalar, or with `reduction: "none"` a tensor of x's shape
 * @throws EvenkeelError if shapes differ, or target or posWeight require a gradient
 */
export function bceWithLogits(x: Tensor, target: Tensor, options: BceWithLogitsOptions = {}): Tensor {
	const { reduction = "mean", posWeight = 1 } = options;
	checkPair("bceWithLogits", x, target, reduction);
	checkConstant("target", target);
	const attrs = { reduction, scale: scaleFor(reduction, x.size) };
	if (typeof posWeight === "number") {
		check(
			posWeight >= 0 && posWeight < Infinity,
			() => `bceWithLogits: posWeight must be at least 0, got ${posWeight}`,
		);
		return apply(bceOp, [x, target], { ...attrs, weight: posWeight });
	}
	checkFloat("bceWithLogits", posWeight);
	checkConstant("posWeight", posWeight);
	check(
		posWeight.ndim === 1 && posWeight.size === x.shape.at(-1) && posWeight.size > 0,
		() =>
			`bceWithLogits: posWeight must have one value for each index along the last axis of ${formatShape(x.shape)}, ` +
			`got shape ${formatShape(posWeight.shape)}`,
	);
	return apply(bceOp, [x, target, posWeight], { ...attrs, weight: 1 });
}

function checkPair(op: string, x: Tensor, target: Tensor, reduction: string): asserts reduction is Reduction {
	checkReduction(op, reduction);
	checkFloat(op, x, target);
	check(
		sameShape(x.shape, target.shape),
		() =>
			`${op}: predictions and targets must have one shape, got ${formatShape(x.shape)} and ` +
			`${formatShape(target.shape)}; reshape one of them`,
	);
}

function checkConstant(what: string, tensor: Tensor): void {
	check(
		!tensor.requiresGrad,
		() => `bceWithLogits: ${what} requires a gradient, which this loss does not give; pass ${what}.detach()`,
	);
}
