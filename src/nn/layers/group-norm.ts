import { check } from "../../errors.ts";
import { groupNorm } from "../../ops/norm/group-norm/op.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constant } from "../init.ts";
import { checkSize, Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

export interface GroupNormLayerOptions {
	/** Added to the variance. Default 1e-5 (PyTorch). */
	eps?: number;
	/** Learn a scale and a shift a channel. Default true. */
	affine?: boolean;
}

/**
 * Group normalization over `[N, C, …]`: each example by the mean and variance of `numGroups` groups of
 * its channels, the same in training and evaluation, whatever the batch. One group is layer norm over
 * channels and positions, as many groups as channels is instance norm.
 * @see Wu and He 2018, https://arxiv.org/abs/1803.08494
 */
export class GroupNorm extends Module {
	readonly numGroups: number;
	readonly numChannels: number;
	readonly eps: number;
	weight: Parameter | null;
	bias: Parameter | null;

	constructor(numGroups: number, numChannels: number, { eps = 1e-5, affine = true }: GroupNormLayerOptions = {}) {
		super();
		checkSize("GroupNorm", "numGroups", numGroups);
		checkSize("GroupNorm", "numChannels", numChannels);
		check(
			numChannels % numGroups === 0,
			() => `GroupNorm: ${numGroups} groups do not divide ${numChannels} channels; take a divisor of ${numChannels}`,
		);
		check(eps >= 0, () => `GroupNorm: eps must be at least 0, got ${eps}`);
		this.numGroups = numGroups;
		this.numChannels = numChannels;
		this.eps = eps;
		this.weight = affine ? constant(new Parameter([numChannels], "weight"), 1) : null;
		this.bias = affine ? constant(new Parameter([numChannels], "bias"), 0) : null;
	}

	override forward(x: Tensor): Tensor {
		check(
			x.shape[1] === this.numChannels,
			() =>
				`${this.label}: expected ${this.numChannels} channels at axis 1, got shape ${formatShape(x.shape)}; ` +
				`build it with numChannels ${x.shape[1]}`,
		);
		const { weight, bias, eps } = this;
		return groupNorm(x, this.numGroups, { weight, bias, eps, name: this.label });
	}
}
