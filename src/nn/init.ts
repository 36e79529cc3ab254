// Init schemes. Each writes into a parameter in place and returns it.
//
// Fans: for a weight [out, in, k…] fan-in is in * k…, fan-out is out * k…

import { check } from "../errors.ts";
import { defaultGenerator, type Generator } from "../random/generator.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** Options of the schemes that draw numbers. */
export interface RandomInit {
	/** Where the numbers come from. Default: the generator that `manualSeed` seeds. */
	generator?: Generator;
}

/** The recommended standard-deviation factor for a nonlinearity (PyTorch's table); `slope` is leakyRelu's. */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
	const gains: Record<Nonlinearity, number> = {
		linear: 1,
		sigmoid: 1,
		tanh: 5 / 3,
		relu: Math.SQRT2,
		leakyRelu: Math.sqrt(2 / (1 + slope * slope)),
		selu: 3 / 4,
	};
	const gain = gains[nonlinearity];
	check(
		gain !== undefined,
		() => `calculateGain: unknown nonlinearity "${nonlinearity}"; there are ${Object.keys(gains).join(", ")}`,
	);
	return gain;
}

/** Fan-in and fan-out of a weight of at least two axes. */
export function fans(tensor: Tensor): { fanIn: number; fanOut: number } {
	check(
		tensor.ndim >= 2,
		() => `init: fans need a weight of at least two axes, got ${tensor.describe()} ${formatShape(tensor.shape)}`,
	);
	const receptive = tensor.shape.slice(2).reduce((a, b) => a * b, 1);
	return { fanIn: tensor.shape[1] * receptive, fanOut: tensor.shape[0] * receptive };
}

/** Every value `value`. */
export function constant<T extends Tensor>(tensor: T, value: number): T {
	tensor.view().fill(value);
	tensor.storage.version++;
	return tensor;
}

export const zeros = <T extends Tensor>(tensor: T): T => constant(tensor, 0);
export const ones = <T extends Tensor>(tensor: T): T => constant(tensor, 1);

/** Uniform in [low, high). */
export function uniform<T extends Tensor>(tensor: T, low = 0, high = 1, { generator }: RandomInit = {}): T {
	const values = new Float32Array(tensor.size);
	(generator ?? defaultGenerator()).fillUniform(values, low, high);
	return write(tensor, values);
}

/** Normal with the given mean and standard deviation. */
export function normal<T extends Tensor>(tensor: T, mean = 0, std = 1, { generator }: RandomInit = {}): T {
	const values = new Float32Array(tensor.size);
	(generator ?? defaultGenerator()).fillNormal(values, mean, std);
	return write(tensor, values);
}

/** Xavier (Glorot and Bengio 2010): uniform in ±gain sqrt(6 / (fanIn + fanOut)). */
export function xavierUniform<T extends Tensor>(
	tensor: T,
	{ gain = 1, ...random }: RandomInit & { gain?: number } = {},
): T {
	const { fanIn, fanOut } = fans(tensor);
	const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
	return uniform(tensor, -bound, bound, random);
}

/** Xavier: normal with standard deviation gain sqrt(2 / (fanIn + fanOut)). */
export function xavierNormal<T extends Tensor>(
	tensor: T,
	{ gain = 1, ...random }: RandomInit & { gain?: number } = {},
): T {
	const { fanIn, fanOut } = fans(tensor);
	return normal(tensor, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), random);
}

export interface HeOptions extends RandomInit {
	/** Keep the variance of the activations (`"fanIn"`, default) or of the gradients. */
	mode?: "fanIn" | "fanOut";
	/** Default `"relu"`. */
	nonlinearity?: Nonlinearity;
	/** leakyRelu's slope. */
	slope?: number;
}

function heStd(tensor: Tensor, { mode = "fanIn", nonlinearity = "relu", slope }: HeOptions): number {
	return calculateGain(nonlinearity, slope) / Math.sqrt(fans(tensor)[mode]);
}

/** He (He et al. 2015, "Kaiming"): uniform in ±sqrt(3) gain / sqrt(fan). */
export function heUniform<T extends Tensor>(tensor: T, options: HeOptions = {}): T {
	const bound = Math.sqrt(3) * heStd(tensor, options);
	return uniform(tensor, -bound, bound, options);
}

/** He: normal with standard deviation gain / sqrt(fan). */
export function heNormal<T extends Tensor>(tensor: T, options: HeOptions = {}): T {
	return normal(tensor, 0, heStd(tensor, options), options);
}

/**
 * PyTorch's default for Linear and Conv: weight and bias uniform in ±1 / sqrt(fanIn) (`kaiming_uniform_`
 * with a = sqrt(5), which comes to the same).
 */
export function pytorchDefault(
	weight: Tensor,
	bias: Tensor | null,
	fanIn = fans(weight).fanIn,
	random: RandomInit = {},
): void {
	const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
	uniform(weight, -bound, bound, random);
	if (bias) uniform(bias, -bound, bound, random);
}

function write<T extends Tensor>(tensor: T, values: Float32Array): T {
	tensor.view().set(values);
	tensor.storage.version++;
	return tensor;
}
