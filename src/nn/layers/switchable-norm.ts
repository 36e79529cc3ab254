// Switchable normalization as a layer: batch norm's running statistics, and six more numbers to learn.

import { check } from "../../errors.ts";
import { switchableNorm } from "../../ops/norm/switchable-norm/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constant } from "../init.ts";
import { Parameter } from "../parameter.ts";
import { BatchNorm } from "./batch-norm.ts";
import type { ChannelNormOptions } from "./channel-norm.ts";

/** As for BatchNorm. The variances, the tracked one too, are biased (the paper's). */
export type SwitchableNormLayerOptions = Pick<ChannelNormOptions, "eps" | "momentum" | "decay" | "affine" | "bias">;

abstract class SwitchableNorm extends BatchNorm {
	/** Logits of the shares of instance, layer and batch in the mean. Start at 1: equal shares. */
	meanWeight: Parameter;
	/** The same for the variance. */
	varWeight: Parameter;

	constructor(numFeatures: number, options: SwitchableNormLayerOptions, sources: number) {
		super(numFeatures, { ...options, runningVariance: "biased" });
		this.meanWeight = constant(new Parameter([sources], "meanWeight"), 1);
		this.varWeight = constant(new Parameter([sources], "varWeight"), 1);
	}

	override forward(x: Tensor): Tensor {
		this.checkShape(x);
		const { weight, bias, meanWeight, varWeight, runningMean, runningVar, eps } = this;
		const training = this.training && !this.frozen;
		const parameters = { weight, bias, meanWeight, varWeight, runningMean, runningVar };
		const y = switchableNorm(x, { ...parameters, training, eps, momentum: this.nextMomentum(), name: this.label });
		if (training && x.size > 0) this.countBatch();
		return y;
	}
}

/**
 * Switchable normalization over `[N, C]`:
 *
 *     y = (x - Σ w_k μ_k) / sqrt(Σ v_k σ²_k + eps) * weight + bias,  w = softmax(meanWeight), v = softmax(varWeight)
 *
 * where k runs over the statistics of layer and batch norm. In evaluation the batch's are the running
 * ones, for which `momentum` (default 0.1, weight of the new batch) or `decay` stands.
 *
 * @throws EvenkeelError for a wrong number of channels, and for NaN or infinity in the batch
 * @see Luo et al. 2018, https://arxiv.org/abs/1806.10779
 */
export class SwitchableNorm1d extends SwitchableNorm {
	protected override readonly accepts: Readonly<Record<number, string>> = { 2: "[N, C]" };

	constructor(numFeatures: number, options: SwitchableNormLayerOptions = {}) {
		super(numFeatures, options, 2);
	}

	protected override checkShape(x: Tensor): void {
		check(
			x.ndim !== 3,
			() =>
				`${this.label}: expected [N, C], got shape [${x.shape.join(", ")}]; for a sequence use SwitchableNorm2d on ` +
				`reshape(x, [${x.shape[0]}, ${x.shape[1]}, 1, ${x.shape[2]}]), which mixes instance statistics in as well`,
		);
		super.checkShape(x);
	}
}

/** Switchable normalization over `[N, C, H, W]`, of instance, layer and batch statistics. See {@link SwitchableNorm1d}. */
export class SwitchableNorm2d extends SwitchableNorm {
	protected override readonly accepts = { 4: "[N, C, H, W]" };

	constructor(numFeatures: number, options: SwitchableNormLayerOptions = {}) {
		super(numFeatures, options, 3);
	}
}

/** Switchable normalization over `[N, C, D, H, W]`. See {@link SwitchableNorm2d}. */
export class SwitchableNorm3d extends SwitchableNorm {
	protected override readonly accepts = { 5: "[N, C, D, H, W]" };

	constructor(numFeatures: number, options: SwitchableNormLayerOptions = {}) {
		super(numFeatures, options, 3);
	}
}
