import { check } from "../../errors.ts";
import { layerNorm } from "../../ops/norm/layer-norm/op.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constant } from "../init.ts";
import { checkSize, Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

export interface LayerNormLayerOptions {
	/** Added to the variance. Default 1e-5 (PyTorch; Flax has 1e-6, Keras 1e-3). */
	eps?: number;
	/** Learn a scale and a shift for each element. Default true. PyTorch's `elementwise_affine`. */
	affine?: boolean;
	/** With `affine`: learn the shift. Default true. */
	bias?: boolean;
}

/**
 * Layer normalization: each example by its own mean and variance over its last axes, of lengths
 * `normalizedShape`, the same in training and evaluation.
 * @see Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450
 */
export class LayerNorm extends Module {
	readonly normalizedShape: Shape;
	readonly eps: number;
	weight: Parameter | null;
	bias: Parameter | null;

	constructor(normalizedShape: number | Shape, options: LayerNormLayerOptions = {}) {
		super();
		const { eps = 1e-5, affine = true, bias = true } = options;
		this.normalizedShape = shapeOf("LayerNorm", normalizedShape);
		check(eps >= 0, () => `LayerNorm: eps must be at least 0, got ${eps}`);
		this.eps = eps;
		this.weight = affine ? constant(new Parameter(this.normalizedShape, "weight"), 1) : null;
		this.bias = affine && bias ? constant(new Parameter(this.normalizedShape, "bias"), 0) : null;
	}

	override forward(x: Tensor): Tensor {
		const { weight, bias, eps } = this;
		return layerNorm(x, this.normalizedShape, { weight, bias, eps, name: this.label });
	}
}

/** A size or list of sizes as a list, each checked. */
export function shapeOf(layer: string, normalizedShape: number | Shape): Shape {
	const shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
	check(shape.length > 0, () => `${layer}: normalizedShape is empty; give the lengths of the last axes`);
	for (const size of shape) checkSize(layer, "normalizedShape", size);
	return shape;
}
