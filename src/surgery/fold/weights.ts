// How an affine map moves into the weights next to it, in float64.
//
//   behind them:    scale * (W x + b) + shift = (scale W) x + (scale b + shift)
//   before them:    W (scale x + shift) + b   = (W scale) x + (b + W shift)

import { check } from "../../errors.ts";

/**
 * How a weight lies in memory: `"outputs"` first, `[out, in / groups, …]` (convolutions, linear layers), or
 * `"inputs"` first, `[in, out / groups, …]` (transposed convolutions, the right factor of a product of matrices).
 */
export interface WeightLayout {
	readonly first: "outputs" | "inputs";
	readonly shape: readonly number[];
	readonly groups: number;
}

/** How many channels go in and come out. */
export function channelsOf({ first, shape, groups }: WeightLayout): { inputs: number; outputs: number } {
	const [rows, columns] = [shape[0], shape[1] * groups];
	return first === "outputs" ? { inputs: columns, outputs: rows } : { inputs: rows, outputs: columns };
}

/** How many weights join an input with an output: the kernel's size. */
export function tapsOf({ shape }: WeightLayout): number {
	return shape.slice(2).reduce((size, length) => size * length, 1);
}

/** The weight with all that makes output o times `scale[o]`. */
export function scaleOutputs(weight: ArrayLike<number>, layout: WeightLayout, scale: Float64Array): Float64Array {
	return mapKernels(weight, layout, (value, output) => value * scale[output]);
}

/** The weight with all that reads input i times `scale[i]`. */
export function scaleInputs(weight: ArrayLike<number>, layout: WeightLayout, scale: Float64Array): Float64Array {
	return mapKernels(weight, layout, (value, _, input) => value * scale[input]);
}

/** What each output becomes where every input i is `shift[i]`: W shift, summed over all taps. */
export function outputsOf(weight: ArrayLike<number>, layout: WeightLayout, shift: Float64Array): Float64Array {
	const sums = new Float64Array(channelsOf(layout).outputs);
	eachKernel(layout, (at, end, output, input) => {
		let sum = 0;
		for (let i = at; i < end; i++) sum += weight[i];
		sums[output] += sum * shift[input];
	});
	return sums;
}

function mapKernels(
	weight: ArrayLike<number>,
	layout: WeightLayout,
	change: (value: number, output: number, input: number) => number,
): Float64Array {
	const changed = new Float64Array(weight.length);
	eachKernel(layout, (at, end, output, input) => {
		for (let i = at; i < end; i++) changed[i] = change(weight[i], output, input);
	});
	return changed;
}

/** Visits each pair of channels that weights join, with the place of these weights. */
function eachKernel(
	layout: WeightLayout,
	visit: (at: number, end: number, output: number, input: number) => void,
): void {
	const { first, shape, groups } = layout;
	const [rows, columns] = shape;
	check(rows % groups === 0, () => `fold: ${groups} groups do not divide a weight of ${rows} rows`);
	const taps = tapsOf(layout);
	const rowsOfGroup = rows / groups;
	let at = 0;
	for (let row = 0; row < rows; row++) {
		const firstColumn = Math.floor(row / rowsOfGroup) * columns;
		for (let column = firstColumn; column < firstColumn + columns; column++) {
			const [output, input] = first === "outputs" ? [row, column] : [column, row];
			visit(at, at + taps, output, input);
			at += taps;
		}
	}
}
