// conv1d, conv2d, convTranspose1d and convTranspose2d. All of them, and their gradients, are made of the products in
// geometry.ts: a transposed convolution computes what a convolution's input gradient does.

import type { Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, checkFloat, empty, type KernelSet, kernelsFor, type Op } from "../op.ts";
import type { ConvKernels, Geometry } from "./geometry.ts";
import {
	type Conv1dOptions,
	type Conv2dOptions,
	type ConvAttrs,
	type ConvTranspose1dOptions,
	type ConvTranspose2dOptions,
	convAttrs,
	convGeometry,
	convTransposeAttrs,
	convTransposeGeometry,
} from "./options.ts";
import { referenceConv } from "./reference.ts";
import { wasmConv } from "./wasm.ts";

export type { Conv1dOptions, Conv2dOptions, ConvTranspose1dOptions, ConvTranspose2dOptions } from "./options.ts";

const kernels: KernelSet<ConvKernels<Tensor>> = { reference: referenceConv, wasm: wasmConv };

/**
 * A convolution over rows and columns (as everyone's, a cross-correlation):
 *
 * `y[n, m, r, s] = bias[m] + sum over c, i, j of weight[m, c, i, j] x[n, c, r*stride + i*dilation - padding, …]`
 *
 * @param x `[N, inChannels, H, W]`
 * @param weight `[outChannels, inChannels / groups, kernelHeight, kernelWidth]`, PyTorch's layout
 * @param bias `[outChannels]` or null
 * @returns `[N, outChannels, (H + 2*padding - dilation*(kernelHeight-1) - 1) / stride + 1 rounded down, …]`
 * @throws EvenkeelError if shapes, channels, groups or options do not fit together
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv2dOptions = {}): Tensor {
	return apply(convOp, inputs(x, weight, bias), convAttrs("conv2d", 2, weight.shape.slice(2), options));
}

/**
 * A convolution along one axis; see {@link conv2d}.
 *
 * @param x `[N, inChannels, L]`
 * @param weight `[outChannels, inChannels / groups, kernelLength]`
 * @param bias `[outChannels]` or null
 * @throws EvenkeelError if shapes, channels, groups or options do not fit together
 */
export function conv1d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: Conv1dOptions = {}): Tensor {
	return apply(convOp, inputs(x, weight, bias), convAttrs("conv1d", 1, weight.shape.slice(2), options));
}

/**
 * The transposed convolution: what {@link conv2d} does to its input's gradient. Each input pixel
 * adds its value times the kernel to the output, `stride` apart.
 *
 * @param x `[N, inChannels, H, W]`
 * @param weight `[inChannels, outChannels / groups, kernelHeight, kernelWidth]`, PyTorch's layout
 * @param bias `[outChannels]` or null
 * @returns `[N, outChannels, (H-1)*stride - 2*padding + dilation*(kernelHeight-1) + outputPadding + 1, …]`
 * @throws EvenkeelError if shapes, channels, groups or options do not fit together
 */
export function convTranspose2d(
	x: Tensor,
	weight: Tensor,
	bias: Tensor | null = null,
	options: ConvTranspose2dOptions = {},
): Tensor {
	return apply(convTransposeOp, inputs(x, weight, bias), convTransposeAttrs("convTranspose2d", 2, options));
}

/**
 * A transposed convolution along one axis; see {@link convTranspose2d}.
 *
 * @param x `[N, inChannels, L]`
 * @param weight `[inChannels, outChannels / groups, kernelLength]`
 * @param bias `[outChannels]` or null
 * @throws EvenkeelError if shapes, channels, groups or options do not fit together
 */
export function convTranspose1d(
	x: Tensor,
	weight: Tensor,
	bias: Tensor | null = null,
	options: ConvTranspose1dOptions = {},
): Tensor {
	return apply(convTransposeOp, inputs(x, weight, bias), convTransposeAttrs("convTranspose1d", 1, options));
}

function inputs(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor[] {
	return bias === null ? [x, weight] : [x, weight, bias];
}

/** Batch and channels, then as many of the sizes as the op has axes. */
function shapeOf(images: number, channels: number, size: readonly number[], axes: number): Shape {
	return [images, channels, ...size.slice(2 - axes)];
}

function like(tensor: Tensor, wanted: boolean, name: string): Tensor | null {
	return wanted ? empty(tensor.shape, tensor.backend, "float", name) : null;
}

/** The gradient of the bias: the sum of dy over everything but the channels. */
function biasGradient(dy: Tensor, wanted: boolean): Tensor | null {
	if (!wanted) return null;
	const [images, channels] = dy.shape;
	const db = empty([channels], dy.backend, "float", "conv dbias");
	const size = dy.shape.slice(2).reduce((product, length) => product * length, 1);
	kernelsFor(kernels, dy).channelSums(dy, images, channels, size, db);
	return db;
}

const convOp: Op<ConvAttrs> = {
	name: "conv",
	forward([x, weight, bias], attrs, ctx) {
		checkFloat(attrs.op, x, weight, ...(bias ? [bias] : []));
		const g = convGeometry(attrs, x.shape, weight.shape, bias?.shape ?? null);
		const y = empty(shapeOf(g.images, weight.shape[0], g.outSize, attrs.axes), x.backend, "float", attrs.op);
		kernelsFor(kernels, x).gather(g, x, weight, bias ?? null, y);
		ctx.save(x, weight);
		return y;
	},
	backward(dy, { attrs, saved: [x, weight], needsGrad }) {
		const g: Geometry = convGeometry(attrs, x.shape, weight.shape, null);
		const { scatter, outer } = kernelsFor(kernels, x);
		const dx = like(x, needsGrad[0], "conv dx");
		if (dx) scatter(g, dy, weight, null, dx);
		const dweight = like(weight, needsGrad[1], "conv dweight");
		if (!dweight) return needsGrad.length < 3 ? [dx, null] : [dx, null, biasGradient(dy, needsGrad[2])];
		const dbias = needsGrad[2] ? empty([weight.shape[0]], x.backend, "float", "conv dbias") : null;
		outer(g, x, dy, dweight, dbias);
		return needsGrad.length < 3 ? [dx, dweight] : [dx, dweight, dbias];
	},
};

const convTransposeOp: Op<ConvAttrs> = {
	name: "convTranspose",
	forward([x, weight, bias], attrs, ctx) {
		checkFloat(attrs.op, x, weight, ...(bias ? [bias] : []));
		const g = convTransposeGeometry(attrs, x.shape, weight.shape, bias?.shape ?? null);
		const y = empty(shapeOf(g.images, g.groups * g.channels, g.size, attrs.axes), x.backend, "float", attrs.op);
		kernelsFor(kernels, x).scatter(g, x, weight, bias ?? null, y);
		ctx.save(x, weight);
		return y;
	},
	backward(dy, { attrs, saved: [x, weight], needsGrad }) {
		const g: Geometry = convTransposeGeometry(attrs, x.shape, weight.shape, null);
		const { gather, outer } = kernelsFor(kernels, x);
		const dx = like(x, needsGrad[0], "convTranspose dx");
		if (dx) gather(g, dy, weight, null, dx);
		const dweight = like(weight, needsGrad[1], "convTranspose dweight");
		if (dweight) outer(g, dy, x, dweight, null);
		return needsGrad.length < 3 ? [dx, dweight] : [dx, dweight, biasGradient(dy, needsGrad[2])];
	},
};
