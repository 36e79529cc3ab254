// Batch normalization as a layer: when the batch's statistics are used, and when the running ones.

import { batchNorm } from "../../ops/norm/batch-norm/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ChannelNorm, type ChannelNormOptions } from "./channel-norm.ts";

export type BatchNormLayerOptions = ChannelNormOptions;

abstract class BatchNorm extends ChannelNorm {
	constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
		super(numFeatures, options);
	}

	override forward(x: Tensor): Tensor {
		this.checkShape(x);
		const { weight, bias, runningMean, runningVar, eps, runningVariance } = this;
		const y = batchNorm(x, {
			weight,
			bias,
			runningMean,
			runningVar,
			training: this.training || !this.trackRunningStats,
			eps,
			runningVariance,
			momentum: this.nextMomentum(),
			name: this.label,
		});
		// Counted only now: a batch that was refused has left no trace.
		if (this.training && x.size > 0) this.countBatch();
		return y;
	}
}

/**
 * Batch normalization over `[N, C]` or `[N, C, L]`, per channel:
 *
 *     y = (x - mean) / sqrt(var + eps) * weight + bias
 *
 * In training mode mean and (biased) variance are the batch's, and the running statistics follow
 * them; in evaluation mode they are the running ones.
 *
 * @throws EvenkeelError for a wrong number of channels, one value a channel in training, NaN or
 *   infinity in the batch (the running statistics then stay what they were)
 * @see Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
 */
export class BatchNorm1d extends BatchNorm {
	protected override readonly accepts = { 2: "[N, C]", 3: "[N, C, L]" };
}

/** Batch normalization over `[N, C, H, W]`, per channel. See {@link BatchNorm1d}. */
export class BatchNorm2d extends BatchNorm {
	protected override readonly accepts = { 4: "[N, C, H, W]" };
}

/** Batch normalization over `[N, C, D, H, W]`, per channel. See {@link BatchNorm1d}. */
export class BatchNorm3d extends BatchNorm {
	protected override readonly accepts = { 5: "[N, C, D, H, W]" };
}
