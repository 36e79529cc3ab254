// Batch renormalization as a layer: how far the correction may go, by number or by schedule.

import { check } from "../../errors.ts";
import { batchRenorm } from "../../ops/norm/batch-renorm/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { BatchNorm } from "./batch-norm.ts";
import type { ChannelNormOptions } from "./channel-norm.ts";

/** The bounds of the correction after so many batches. */
export type RenormSchedule = (step: number) => { rMax: number; dMax: number };

export interface BatchRenormLayerOptions
	extends Pick<ChannelNormOptions, "eps" | "momentum" | "decay" | "affine" | "bias" | "runningVariance"> {
	/** Largest correction of the scale, at least 1 (1: none). Default 3, where the paper's schedule ends. */
	rMax?: number;
	/** Largest correction of the mean, in deviations, at least 0 (0: none). Default 5, likewise. */
	dMax?: number;
	/**
	 * Both as a function of the batches seen so far, `numBatchesTracked`, instead of the two numbers:
	 * {@link paperRenormSchedule}, or one of your own for shorter runs.
	 */
	schedule?: RenormSchedule;
}

/**
 * The paper's bounds: none but batch norm (rMax 1, dMax 0) for 5,000 steps, then linearly to rMax 3 at
 * step 40,000 and dMax 5 at step 25,000.
 *
 * @see Ioffe 2017, section 4.1, https://arxiv.org/abs/1702.03275
 */
export function paperRenormSchedule(step: number): { rMax: number; dMax: number } {
	const between = (from: number, to: number) => Math.min(Math.max((step - from) / (to - from), 0), 1);
	return { rMax: 1 + 2 * between(5_000, 40_000), dMax: 5 * between(5_000, 25_000) };
}

abstract class BatchRenorm extends BatchNorm {
	readonly rMax: number;
	readonly dMax: number;
	readonly schedule: RenormSchedule | undefined;

	constructor(numFeatures: number, options: BatchRenormLayerOptions = {}) {
		const { rMax = 3, dMax = 5, schedule, ...common } = options;
		// The paper's: a slow average, because training leans on it, and the biased variance.
		const averages = common.decay === undefined ? { momentum: 0.01 } : {};
		super(numFeatures, { runningVariance: "biased", ...averages, ...common });
		check(
			schedule === undefined || (options.rMax === undefined && options.dMax === undefined),
			() => `${this.label}: rMax and dMax were given beside a schedule; give the numbers or the schedule`,
		);
		check(rMax >= 1, () => `${this.label}: rMax must be at least 1, got ${rMax}`);
		check(dMax >= 0, () => `${this.label}: dMax must be at least 0, got ${dMax}`);
		this.rMax = rMax;
		this.dMax = dMax;
		this.schedule = schedule;
	}

	override forward(x: Tensor): Tensor {
		this.checkShape(x);
		const { weight, bias, runningMean, runningVar, eps, runningVariance } = this;
		check(runningMean && runningVar, () => `${this.label}: there are no running statistics; build the layer anew`);
		const training = this.training && !this.frozen;
		const bounds = this.schedule?.(this.numBatchesTracked?.view()[0] ?? 0) ?? { rMax: this.rMax, dMax: this.dMax };
		const affine = { weight, bias, runningMean, runningVar, eps, runningVariance };
		const momentum = this.nextMomentum();
		const y = batchRenorm(x, { ...affine, ...bounds, training, momentum, name: this.label });
		if (training && x.size > 0) this.countBatch();
		return y;
	}
}

/**
 * Batch renormalization over `[N, C]` or `[N, C, L]`: batch normalization whose training output is
 * corrected, within bounds, towards what evaluation gives. For batches small or unlike one another.
 *
 *     y = ((x - μ) / σ * r + d) * weight + bias
 *     r = clip(σ / σ_run, 1 / rMax, rMax),  d = clip((μ - μ_run) / σ_run, -dMax, dMax)
 *
 * `momentum` is 0.01 and the tracked variance biased by default (the paper's). The correction leans on
 * the running statistics, so a schedule that begins with rMax 1 and dMax 0 gives them time to settle.
 *
 * @see Ioffe 2017, https://arxiv.org/abs/1702.03275
 */
export class BatchRenorm1d extends BatchRenorm {
	protected override readonly accepts = { 2: "[N, C]", 3: "[N, C, L]" };
}

/** Batch renormalization over `[N, C, H, W]`. See {@link BatchRenorm1d}. */
export class BatchRenorm2d extends BatchRenorm {
	protected override readonly accepts = { 4: "[N, C, H, W]" };
}

/** Batch renormalization over `[N, C, D, H, W]`. See {@link BatchRenorm1d}. */
export class BatchRenorm3d extends BatchRenorm {
	protected override readonly accepts = { 5: "[N, C, D, H, W]" };
}
