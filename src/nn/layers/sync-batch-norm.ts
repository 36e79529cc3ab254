// Batch normalization over the batches of all ranks, as a layer: whose statistics, and when.

import type { Communicator } from "../../communicator/communicator.ts";
import { check } from "../../errors.ts";
import { followedBy } from "../../ops/norm/batch-norm/following.ts";
import { syncBatchNorm } from "../../ops/norm/sync-batch-norm/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { BatchNorm, type BatchNormLayerOptions } from "./batch-norm.ts";

export interface SyncBatchNormLayerOptions extends Omit<BatchNormLayerOptions, "virtualBatchSize"> {
	/** The ranks whose batches are normalized together. Default: none, until `communicator` is set. */
	communicator?: Communicator | null;
	/** The class it stands for: 1 takes what BatchNorm1d does, and so on. Default: any input of two to five axes. */
	dimensions?: 1 | 2 | 3;
}

const accepted = {
	1: { 2: "[N, C]", 3: "[N, C, L]" },
	2: { 4: "[N, C, H, W]" },
	3: { 5: "[N, C, D, H, W]" },
} as const;

/**
 * Batch normalization over `[N, C]`, `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]` whose statistics in training are
 * those of all ranks' batches together: N ranks with B examples each train as one with N B does. For batches that are
 * too small a rank to say much about mean and variance.
 *
 *     y = (x - mean) / sqrt(var + eps) * weight + bias
 *
 * In training every rank calls it, and backward through it, together; a rank may have fewer examples than the others, or
 * none (x of `[0, C, …]`). Running statistics are the same bits on all ranks. Each layer costs a step two collectives:
 * 2 C + 1 numbers a rank gathered in forward, 2 C added up in backward.
 *
 * In evaluation, frozen, without a communicator and with one of size 1 it is batch norm, bit for bit. The state dict is
 * batch norm's. Gradients of `weight` and `bias` are those of the rank's own examples, as those of other layers are.
 *
 * @throws EvenkeelError as batch norm does, on all ranks together; for a mask, where there are several ranks
 * @see PyTorch's torch.nn.SyncBatchNorm, whose class and options it follows
 */
export class SyncBatchNorm extends BatchNorm {
	/** Null: batch norm. */
	communicator: Communicator | null;
	/** 2 if it takes what BatchNorm2d does; null: whatever has two to five axes. */
	readonly dimensions: 1 | 2 | 3 | null;
	protected override readonly accepts: Readonly<Record<number, string>>;

	constructor(numFeatures: number, options: SyncBatchNormLayerOptions = {}) {
		const { communicator = null, dimensions, ...common } = options;
		super(numFeatures, common);
		check(
			dimensions === undefined || dimensions in accepted,
			() => `${this.label}: dimensions is 1, 2 or 3, got ${dimensions}`,
		);
		this.communicator = communicator;
		this.dimensions = dimensions ?? null;
		this.accepts = dimensions ? accepted[dimensions] : { ...accepted[1], ...accepted[2], ...accepted[3] };
	}

	protected override normalize(x: Tensor, mask?: Tensor, activation?: "relu" | "sigmoid", averagePool?: 2): Tensor {
		const { communicator } = this;
		if (communicator === null || communicator.size === 1 || !this.training || this.frozen) {
			return super.normalize(x, mask, activation, averagePool);
		}
		this.checkShape(x);
		check(
			mask === undefined,
			() => `${this.label}: it takes no mask on several ranks; leave padding out of the batch, or use BatchNorm`,
		);
		const { weight, bias, runningMean, runningVar, eps, runningVariance, channelAxis } = this;
		const y = syncBatchNorm(x, {
			...{ weight, bias, runningMean, runningVar, eps, runningVariance, channelAxis, communicator },
			training: true,
			momentum: this.nextMomentum(),
			name: this.label,
			taken: () => this.countBatch(),
		});
		return followedBy(y, activation ?? null, averagePool);
	}
}
