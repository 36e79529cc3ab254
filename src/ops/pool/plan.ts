// Where each window of a pooling lies. Sizes follow PyTorch: pooling over [N, C, L] is pooling over
// planes of height 1.

import { check } from "../../errors.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { checkFloat } from "../op.ts";

/** A number for all spatial axes, or one for each. */
export type Lengths = number | readonly number[];

/** What is pooled: `planes` = N C arrays of height x width into outHeight x outWidth. */
export interface Planes {
	readonly planes: number;
	readonly height: number;
	readonly width: number;
	readonly outHeight: number;
	readonly outWidth: number;
	readonly inShape: readonly number[];
	readonly outShape: readonly number[];
}

/** The part [start, end) of an axis that one output averages, and what it counts as in the divisor. */
export interface Window {
	readonly start: number;
	readonly end: number;
	readonly count: number;
}

/** Output (i, j) is the sum over rows[i] x cols[j] divided by the product of their counts. */
export interface AveragePlan extends Planes {
	readonly rows: readonly Window[];
	readonly cols: readonly Window[];
	/** What the windows follow from; null where the output's size was asked for instead. */
	readonly regular: RegularWindows | null;
}

/** Windows that are all alike, along each spatial axis. */
export interface RegularWindows {
	readonly taps: readonly Taps[];
	readonly countIncludePad: boolean;
}

/** The taps of output i along an axis are at i stride - padding + k dilation, k < kernel. */
export interface Taps {
	readonly kernel: number;
	readonly stride: number;
	readonly padding: number;
	readonly dilation: number;
	readonly ceil: boolean;
}

export interface MaxPlan extends Planes {
	readonly rows: Taps;
	readonly cols: Taps;
}

export interface WindowOptions {
	/** Default: the kernel size, so that windows touch. */
	stride?: Lengths;
	/** Rows and columns assumed at each edge, at most half of the kernel. Default 0. */
	padding?: Lengths;
	/** Distance between the elements of a window. Default 1. */
	dilation?: Lengths;
	/** Keep a last window that reaches beyond the edge. Default false. */
	ceilMode?: boolean;
}

/** What kernels can count to. */
const MOST = 2 ** 31;

const ONE_ROW: Taps = { kernel: 1, stride: 1, padding: 0, dilation: 1, ceil: false };

/** Checks x and returns its spatial lengths. */
export function spatialLengths(op: string, x: Tensor, dimensions: 1 | 2): number[] {
	checkFloat(op, x);
	check(
		x.ndim === dimensions + 2,
		() => `${op}: expected an input of shape ${dimensions === 1 ? "[N, C, L]" : "[N, C, H, W]"}, got ${x.describe()}`,
	);
	return x.shape.slice(2);
}

function lengths(op: string, what: string, value: Lengths, dimensions: number, least: number): readonly number[] {
	const list = typeof value === "number" ? new Array<number>(dimensions).fill(value) : value;
	check(
		Array.isArray(list) && list.length === dimensions && list.every((v) => Number.isInteger(v) && v >= least),
		() => `${op}: ${what} must be a whole number of at least ${least}, or ${dimensions} of them, got ${String(value)}`,
	);
	check(
		list.every((v) => v < MOST),
		() => `${op}: ${what} must be below 2^31, got ${String(value)}`,
	);
	return list;
}

/** The taps along each spatial axis, checked. */
export function tapsOf(op: string, dimensions: 1 | 2, kernelSize: Lengths, options: WindowOptions): Taps[] {
	const kernel = lengths(op, "kernelSize", kernelSize, dimensions, 1);
	const stride = lengths(op, "stride", options.stride ?? kernel, dimensions, 1);
	const padding = lengths(op, "padding", options.padding ?? 0, dimensions, 0);
	const dilation = lengths(op, "dilation", options.dilation ?? 1, dimensions, 1);
	return kernel.map((size, axis) => {
		check(
			2 * padding[axis] <= size,
			() => `${op}: padding ${padding[axis]} is more than half of the kernel, ${size}; whole windows would be padding`,
		);
		return {
			kernel: size,
			stride: stride[axis],
			padding: padding[axis],
			dilation: dilation[axis],
			ceil: options.ceilMode ?? false,
		};
	});
}

