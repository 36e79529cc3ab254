// Batch normalization as a layer: when the batch's statistics are used, and when the running ones.

import { check } from "../../errors.ts";
import { followedBy } from "../../ops/norm/batch-norm/following.ts";
import { batchNorm } from "../../ops/norm/batch-norm/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Module } from "../module.ts";
import { ChannelNorm, type ChannelNormOptions } from "./channel-norm.ts";

export interface BatchNormLayerOptions extends ChannelNormOptions {
	/**
	 * Split each training batch into virtual ("ghost") batches of this many examples, normalized apart
	 * (Hoffer et al. 2017, https://arxiv.org/abs/1705.08741).
	 */
	virtualBatchSize?: number;
}

/** What batch norm and the norms that keep running statistics as it does have in common. */
export abstract class BatchNorm extends ChannelNorm {
	readonly virtualBatchSize: number | undefined;
	#frozen = false;

	constructor(numFeatures: number | null, options: BatchNormLayerOptions = {}) {
		super(numFeatures, options);
		check(
			options.virtualBatchSize === undefined || this.momentum !== null,
			() => `${this.label}: the cumulative average (momentum null) counts whole batches; leave out virtualBatchSize`,
		);
		this.virtualBatchSize = options.virtualBatchSize;
	}

	/** True after `freeze()`: running statistics are used, and left as they are, in training too. */
	get frozen(): boolean {
		return this.#frozen;
	}

	/**
	 * Normalizes by the running statistics from now on, also in training, and leaves them as they are:
	 * for fine-tuning on batches too small, or too unlike, to learn statistics from. `train()` does not
	 * undo it; `unfreeze()` does.
	 *
	 * @param options.affine stop training scale and shift as well. Default true.
	 */
	freeze({ affine = true } = {}): this {
		check(
			this.trackRunningStats,
			() => `${this.label}: freeze() needs running statistics, and trackRunningStats is false`,
		);
		this.#frozen = true;
		if (affine) this.#trainAffine(false);
		return this;
	}

	/** Undoes `freeze()`. */
	unfreeze(): this {
		this.#frozen = false;
		this.#trainAffine(true);
		return this;
	}

	/**
	 * The layer and an activation after it in one pass: the same bits, sooner. `Sequential` finds the
	 * layers that this does for. A class with a forward of its own (batch renorm, switchable norm, one's own)
	 * runs that, and then the activation.
	 *
	 * @param averagePool 2: averages over windows of 2 x 2 after that, also in the same pass
	 */
	forwardThen(x: Tensor, activation: "relu" | "sigmoid", averagePool?: 2): Tensor {
		if (this.forward === BatchNorm.prototype.forward) return this.normalize(x, undefined, activation, averagePool);
		return followedBy(this.forward(x), activation, averagePool);
	}

	/**
	 * @param mask in training, which positions count: x's shape without the channel axis, 0 for padding
	 */
	override forward(x: Tensor, mask?: Tensor): Tensor {
		return this.normalize(x, mask);
	}

	/** What both forwards do; a class that only gets its statistics elsewhere overrides this. */
	protected normalize(x: Tensor, mask?: Tensor, activation?: "relu" | "sigmoid", averagePool?: 2): Tensor {
		this.checkShape(x);
		const { weight, bias, runningMean, runningVar, eps, runningVariance, channelAxis, virtualBatchSize } = this;
		const learning = this.training && !this.#frozen;
		const y = batchNorm(x, {
			weight,
			bias,
			runningMean,
			runningVar,
			training: learning || !this.trackRunningStats,
			eps,
			runningVariance,
			channelAxis,
			mask,
			activation,
			averagePool,
			virtualBatchSize: learning ? virtualBatchSize : undefined,
			momentum: this.nextMomentum(),
			name: this.label,
		});
		// Counted only now: a batch that was refused has left no trace.
		if (learning && x.size > 0) this.countBatch();
		return y;
	}

	#trainAffine(train: boolean): void {
		for (const parameter of this.parameters()) parameter.setRequiresGrad(train);
	}
}

/** Freezes every BatchNorm, BatchRenorm and SwitchableNorm of `net` ({@link BatchNorm1d.freeze}). Returns how many there were. */
export function freezeNorms(net: Module, options: { affine?: boolean } = {}): number {
	const layers = net.modules().filter((module) => module instanceof BatchNorm);
	for (const layer of layers) layer.freeze(options);
	return layers.length;
}

/** Undoes {@link freezeNorms}. Returns how many layers there were. */
export function unfreezeNorms(net: Module): number {
	const layers = net.modules().filter((module) => module instanceof BatchNorm);
	for (const layer of layers) layer.unfreeze();
	return layers.length;
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
