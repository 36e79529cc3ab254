// What batch and instance norm share as layers: one scale and shift a channel, running statistics,
// and which shapes are taken.

import { check } from "../../errors.ts";
import { full, zeros } from "../../ops/creation.ts";
import { checkRunningVariance, type RunningVariance, resolveMomentum } from "../../ops/norm/batch-norm/arguments.ts";
import { formatShape, normalizeAxis } from "../../tensor/shape.ts";
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
	runningVariance?: RunningVariance;
	/** The axis that holds the channels. Default 1; -1 for channels last. */
	channelAxis?: number;
}

export abstract class ChannelNorm extends Module {
	/** Channels; 0 while a lazy layer has not seen its first input. */
	numFeatures: number;
	readonly eps: number;
	/** Weight of the new batch, or null for the cumulative average. */
	momentum: number | null;
	readonly affine: boolean;
	readonly trackRunningStats: boolean;
	readonly runningVariance: RunningVariance;
	/** The axis that holds the channels. */
	readonly channelAxis: number;
	weight: Parameter | null = null;
	bias: Parameter | null = null;
	/** Starts at 0. */
	runningMean: Tensor | null = null;
	/** Starts at 1. */
	runningVar: Tensor | null = null;
	/** How many batches the running statistics have seen: an int32 scalar. */
	numBatchesTracked: Tensor | null = null;
	readonly #hasBias: boolean;
	/** The shapes that this layer takes, by number of axes. */
	protected abstract readonly accepts: Readonly<Record<number, string>>;

	/** `numFeatures` null: known, and allocated, with the first input. */
	constructor(numFeatures: number | null, options: ChannelNormOptions) {
		super();
		const layer = this.constructor.name;
		const { eps = 1e-5, affine = true, bias = true, trackRunningStats = true, runningVariance = "unbiased" } = options;
		check(eps >= 0, () => `${layer}: eps must be at least 0, got ${eps}`);
		checkRunningVariance(layer, runningVariance);
		const momentum = resolveMomentum(options, layer);
		this.numFeatures = 0;
		this.eps = eps;
		this.momentum = momentum === undefined ? 0.1 : momentum;
		this.affine = affine;
		this.#hasBias = affine && bias;
		this.trackRunningStats = trackRunningStats;
		this.runningVariance = runningVariance;
		this.channelAxis = options.channelAxis ?? 1;
		if (numFeatures !== null) this.allocate(numFeatures);
	}

	/** Makes parameters and buffers for so many channels. */
	protected allocate(numFeatures: number): void {
		checkSize(this.label, "numFeatures", numFeatures);
		const { affine, trackRunningStats } = this;
		this.numFeatures = numFeatures;
		this.weight = affine ? constant(new Parameter([numFeatures], "weight"), 1) : null;
		this.bias = this.#hasBias ? constant(new Parameter([numFeatures], "bias"), 0) : null;
		this.runningMean = this.registerBuffer("runningMean", trackRunningStats ? zeros([numFeatures]) : null);
		this.runningVar = this.registerBuffer("runningVar", trackRunningStats ? full([numFeatures], 1) : null);
		this.numBatchesTracked = this.registerBuffer(
			"numBatchesTracked",
			trackRunningStats ? zeros([], { dtype: "int32" }) : null,
		);
	}

	/** Undoes {@link allocate}. */
	protected release(): void {
		const { weight, bias, runningMean, runningVar, numBatchesTracked } = this;
		for (const tensor of [weight, bias, runningMean, runningVar, numBatchesTracked]) tensor?.dispose();
		this.numFeatures = 0;
		this.weight = this.bias = this.runningMean = this.runningVar = this.numBatchesTracked = null;
	}

	/** The momentum for the next batch: in the cumulative average each batch weighs alike. */
	protected nextMomentum(): number {
		return this.momentum ?? 1 / ((this.numBatchesTracked?.view()[0] ?? 0) + 1);
	}

	/** Counts a batch that the running statistics have taken in. */
	protected countBatch(): void {
		const count = this.numBatchesTracked;
		if (!count) return;
		// Forward has waited for the statistics; what it launched behind them does not touch the count.
		count.view(count.backend.settled)[0]++;
		count.storage.version++;
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
		const axis = normalizeAxis(this.channelAxis, x.ndim, this.label);
		check(
			x.shape[axis] === this.numFeatures,
			() =>
				`${this.label}: expected ${this.numFeatures} channels at axis ${axis}, got shape ${formatShape(x.shape)}; ` +
				`build it with numFeatures ${x.shape[axis]}`,
		);
	}
}
