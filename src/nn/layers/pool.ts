import {
	type AvgPoolOptions,
	adaptiveAvgPool2d,
	avgPool2d,
	type MaxPoolOptions,
	maxPool2d,
} from "../../ops/pool/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";

type Size = number | readonly [number, number];

const isTwo = (size: unknown) => size === 2 || (Array.isArray(size) && size.every((length) => length === 2));

/** The mean of each window of `[N, C, H, W]`. Stride defaults to the kernel's size. */
export class AvgPool2d extends Module {
	readonly kernelSize: Size;
	readonly options: AvgPoolOptions;

	constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
		super();
		this.kernelSize = kernelSize;
		this.options = options;
	}

	/** Whether windows are 2 x 2 and touch, without padding: what a norm before it may do in the same pass. */
	get halves(): boolean {
		const { stride = this.kernelSize, padding = 0, ceilMode = false } = this.options;
		return isTwo(this.kernelSize) && isTwo(stride) && padding === 0 && !ceilMode;
	}

	override forward(x: Tensor): Tensor {
		return avgPool2d(x, this.kernelSize, this.options);
	}
}

/** The largest value of each window of `[N, C, H, W]`. Stride defaults to the kernel's size. */
export class MaxPool2d extends Module {
	readonly kernelSize: Size;
	readonly options: MaxPoolOptions;

	constructor(kernelSize: Size, options: MaxPoolOptions = {}) {
		super();
		this.kernelSize = kernelSize;
		this.options = options;
	}

	override forward(x: Tensor): Tensor {
		return maxPool2d(x, this.kernelSize, this.options);
	}
}

/** The mean over windows chosen so that the output is `outputSize`; 1 is the global average. */
export class AdaptiveAvgPool2d extends Module {
	readonly outputSize: Size;

	constructor(outputSize: Size) {
		super();
		this.outputSize = outputSize;
	}

	override forward(x: Tensor): Tensor {
		return adaptiveAvgPool2d(x, this.outputSize);
	}
}
