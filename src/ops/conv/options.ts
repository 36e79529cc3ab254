// The options of convolutions, from what callers write (numbers, pairs, "same") to pairs, checked.

import { check } from "../../errors.ts";
import { formatShape, type Shape } from "../../tensor/shape.ts";
import type { Geometry, Pair } from "./geometry.ts";

/** One number for every axis, or one an axis. */
type PerAxis = number | readonly number[];

/** Before and after, for each axis: `[[top, bottom], [left, right]]`. */
type Sides = readonly Pair[];

/** What conv1d and conv2d have in common. `Axes` is a number, or a number for both axes or a pair. */
export interface ConvOptions<Axes> {
	/** Pixels from one place of the kernel to the next. Default 1. */
	stride?: Axes;
	/**
	 * Zeros on each side of the input. Default 0. `[[top, bottom], [left, right]]` (`[[before, after]]` in one dimension)
	 * pads each side by its own. `"valid"` is 0; `"same"` keeps the size, and where that takes an odd number of zeros the
	 * extra one goes at the end (PyTorch's convention). `"same"` needs stride 1.
	 */
	padding?: Axes | Sides | "same" | "valid";
	/** Pixels from one weight of the kernel to the next. Default 1. */
	dilation?: Axes;
	/** Groups of channels that do not see each other; as many as input channels is a depthwise convolution. Default 1. */
	groups?: number;
}

export type Conv1dOptions = ConvOptions<number>;
export type Conv2dOptions = ConvOptions<number | Pair>;

/** What convTranspose1d and convTranspose2d have in common. */
export interface ConvTransposeOptions<Axes> {
	/** Pixels in the output from one input pixel to the next. Default 1. */
	stride?: Axes;
	/** Rows and columns cut off each side of the output. Default 0. `[[top, bottom], [left, right]]` cuts each its own. */
	padding?: Axes | Sides;
	/** Rows and columns added at the end of the output, fewer than the stride or the dilation. Default 0. */
	outputPadding?: Axes;
	/** Pixels from one weight of the kernel to the next. Default 1. */
	dilation?: Axes;
	/** Groups of channels that do not see each other. Default 1. */
	groups?: number;
}

export type ConvTranspose1dOptions = ConvTransposeOptions<number>;
export type ConvTranspose2dOptions = ConvTransposeOptions<number | Pair>;

/** Options as ops record them: pairs, with a leading 1, 1 or 0 where there is no height. */
export interface ConvAttrs {
	/** The op's name, for errors: conv1d, conv2d, convTranspose1d, convTranspose2d. */
	readonly op: string;
	/** Axes that are not batch or channel: 1 or 2. */
	readonly axes: number;
	readonly stride: Pair;
	/** Before and after, for rows and for columns. */
	readonly padding: readonly [rows: Pair, columns: Pair];
	readonly dilation: Pair;
	readonly outputPadding: Pair;
	readonly groups: number;
}

/** `value` for both axes; `absent` for the height that a one-dimensional op lacks. */
function pair(op: string, name: string, value: PerAxis, axes: number, least: number, absent: number): Pair {
	const list = typeof value === "number" ? new Array<number>(axes).fill(value) : value;
	check(
		list.length === axes && list.every((v) => Number.isInteger(v) && v >= least),
		() =>
			`${op}: ${name} must be a whole number of at least ${least}` +
			`${axes === 2 ? ", or a pair [rows, columns] of them" : ""}, ` +
			`got ${typeof value === "number" ? value : formatShape(value)}`,
	);
	return axes === 2 ? [list[0], list[1]] : [absent, list[0]];
}

