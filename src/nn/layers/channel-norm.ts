// What batch and instance norm share as layers: one scale and shift a channel, running statistics,
// and which shapes are taken.

import { check } from "../../errors.ts";
import { full, zeros } from "../../ops/creation.ts";
import { resolveMomentum } from "../../ops/norm/batch-norm/op.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constant } from "../init.ts";
import { checkSize, Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

export interface ChannelNormOptions {
	/** Added to the variance. Default 1e-5 (PyTorch; Keras has 1e-3). */
	eps?: number;
	/**
	 * Weight of the NEW batch in the running averages (PyTorch). Default 0.1; null: the cumulative
	 * average over all batches.
	 */
	momentum?: number | null;
	/** Weight of the OLD average instead (Keras, ONNX, the textbooks' 0.9). Give one of the two. */
	decay?: number;
	/** Learn a scale (`weight`) and a shift (`bias`). Default true. */
	affine?: boolean;
	/** With `affine`: learn the shift. Default true. */
	bias?: boolean;
	/** Keep running statistics for evaluation. Default true; false: batch statistics in evaluation too. */
	trackRunningStats?: boolean;
	/** The variance that is tracked: `"unbiased"` (PyTorch, default) or `"biased"` (Keras, ONNX). */
	runningVariance?: "unbiased" | "biased";
}

export abstract class ChannelNorm extends Module {
	readonly numFeatures: number;
	readonly eps: number;
	/** Weight of the new batch, or null for the cumulative average. */
	momentum: number | null;
	readonly affine: boolean;
	readonly trackRunningStats: boolean;
	readonly runningVariance: "unbiased" | "biased";
	weight: Parameter | null;
	bias: Parameter | null;
	/** Starts at 0. */
	runningMean: Tensor | null;
	/** Starts at 1. */
	runningVar: Tensor | null;
	/** How many batches the running statistics have seen: an int32 scalar. */
	numBatchesTracked: Tensor | null;
	/** The shapes that this layer takes, by number of axes. */
	protected abstract readonly accepts: Readonly<Record<number, string>>;

	constructor(numFeatures: number, options: ChannelNormOptions) {
		super();
		const layer = this.constructor.name;
		checkSize(layer, "numFeatures", numFeatures);
		const { eps = 1e-5, affine = true, bias = true, trackRunningStats = true, runningVariance = "unbiased" } = options;
		check(eps >= 0, () => `${layer}: eps must be at least 0, got ${eps}`);
		check(
			runningVariance === "unbiased" || runningVariance === "biased",
			() => `${layer}: runningVariance is "unbiased" or "biased", got ${JSON.stringify(runningVariance)}`,
		);
		const momentum = resolveMomentum(options, layer);
		this.numFeatures = numFeatures;
		this.eps = eps;
		this.momentum = momentum === undefined ? 0.1 : momentum;
		this.affine = affine;
		this.trackRunningStats = trackRunningStats;
		this.runningVariance = runningVariance;
		this.weight = affine ? constant(new Parameter([numFeatures], "weight"), 1) : null;
		this.bias = affine && bias ? constant(new Parameter([numFeatures], "bias"), 0) : null;
		this.runningMean = this.registerBuffer("runningMean", trackRunningStats ? zeros([numFeatures]) : null);
		this.runningVar = this.registerBuffer("runningVar", trackRunningStats ? full([numFeatures], 1) : null);
		this.numBatchesTracked = this.registerBuffer(
			"numBatchesTracked",
			trackRunningStats ? zeros([], { dtype: "int32" }) : null,
		);
	}

	/** The momentum for the next batch: in the cumulative average each batch weighs alike. */
	protected nextMomentum(): number {
		return this.momentum ?? 1 / ((this.numBatchesTracked?.view()[0] ?? 0) + 1);
	}

	/** Counts a batch that the running statistics have taken in. */
	protected countBatch(): void {
		if (!this.numBatchesTracked) return;
		this.numBatchesTracked.view()[0]++;
		this.numBatchesTracked.storage.version++;
	}

	/** Sets the running statistics back to mean 0, variance 1, no batches. */
	resetRunningStats(): void {
		if (this.runningMean) constant(this.runningMean, 0);
		if (this.runningVar) constant(this.runningVar, 1);
		if (this.numBatchesTracked) constant(this.numBatchesTracked, 0);
	}

	/** Checks rank and channels. */
	protected checkShape(x: Tensor): void {
		check(
			x.ndim in this.accepts,
			() => `${this.label}: expected ${Object.values(this.accepts).join(" or ")}, got shape ${formatShape(x.shape)}`,
		);
		check(
			x.shape[1] === this.numFeatures,
			() =>
				`${this.label}: expected ${this.numFeatures} channels at axis 1, got shape ${formatShape(x.shape)}; ` +
				`build it with numFeatures ${x.shape[1]}`,
		);
	}
}
