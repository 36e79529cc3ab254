import { check } from "../../errors.ts";
import { FLOAT32_EPSILON, rmsNorm } from "../../ops/norm/rms-norm/op.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constant } from "../init.ts";
import { Module } from "../module.ts";
import { Parameter } from "../parameter.ts";
import { shapeOf } from "./layer-norm.ts";

export interface RMSNormLayerOptions {
	/** Added to the mean square. Default the float32 machine epsilon, 1.1920929e-7 (PyTorch). */
	eps?: number;
	/** Learn a scale for each element. Default true. PyTorch's `elementwise_affine`. */
	affine?: boolean;
}

/**
 * RMS normalization: layer norm without the mean and the shift, x / sqrt(mean(x²) + eps) * weight.
 * @see Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
 */
export class RMSNorm extends Module {
	readonly normalizedShape: Shape;
	readonly eps: number;
	weight: Parameter | null;

	constructor(normalizedShape: number | Shape, { eps = FLOAT32_EPSILON, affine = true }: RMSNormLayerOptions = {}) {
		super();
		this.normalizedShape = shapeOf("RMSNorm", normalizedShape);
		check(eps >= 0, () => `RMSNorm: eps must be at least 0, got ${eps}`);
		this.eps = eps;
		this.weight = affine ? constant(new Parameter(this.normalizedShape, "weight"), 1) : null;
	}

	override forward(x: Tensor): Tensor {
		const { weight, eps } = this;
		return rmsNorm(x, this.normalizedShape, { weight, eps, name: this.label });
	}
}
