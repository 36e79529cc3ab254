// Convolutions. Weights are [outChannels, inChannels / groups, k…] ([in, out / groups, k…] when
// transposed) and start, like the bias, uniform in ±1 / sqrt(fanIn) (PyTorch).

import { check } from "../../errors.ts";
import {
	type Conv1dOptions,
	type Conv2dOptions,
	type ConvTranspose1dOptions,
	type ConvTranspose2dOptions,
	conv1d,
	conv2d,
	convTranspose1d,
	convTranspose2d,
} from "../../ops/conv/op.ts";
import { standardizeWeight } from "../../ops/norm/weight-standardization/op.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { pytorchDefault, type RandomInit } from "../init.ts";
import { checkSize, Module } from "../module.ts";
import { Parameter } from "../parameter.ts";

interface Common extends RandomInit {
	/** Add a bias. Default true. */
	bias?: boolean;
}

/** What Conv1d and Conv2d can have beyond their geometry. */
interface Standardized {
	/**
	 * Standardize the weight, each output channel's by its own mean and variance, before every use
	 * (Qiao et al. 2019, https://arxiv.org/abs/1903.10520). Default false; `{ eps }` is added to the
	 * variance, 1e-5 with true. Made to go with group norm on small batches.
	 */
	weightStandardization?: boolean | { eps?: number };
}

/** What the layers share: sizes, parameters, their initialization. */
abstract class Conv<Options extends { groups?: number }> extends Module {
	readonly inChannels: number;
	readonly outChannels: number;
	readonly options: Options;
	/** What is added to the variance of the weights where they are standardized; null where they are not. */
	readonly #standardizationEps: number | null;
	weight: Parameter;
	bias: Parameter | null;

	constructor(
		inChannels: number,
		outChannels: number,
		kernel: readonly number[],
		options: Options & Common & Standardized,
		transposed = false,
	) {
		super();
		const { bias = true, generator, weightStandardization = false, groups = 1 } = options;
		const layer = this.constructor.name;
		checkSize(layer, "inChannels", inChannels);
		checkSize(layer, "outChannels", outChannels);
		for (const size of kernel) checkSize(layer, "kernelSize", size);
		checkSize(layer, "groups", groups);
		check(
			inChannels % groups === 0 && outChannels % groups === 0,
			() => `${layer}: groups ${groups} must divide inChannels ${inChannels} and outChannels ${outChannels}`,
		);
		this.inChannels = inChannels;
		this.outChannels = outChannels;
		this.options = options;
		check(
			!transposed || weightStandardization === false,
			() => `${layer}: weightStandardization is for Conv1d and Conv2d, whose weights begin with the output channels`,
		);
		const eps = typeof weightStandardization === "object" ? (weightStandardization.eps ?? 1e-5) : 1e-5;
		this.#standardizationEps = weightStandardization === false ? null : eps;
		const [rows, columns] = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
		this.weight = new Parameter([rows, columns, ...kernel], "weight");
		this.bias = bias ? new Parameter([outChannels], "bias") : null;
		pytorchDefault(this.weight, this.bias, undefined, { generator });
	}

	/** The weight that convolves: the parameter itself, or what weight standardization makes of it. */
	effectiveWeight(): Tensor {
		const eps = this.#standardizationEps;
		return eps === null ? this.weight : standardizeWeight(this.weight, { eps, name: this.label });
	}
}

const pair = (size: number | readonly [number, number]): readonly [number, number] =>
	typeof size === "number" ? [size, size] : size;

/** Convolution over `[N, C, L]`. Stride 1, padding 0, dilation 1, groups 1 by default (PyTorch). */
export class Conv1d extends Conv<Conv1dOptions> {
	constructor(
		inChannels: number,
		outChannels: number,
		kernelSize: number,
		options: Conv1dOptions & Common & Standardized = {},
	) {
		super(inChannels, outChannels, [kernelSize], options);
	}

	override forward(x: Tensor): Tensor {
		return conv1d(x, this.effectiveWeight(), this.bias, this.options);
	}
}

/** Convolution over `[N, C, H, W]`. Stride 1, padding 0, dilation 1, groups 1 by default (PyTorch). */
export class Conv2d extends Conv<Conv2dOptions> {
	constructor(
		inChannels: number,
		outChannels: number,
		kernelSize: number | readonly [number, number],
		options: Conv2dOptions & Common & Standardized = {},
	) {
		super(inChannels, outChannels, pair(kernelSize), options);
	}

	override forward(x: Tensor): Tensor {
		return conv2d(x, this.effectiveWeight(), this.bias, this.options);
	}
}

/** Transposed convolution over `[N, C, L]`: the gradient of Conv1d with respect to its input. */
export class ConvTranspose1d extends Conv<ConvTranspose1dOptions> {
	constructor(
		inChannels: number,
		outChannels: number,
		kernelSize: number,
		options: ConvTranspose1dOptions & Common = {},
	) {
		super(inChannels, outChannels, [kernelSize], options, true);
	}

	override forward(x: Tensor): Tensor {
		return convTranspose1d(x, this.weight, this.bias, this.options);
	}
}

/** Transposed convolution over `[N, C, H, W]`: the gradient of Conv2d with respect to its input. */
export class ConvTranspose2d extends Conv<ConvTranspose2dOptions> {
	constructor(
		inChannels: number,
		outChannels: number,
		kernelSize: number | readonly [number, number],
		options: ConvTranspose2dOptions & Common = {},
	) {
		super(inChannels, outChannels, pair(kernelSize), options, true);
	}

	override forward(x: Tensor): Tensor {
		return convTranspose2d(x, this.weight, this.bias, this.options);
	}
}