/** How many windows fit along an axis of `length`. */
export function outputLength(op: string, length: number, taps: Taps): number {
	const { kernel, stride, padding, dilation, ceil } = taps;
	const reach = dilation * (kernel - 1) + 1;
	const room = length + 2 * padding - reach;
	let count = Math.floor((room + (ceil ? stride - 1 : 0)) / stride) + 1;
	// The last window must start inside the input or before it.
	if (ceil && (count - 1) * stride >= length + padding) count--;
	check(
		count >= 1 && length >= 1,
		() =>
			`${op}: a window reaches over ${reach} elements, but the input has ${length} with padding ${padding} at each edge`,
	);
	return count;
}

/** The planes of x and what they become; `outLengths` along the spatial axes. */
export function planesOf(x: Tensor, outLengths: readonly number[]): Planes {
	const [n, channels, ...spatial] = x.shape;
	const [outHeight, outWidth] = outLengths.length === 1 ? [1, outLengths[0]] : outLengths;
	const [height, width] = spatial.length === 1 ? [1, spatial[0]] : spatial;
	const outShape = [n, channels, ...outLengths];
	return { planes: n * channels, height, width, outHeight, outWidth, inShape: x.shape, outShape };
}

export function maxPlan(x: Tensor, taps: readonly Taps[], outLengths: readonly number[]): MaxPlan {
	const [rows, cols] = taps.length === 1 ? [ONE_ROW, taps[0]] : taps;
	return { ...planesOf(x, outLengths), rows, cols };
}

/** The windows of each output of an average, with the padding counted or not. */
export function averageWindows(length: number, count: number, taps: Taps, countIncludePad: boolean): Window[] {
	return Array.from({ length: count }, (_, i) => {
		const first = i * taps.stride - taps.padding;
		const last = Math.min(first + taps.kernel, length + taps.padding);
		const start = Math.max(first, 0);
		const end = Math.min(last, length);
		return { start, end, count: countIncludePad ? last - first : end - start };
	});
}

/** Windows that divide an axis into `count` parts as evenly as whole numbers allow; they may overlap by one. */
export function adaptiveWindows(length: number, count: number): Window[] {
	return Array.from({ length: count }, (_, i) => {
		const start = Math.floor((i * length) / count);
		const end = Math.ceil(((i + 1) * length) / count);
		return { start, end, count: end - start };
	});
}

export function averagePlan(
	x: Tensor,
	windows: readonly (readonly Window[])[],
	regular: RegularWindows | null = null,
): AveragePlan {
	const [rows, cols] = windows.length === 1 ? [[{ start: 0, end: 1, count: 1 }], windows[0]] : windows;
	const planes = planesOf(
		x,
		windows.map((list) => list.length),
	);
	return { ...planes, rows, cols, regular };
}

/** The lengths of an adaptive pooling's output; null keeps the input's. */
export function adaptiveLengths(
	op: string,
	x: Tensor,
	outputSize: number | readonly (number | null)[],
	dimensions: 1 | 2,
): number[] {
	const spatial = spatialLengths(op, x, dimensions);
	const wanted = typeof outputSize === "number" ? new Array<number>(dimensions).fill(outputSize) : outputSize;
	check(
		Array.isArray(wanted) && wanted.length === dimensions,
		() => `${op}: outputSize must be a number or ${dimensions} of them, got ${String(outputSize)}`,
	);
	const result = wanted.map((length, axis) => length ?? spatial[axis]);
	check(
		result.every((length) => Number.isInteger(length) && length >= 1),
		() => `${op}: outputSize must be whole numbers of at least 1 (or null), got ${String(outputSize)}`,
	);
	check(
		spatial.every((length) => length >= 1),
		() => `${op}: there is nothing to average in an input of shape ${formatShape(x.shape)}`,
	);
	return result;
}
