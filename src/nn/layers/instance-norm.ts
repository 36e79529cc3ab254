// Instance normalization as a layer.

import { instanceNorm } from "../../ops/norm/instance-norm/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ChannelNorm, type ChannelNormOptions } from "./channel-norm.ts";

/** As for BatchNorm, but `affine` and `trackRunningStats` are off by default (PyTorch). */
export type InstanceNormLayerOptions = Omit<ChannelNormOptions, "channelAxis">;

abstract class InstanceNorm extends ChannelNorm {
	constructor(numFeatures: number, options: InstanceNormLayerOptions = {}) {
		super(numFeatures, { affine: false, trackRunningStats: false, ...options });
	}

	override forward(x: Tensor): Tensor {
		this.checkShape(x);
		const { weight, bias, runningMean, runningVar, runningVariance, eps } = this;
		const useInputStats = this.training || !this.trackRunningStats;
		const momentum = this.nextMomentum();
		const y = instanceNorm(x, {
			weight,
			bias,
			runningMean,
			runningVar,
			useInputStats,
			eps,
			momentum,
			runningVariance,
			name: this.label,
		});
		if (this.training && x.size > 0) this.countBatch();
		return y;
	}
}

/**
 * Instance normalization over `[N, C, L]`: each channel of each example by its own mean and variance.
 * @see Ulyanov, Vedaldi and Lempitsky 2016, https://arxiv.org/abs/1607.08022
 */
export class InstanceNorm1d extends InstanceNorm {
	protected override readonly accepts = { 3: "[N, C, L]" };
}

/** Instance normalization over `[N, C, H, W]`. See {@link InstanceNorm1d}. */
export class InstanceNorm2d extends InstanceNorm {
	protected override readonly accepts = { 4: "[N, C, H, W]" };
}

/** Instance normalization over `[N, C, D, H, W]`. See {@link InstanceNorm1d}. */
export class InstanceNorm3d extends InstanceNorm {
	protected override readonly accepts = { 5: "[N, C, D, H, W]" };
}
