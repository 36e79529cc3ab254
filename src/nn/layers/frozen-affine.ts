// What batch norm is once its statistics stand still: a fixed scale and shift a channel.

import { check } from "../../errors.ts";
import { full, zeros } from "../../ops/creation.ts";
import { followedBy } from "../../ops/norm/batch-norm/following.ts";
import { batchNorm } from "../../ops/norm/batch-norm/op.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkSize, Module } from "../module.ts";

export interface FrozenAffineOptions {
	/** Added to the variance. Default 1e-5 (PyTorch). */
	eps?: number;
	/** The axis that holds the channels. Default 1; -1 for channels last. */
	channelAxis?: number;
}

/**
 * A scale and shift a channel that nothing changes, over `[N, C, …]`: the evaluation of a batch norm, in training too, bit
 * for bit:
 *
 *     y = (x - running_mean) / sqrt(running_var + eps) * weight + bias
 *
 * It has no parameters: all four are buffers, which start at mean 0, variance 1, weight 1, bias 0. Their names are those
 * of torchvision's `FrozenBatchNorm2d`, and of a batch norm without its count, which loads them. `convertNorms` makes such
 * layers of batch norms, and batch norms of them.
 */
export class FrozenAffine extends Module {
	readonly numFeatures: number;
	readonly eps: number;
	/** The axis that holds the channels. */
	readonly channelAxis: number;
	readonly weight: Tensor;
	readonly bias: Tensor;
	readonly runningMean: Tensor;
	readonly runningVar: Tensor;

	constructor(numFeatures: number, { eps = 1e-5, channelAxis = 1 }: FrozenAffineOptions = {}) {
		super();
		checkSize("FrozenAffine", "numFeatures", numFeatures);
		check(eps >= 0, () => `FrozenAffine: eps must be at least 0, got ${eps}`);
		this.numFeatures = numFeatures;
		this.eps = eps;
		this.channelAxis = channelAxis;
		this.weight = this.registerBuffer("weight", full([numFeatures], 1));
		this.bias = this.registerBuffer("bias", zeros([numFeatures]));
		this.runningMean = this.registerBuffer("runningMean", zeros([numFeatures]));
		this.runningVar = this.registerBuffer("runningVar", full([numFeatures], 1));
	}

	override forward(x: Tensor): Tensor {
		return this.#affine(x);
	}

	/** The layer, an activation and perhaps an average over windows of 2 x 2 in one pass: the same bits, sooner. */
	forwardThen(x: Tensor, activation: "relu" | "sigmoid", averagePool?: 2): Tensor {
		if (this.forward === FrozenAffine.prototype.forward) return this.#affine(x, activation, averagePool);
		return followedBy(this.forward(x), activation, averagePool);
	}

	#affine(x: Tensor, activation?: "relu" | "sigmoid", averagePool?: 2): Tensor {
		const { numFeatures, weight, bias, runningMean, runningVar, eps, channelAxis } = this;
		check(
			x.ndim >= 2 && x.shape.at(channelAxis) === numFeatures,
			() =>
				`${this.label}: expected ${numFeatures} channels at axis ${channelAxis}, got shape ${formatShape(x.shape)}; ` +
				`build it with numFeatures ${x.shape.at(channelAxis)}`,
		);
		const statistics = { runningMean, runningVar, eps, channelAxis };
		return batchNorm(x, { weight, bias, ...statistics, activation, averagePool, name: this.label });
	}
}
