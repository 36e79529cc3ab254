// Batch normalization that learns its number of channels from its first input.

import { normalizeAxis } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { BatchNorm, type BatchNormLayerOptions } from "./batch-norm.ts";

abstract class LazyBatchNorm extends BatchNorm {
	constructor(options: BatchNormLayerOptions = {}) {
		super(null, options);
	}

	protected override checkShape(x: Tensor): void {
		if (this.numFeatures === 0 && x.ndim in this.accepts) {
			this.allocate(x.shape[normalizeAxis(this.channelAxis, x.ndim, this.label)]);
		}
		super.checkShape(x);
	}

	protected override normalize(...args: Parameters<BatchNorm["normalize"]>): Tensor {
		const isFirst = this.numFeatures === 0;
		try {
			return super.normalize(...args);
		} catch (error) {
			// An input that was refused says nothing about the next.
			if (isFirst) this.release();
			throw error;
		}
	}
}

/**
 * BatchNorm1d whose `numFeatures` is that of its first input. Until then it has no parameters: run the
 * network once before making the optimizer or loading a state dict.
 */
export class LazyBatchNorm1d extends LazyBatchNorm {
	protected override readonly accepts = { 2: "[N, C]", 3: "[N, C, L]" };
}

/** BatchNorm2d whose `numFeatures` is that of its first input. See {@link LazyBatchNorm1d}. */
export class LazyBatchNorm2d extends LazyBatchNorm {
	protected override readonly accepts = { 4: "[N, C, H, W]" };
}

/** BatchNorm3d whose `numFeatures` is that of its first input. See {@link LazyBatchNorm1d}. */
export class LazyBatchNorm3d extends LazyBatchNorm {
	protected override readonly accepts = { 5: "[N, C, D, H, W]" };
}