/** The padding before and after, for rows and for columns; 0 for the height that a one-dimensional op lacks. */
function sides(op: string, padding: PerAxis | Sides, axes: number): readonly [rows: Pair, columns: Pair] {
	if (typeof padding === "number" || !padding.some((side) => typeof side !== "number")) {
		const [rows, columns] = pair(op, "padding", padding as PerAxis, axes, 0, 0);
		return [
			[rows, rows],
			[columns, columns],
		];
	}
	const [first, last] = padding.length === 1 ? [[0, 0], padding[0]] : padding;
	check(
		padding.length === axes && [first, last].every((side) => Array.isArray(side) && side.length === 2),
		() =>
			`${op}: padding for each side is ${axes === 2 ? "[[top, bottom], [left, right]]" : "[[before, after]]"}, ` +
			`got ${JSON.stringify(padding)}`,
	);
	return [pair(op, "padding", first as Pair, 2, 0, 0), pair(op, "padding", last as Pair, 2, 0, 0)];
}

function checkGroups(op: string, groups: number): number {
	check(
		Number.isInteger(groups) && groups >= 1,
		() => `${op}: groups must be a whole number of at least 1, got ${groups}`,
	);
	return groups;
}

/** The options of conv1d and conv2d. `kernel` is the weight's shape without its first two axes. */
export function convAttrs(op: string, axes: number, kernel: Shape, options: ConvOptions<PerAxis>): ConvAttrs {
	const stride = pair(op, "stride", options.stride ?? 1, axes, 1, 1);
	const dilation = pair(op, "dilation", options.dilation ?? 1, axes, 1, 1);
	const padding = options.padding === "valid" ? 0 : (options.padding ?? 0);
	const groups = checkGroups(op, options.groups ?? 1);
	const common = { op, axes, stride, dilation, outputPadding: [0, 0] as const, groups };
	if (padding === "same") {
		check(
			stride[0] === 1 && stride[1] === 1,
			() =>
				`${op}: padding "same" needs stride 1, got ${formatShape(stride.slice(2 - axes))}; ` +
				"give the padding as a number",
		);
		const lengths = axes === 2 ? kernel : [1, ...kernel];
		const [rows, columns] = [0, 1].map((axis): Pair => {
			const total = dilation[axis] * (lengths[axis] - 1);
			return [total >> 1, total - (total >> 1)];
		});
		return { ...common, padding: [rows, columns] };
	}
	check(
		typeof padding !== "string",
		() => `${op}: padding must be a number, a pair, "same" or "valid", got "${padding}"`,
	);
	return { ...common, padding: sides(op, padding, axes) };
}

/** The options of convTranspose1d and convTranspose2d. */
export function convTransposeAttrs(op: string, axes: number, options: ConvTransposeOptions<PerAxis>): ConvAttrs {
	const stride = pair(op, "stride", options.stride ?? 1, axes, 1, 1);
	const dilation = pair(op, "dilation", options.dilation ?? 1, axes, 1, 1);
	const outputPadding = pair(op, "outputPadding", options.outputPadding ?? 0, axes, 0, 0);
	for (const axis of [0, 1]) {
		check(
			outputPadding[axis] < Math.max(stride[axis], dilation[axis]),
			() =>
				`${op}: outputPadding must be less than the stride or the dilation, ` +
				`got ${formatShape(outputPadding)} with stride ${formatShape(stride)} and dilation ${formatShape(dilation)}`,
		);
	}
	const groups = checkGroups(op, options.groups ?? 1);
	return { op, axes, stride, dilation, outputPadding, groups, padding: sides(op, options.padding ?? 0, axes) };
}

