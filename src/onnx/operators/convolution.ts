// Conv and ConvTranspose.

import { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d } from "../../nn/layers/conv.ts";
import { conv1d, conv2d, convTranspose1d, convTranspose2d } from "../../ops/conv/op.ts";
import { Generator } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NodeContext, Operator } from "../node-context.ts";
import { crop, padTensor } from "../pad.ts";
import { perAxis, type Side, type Spatial, spatialOf } from "../spatial.ts";
import type { Input } from "../value.ts";

type AnyConv = Conv1d | Conv2d | ConvTranspose1d | ConvTranspose2d;

/** Runs a convolution, given the padding: the layer, or the function where the weights are computed. */
type Convolve = (x: Tensor, env: Parameters<Input["tensor"]>[0]) => Tensor;

/** The kernel's lengths, from the attribute or the weight. */
function kernelOf(node: NodeContext): number[] {
	const weight = node.dims(1)?.slice(2);
	const kernel = node.ints("kernel_shape") ?? (weight?.every((length) => length !== null) ? weight.map(Number) : null);
	if (!kernel) return node.fail("the shape of its weight is not known; give it the attribute kernel_shape");
	if (
		weight &&
		(weight.length !== kernel.length || weight.some((length, i) => length !== null && length !== kernel[i]))
	) {
		node.fail(`kernel_shape [${kernel.join(", ")}] is not that of its weight, [${node.dims(1)?.join(", ")}]`);
	}
	if (kernel.length !== 1 && kernel.length !== 2) {
		node.fail(`convolutions run along one or two axes, this one has ${kernel.length}`);
	}
	return kernel;
}

/** Options of layers and functions, of one axis or of two. */
function optionsOf({ stride, dilation }: Spatial, groups: number, sides: readonly Side[], extra: object = {}) {
	const flat = stride.length === 1;
	return {
		one: { stride: stride[0], dilation: dilation[0], groups, padding: sides, ...extra },
		two: { stride: perAxis(stride), dilation: perAxis(dilation), groups, padding: sides, ...extra },
		flat,
	};
}

/** Conv: a layer where the weight is a constant. */
export const convolution: Operator = (node) => {
	const spatial = spatialOf(node, kernelOf(node));
	const groups = node.int("group", 1);
	// Padding that depends on the size is added before the layer, which then has none.
	const sides = spatial.fixedPadding ?? spatial.kernel.map((): Side => [0, 0]);
	const { one, two, flat } = optionsOf(spatial, groups, sides);
	const outputs = node.dims(1)?.[0] ?? null;
	node.setDims([node.dims(0)?.[0] ?? null, outputs, ...spatial.kernel.map(() => null)]);
	const convolve = convolver(
		node,
		flat ? one : two,
		([out, inner], options) =>
			flat
				? new Conv1d(inner * groups, out, spatial.kernel[0], { ...one, ...options })
				: new Conv2d(inner * groups, out, perAxis(spatial.kernel), { ...two, ...options }),
		(x, weight, bias) => (flat ? conv1d(x, weight, bias, one) : conv2d(x, weight, bias, two)),
	);
	const x = node.input(0);
	node.layerInput = x;
	if (spatial.fixedPadding) return (env) => convolve(x.tensor(env), env);
	return (env) => {
		const input = x.tensor(env);
		return convolve(padTensor(input, [[0, 0], [0, 0], ...spatial.padding(input.shape.slice(2))]), env);
	};
};

/** ConvTranspose: as Conv. What output_shape and auto_pad ask for is cut off the whole output. */
export const transposedConvolution: Operator = (node) => {
	const kernel = kernelOf(node);
	const wanted = node.ints("output_shape")?.slice(-kernel.length);
	const auto = node.text("auto_pad", "NOTSET");
	const cuts = wanted !== undefined || auto.startsWith("SAME");
	const spatial = spatialOf(node, kernel);
	const groups = node.int("group", 1);
	const outputPadding = node.ints("output_padding") ?? kernel.map(() => 0);
	const sides = cuts ? kernel.map((): Side => [0, 0]) : (spatial.fixedPadding ?? []);
	const { one, two, flat } = optionsOf(spatial, groups, sides);
	const options1 = { ...one, outputPadding: outputPadding[0] };
	const options2 = { ...two, outputPadding: perAxis(outputPadding) };
	const inner = node.dims(1)?.[1] ?? null;
	node.setDims([node.dims(0)?.[0] ?? null, inner && inner * groups, ...kernel.map(() => null)]);
	const convolve = convolver(
		node,
		flat ? options1 : options2,
		([inputs, outputs], options) =>
			flat
				? new ConvTranspose1d(inputs, outputs * groups, kernel[0], { ...options1, ...options })
				: new ConvTranspose2d(inputs, outputs * groups, perAxis(kernel), { ...options2, ...options }),
		(x, weight, bias) =>
			flat ? convTranspose1d(x, weight, bias, options1) : convTranspose2d(x, weight, bias, options2),
	);
	const x = node.input(0);
	node.layerInput = x;
	if (!cuts) return (env) => convolve(x.tensor(env), env);
	return (env) => {
		const input = x.tensor(env);
		const size = input.shape.slice(2);
		const lengths = size.map((length, axis) => wanted?.[axis] ?? length * spatial.stride[axis]);
		// Where more is wanted than there is, zeros behind the input make the output longer.
		const short = lengths.map((length, axis) => {
			const whole = (size[axis] - 1) * spatial.stride[axis] + spatial.dilation[axis] * (kernel[axis] - 1) + 1;
			return Math.ceil(Math.max(0, length - whole - outputPadding[axis]) / spatial.stride[axis]);
		});
		const y = convolve(padTensor(input, [[0, 0], [0, 0], ...short.map((count): Side => [0, count])]), env);
		return lengths.reduce((cut, length, axis) => {
			const total = y.shape[axis + 2] - length;
			const less = Math.floor(total / 2);
			// The odd pixel is cut off the beginning, but for SAME_UPPER; what was added, off the end.
			const atEnd = short[axis] > 0 ? total : auto === "SAME_UPPER" ? total - less : less;
			return crop(cut, axis + 2, total - atEnd, atEnd);
		}, y);
	};
};

/** The layer, with the file's weights, if these are constant; else what calls `apply`. */
function convolver(
	node: NodeContext,
	options: object,
	make: (weight: readonly number[], options: { bias: boolean; generator: Generator }) => AnyConv,
	apply: (x: Tensor, weight: Tensor, bias: Tensor | null) => Tensor,
): Convolve {
	const weight = node.constant(1);
	if (!weight || (node.has(2) && !node.constant(2))) {
		const [computed, bias] = [node.input(1), node.optional(2)];
		return (x, env) => apply(x, computed.tensor(env), bias?.tensor(env) ?? null);
	}
	const entries: Record<string, number> = node.has(2) ? { weight: 1, bias: 2 } : { weight: 1 };
	const layer = node.weighted(node.proto.opType, options, entries, () => {
		// The initial values are overwritten; the numbers for them must not be taken from the program's own.
		const made = make(weight.shape, { bias: node.has(2), generator: new Generator(0) });
		made.weight = node.parameter(1);
		if (node.has(2)) made.bias = node.parameter(2);
		return made;
	});
	return (x) => layer.forward(x);
}
