// What norms are made of where ONNX has no operator for one: mean and variance over axes, scale and shift.

import type { Shape } from "../../../tensor/shape.ts";
import type { GraphWriter } from "../graph-writer.ts";

/** Whole numbers from `from` up to `to`, which is not among them. */
export function range(from: number, to: number): number[] {
	return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** Names of values that broadcast against x. */
export interface Statistics {
	readonly mean: string;
	/** Biased; the mean square, where no mean is taken out. */
	readonly variance: string;
	/** x without its mean. */
	readonly centered: string;
}

/** Mean and variance of `x` over `axes`. Not `centered`: the mean square. */
export function meanAndVariance(writer: GraphWriter, x: string, axes: readonly number[], centered = true): Statistics {
	const mean = centered ? writer.reduce("ReduceMean", x, axes, true) : "";
	const deviations = centered ? writer.sub(x, mean) : x;
	const variance = writer.reduce("ReduceMean", writer.mul(deviations, deviations), axes, true);
	return { mean, variance, centered: deviations };
}

/** (x - mean) / sqrt(variance + eps) */
export function normalized(writer: GraphWriter, { variance, centered }: Statistics, eps: number): string {
	return writer.div(centered, writer.deviation(variance, eps));
}

/** y · weight + bias, each brought to `shape` first, if there is one. */
export function scaledAndShifted(
	writer: GraphWriter,
	y: string,
	weight: string | null,
	bias: string | null,
	shape?: Shape,
): string {
	const shaped = (name: string) =>
		shape && shape.length > 1 ? writer.node("Reshape", [name, writer.vector(shape)]) : name;
	const scaled = weight === null ? y : writer.mul(y, shaped(weight));
	return bias === null ? scaled : writer.add(scaled, shaped(bias));
}

/** The shape that meets axis 1 of a tensor of `rank` axes: `[channels, 1, …, 1]`. */
export function alongChannels(channels: number, rank: number): Shape {
	return [channels, ...new Array<number>(rank - 2).fill(1)];
}