/** Checks ranks, channels and bias, which convolutions have in common. Returns the sizes as pairs. */
function checkShapes(
	{ op, axes, groups }: ConvAttrs,
	x: Shape,
	weight: Shape,
	bias: Shape | null,
	layout: { names: string; inputs: number; biases: number },
): { size: Pair; kernel: Pair } {
	const spatial = axes === 2 ? "height, width" : "length";
	const plain = (shape: Shape) => formatShape(shape);
	check(
		x.length === axes + 2,
		() => `${op}: expected x [batch, channels, ${spatial}], got shape ${plain(x)}; reshape() it`,
	);
	check(weight.length === axes + 2, () => `${op}: expected weight ${layout.names}, got shape ${plain(weight)}`);
	check(
		weight[0] % groups === 0 && x[1] % groups === 0,
		() => `${op}: ${groups} groups do not divide ${x[1]} input channels and weight ${plain(weight)} evenly`,
	);
	check(
		x[1] === layout.inputs,
		() =>
			`${op}: expected ${layout.inputs} channels at axis 1, got shape ${plain(x)}; ` +
			`weight ${plain(weight)}${groups > 1 ? ` with ${groups} groups` : ""} is for ${layout.inputs}`,
	);
	check(
		weight.every((length) => length > 0),
		() => `${op}: weight ${plain(weight)} is empty; every axis must be at least 1 long`,
	);
	check(
		bias === null || (bias.length === 1 && bias[0] === layout.biases),
		() => `${op}: expected bias [${layout.biases}], one value an output channel, got shape ${plain(bias ?? [])}`,
	);
	const two = (shape: Shape): Pair => (axes === 2 ? [shape[2], shape[3]] : [1, shape[2]]);
	return { size: two(x), kernel: two(weight) };
}

/** The geometry of a convolution; x is the image. Checks everything there is to check. */
export function convGeometry(attrs: ConvAttrs, x: Shape, weight: Shape, bias: Shape | null): Geometry {
	const { op, axes, groups, stride, dilation, padding } = attrs;
	const { size, kernel } = checkShapes(attrs, x, weight, bias, {
		names: `[outChannels, inChannels / groups, ${axes === 2 ? "kernelHeight, kernelWidth" : "kernelLength"}]`,
		inputs: (weight[1] ?? 0) * groups,
		biases: weight[0],
	});
	const outSize = [0, 1].map((axis) => {
		const padded = size[axis] + padding[axis][0] + padding[axis][1];
		const extent = dilation[axis] * (kernel[axis] - 1) + 1;
		check(
			padded >= extent,
			() =>
				`${op}: the kernel covers ${extent} pixels, the padded input ${formatShape(x)} has ${padded} ` +
				`at axis ${axis + axes}; ` +
				"use a smaller kernel or dilation, or more padding",
		);
		return Math.floor((padded - extent) / stride[axis]) + 1;
	});
	return {
		images: x[0],
		...{ groups, channels: weight[1], outputs: weight[0] / groups },
		...{ size, outSize: [outSize[0], outSize[1]], kernel, stride, dilation },
		...{ top: padding[0][0], left: padding[1][0] },
	};
}

/** The geometry of a transposed convolution: x is what the convolution's output would be. */
export function convTransposeGeometry(attrs: ConvAttrs, x: Shape, weight: Shape, bias: Shape | null): Geometry {
	const { op, axes, groups, stride, dilation, padding, outputPadding } = attrs;
	const { size, kernel } = checkShapes(attrs, x, weight, bias, {
		names: `[inChannels, outChannels / groups, ${axes === 2 ? "kernelHeight, kernelWidth" : "kernelLength"}]`,
		inputs: weight[0],
		biases: (weight[1] ?? 0) * groups,
	});
	const image = [0, 1].map((axis) => {
		const extent = dilation[axis] * (kernel[axis] - 1) + 1;
		const [before, after] = padding[axis];
		const length = (size[axis] - 1) * stride[axis] - before - after + extent + outputPadding[axis];
		check(
			length > 0,
			() =>
				`${op}: padding ${before === after ? before : `${before} and ${after}`} leaves nothing of axis ${axis + axes}: ` +
				`its length would be ${length}; pad less`,
		);
		return length;
	});
	return {
		images: x[0],
		...{ groups, channels: weight[1], outputs: weight[0] / groups },
		...{ size: [image[0], image[1]], outSize: size, kernel, stride, dilation },
		...{ top: padding[0][0], left: padding[1][0] },
	};
}
