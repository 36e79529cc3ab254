// The norms: as ONNX's own operators where these say the same, else written out.

import type { BatchNormAttrs } from "../../../ops/norm/batch-norm/fused.ts";
import type { RunningStatistics } from "../../../ops/norm/batch-norm/running-statistics.ts";
import type { GroupedGeometry } from "../../../ops/norm/shared/grouped.ts";
import { sizeOf } from "../../../tensor/shape.ts";
import type { GraphWriter } from "../graph-writer.ts";
import { ints } from "../graph-writer.ts";
import { isFixed } from "../lengths.ts";
import type { OpContext, OpWriter } from "../op-context.ts";
import { alongChannels, meanAndVariance, normalized, range, scaledAndShifted } from "./statistics.ts";

const batchNorm: OpWriter<BatchNormAttrs> = (op) => {
	const { writer, attrs } = op;
	const { parts, maskAt, following, halving } = attrs;
	if (maskAt >= 0) op.fail("ONNX knows no mask; export in evaluation, where masks have no effect");
	if (parts.length > 1) op.fail("ONNX knows no virtual batches; export in evaluation, or without virtualBatchSize");
	const axis = op.axis(({ parts: [{ n, c }] }) => ({ before: n, length: c }));
	const axes = range(0, op.rank());
	// Channels are at axis 1 in ONNX.
	const forth = [0, axis, ...axes.filter((one) => one !== 0 && one !== axis)];
	const moves = axis !== 1;
	const x = moves ? writer.node("Transpose", [op.names[0]], { perm: ints(forth) }) : op.names[0];
	const y = channelsFirst(op, x);
	const back = moves ? writer.node("Transpose", [y], { perm: ints(axes.map((one) => forth.indexOf(one))) }) : y;
	if (following === null) return back;
	const activated = writer.node(following === "relu" ? "Relu" : "Sigmoid", [back]);
	const two = ints([2, 2]);
	return halving ? writer.node("AveragePool", [activated], { kernel_shape: two, strides: two }) : activated;
};

function channelsFirst(op: OpContext<BatchNormAttrs>, x: string): string {
	const { writer, attrs } = op;
	const { eps, training, running, weightAt, biasAt } = attrs;
	const [weight, bias] = [op.optional(weightAt), op.optional(biasAt)];
	const [{ c }] = attrs.parts;
	if (running && (!training || op.training)) {
		const affine = [weight ?? writer.filled([c], 1), bias ?? writer.filled([c], 0)];
		const inputs = [x, ...affine, op.option(running.mean), op.option(running.var)];
		const options = { epsilon: eps, momentum: 1 - running.momentum };
		if (!training) return writer.node("BatchNormalization", inputs, options);
		if (writer.opset < 14) op.fail("batch normalization in training needs opset 14 or later");
		return writer.node("BatchNormalization", inputs, { ...options, training_mode: 1n }, 3);
	}
	// The batch's own statistics outside of training: no runtime takes training_mode there.
	const statistics = meanAndVariance(writer, x, [0, ...range(2, op.rank())]);
	return scaledAndShifted(writer, normalized(writer, statistics, eps), weight, bias, alongChannels(c, op.rank()));
}

export interface RenormAttrs {
	readonly eps: number;
	readonly rMax: number;
	readonly dMax: number;
	readonly part: { readonly c: number };
	readonly weightAt: number;
	readonly biasAt: number;
	readonly running: RunningStatistics;
}

/** In training: ((x - μ) / σ · r + d) · weight + bias, with r and d by the running statistics. */
const batchRenorm: OpWriter<RenormAttrs> = (op) => {
	const { writer, names, attrs } = op;
	const { eps, rMax, dMax, running, weightAt, biasAt } = attrs;
	const shape = alongChannels(attrs.part.c, op.rank());
	const shaped = (name: string) => writer.node("Reshape", [name, writer.vector(shape)]);
	const clipped = (name: string, low: number, high: number) =>
		writer.node("Clip", [name, writer.scalar(low), writer.scalar(high)]);
	const statistics = meanAndVariance(writer, names[0], [0, ...range(2, op.rank())]);
	const deviation = writer.deviation(statistics.variance, eps);
	const runningDeviation = writer.deviation(shaped(op.option(running.var)), eps);
	const r = clipped(writer.div(deviation, runningDeviation), 1 / rMax, rMax);
	const shift = writer.sub(statistics.mean, shaped(op.option(running.mean)));
	const d = clipped(writer.div(shift, runningDeviation), -dMax, dMax);
	const y = writer.add(writer.mul(writer.div(statistics.centered, deviation), r), d);
	return scaledAndShifted(writer, y, op.optional(weightAt), op.optional(biasAt), shape);
};

export interface GroupedAttrs {
	readonly geometry: GroupedGeometry;
	readonly eps: number;
	readonly weightAt: number;
	readonly biasAt: number;
	readonly affineShape: readonly number[];
}

/**
 * Layer, RMS, group, instance and filter response norm are one op, told apart by what it averages over: the last axes,
 * with a scale for each element of them, or groups of channels, with a scale for each channel.
 */
const grouped: OpWriter<GroupedAttrs> = (op) => {
	const { span, period } = op.attrs.geometry;
	const affine = op.attrs.weightAt >= 0 || op.attrs.biasAt >= 0;
	return period === 1 && (span === 1 || !affine) ? lastAxes(op) : channelGroups(op);
};

/** Layer and RMS norm, and weight standardization. */
function lastAxes(op: OpContext<GroupedAttrs>): string {
	const { writer, names, attrs } = op;
	const { geometry, eps, weightAt, biasAt, affineShape } = attrs;
	const rank = op.rank();
	const first = affineShape.length > 0 ? rank - affineShape.length : axisOfTail(op, geometry.length);
	const shape = op.inputs[0].shape.slice(first).map(({ plus }) => plus);
	const [weight, bias] = [op.optional(weightAt), op.optional(biasAt)];
	if (geometry.centered && writer.opset >= 17) {
		const scale = weight ?? writer.filled(shape, 1);
		return writer.node("LayerNormalization", [names[0], scale, bias], {
			axis: BigInt(first - rank),
			epsilon: eps,
		});
	}
	const y = normalized(writer, meanAndVariance(writer, names[0], range(first, rank), geometry.centered), eps);
	return scaledAndShifted(writer, y, weight, bias);
}

/** The axis from which on there are `length` elements. */
function axisOfTail(op: OpContext<GroupedAttrs>, length: number): number {
	const { shape } = op.inputs[0];
	const found = shape.findIndex((_, axis) => {
		const tail = shape.slice(axis);
		return tail.every(isFixed) && sizeOf(tail.map(({ plus }) => plus)) === length;
	});
	return found >= 0
		? found
		: op.fail(`there are no last axes of ${length} elements that are the same whatever the batch`);
}

/** Group, instance and filter response norm over `[N, C, …]`. */
function channelGroups(op: OpContext<GroupedAttrs>): string {
	const { writer, names, attrs } = op;
	const { geometry, eps, weightAt, biasAt } = attrs;
	const groups = geometry.period;
	const channels = op.fixedLength(0, 1);
	const rank = op.rank();
	const [weight, bias] = [op.optional(weightAt), op.optional(biasAt)];
	if (!geometry.centered) {
		if (groups !== channels) op.fail("a mean square over several channels cannot be written");
		const y = normalized(writer, meanAndVariance(writer, names[0], range(2, rank), false), eps);
		return scaledAndShifted(writer, y, weight, bias, alongChannels(channels, rank));
	}
	const full = (name: string | null, count: number, value: number) => name ?? writer.filled([count], value);
	if (groups === channels && rank > 2) {
		const inputs = [names[0], full(weight, channels, 1), full(bias, channels, 0)];
		return writer.node("InstanceNormalization", inputs, { epsilon: eps });
	}
	if (writer.opset >= 21 && rank > 2) {
		const inputs = [names[0], full(weight, channels, 1), full(bias, channels, 0)];
		return writer.node("GroupNormalization", inputs, { epsilon: eps, num_groups: BigInt(groups) });
	}
	// Before version 21 GroupNormalization had a scale for each group: each group as one channel instead.
	const runs = op.reshaped(0, [op.inputs[0].shape[0], groups, null]);
	const inputs = [runs, writer.filled([groups], 1), writer.filled([groups], 0)];
	const y = writer.node("InstanceNormalization", inputs, { epsilon: eps });
	return scaledAndShifted(writer, restored(op, y), weight, bias, alongChannels(channels, rank));
}

function restored({ writer, shape }: OpContext<GroupedAttrs>, y: string): string {
	return writer.reshape(y, shape.slice(0, 1), shape);
}

export interface SwitchableAttrs {
	readonly eps: number;
	readonly c: number;
	readonly sources: readonly ("instance" | "layer" | "batch")[];
	readonly training: boolean;
	readonly weightAt: number;
	readonly biasAt: number;
	readonly running: { readonly mean: RunningStatistics["mean"]; readonly var: RunningStatistics["var"] } | null;
}

/** The statistics of each source, mixed by the softmax of what is learned. */
const switchableNorm: OpWriter<SwitchableAttrs> = (op) => {
	const { writer, names, attrs } = op;
	const { eps, c, sources, training, running, weightAt, biasAt } = attrs;
	const [x, meanWeight, varWeight] = names;
	const rank = op.rank();
	const shape = alongChannels(c, rank);
	const shaped = (name: string) => writer.node("Reshape", [name, writer.vector(shape)]);
	const over = { instance: range(2, rank), layer: range(1, rank), batch: [0, ...range(2, rank)] };
	const statistics = sources.map((source) => {
		if (source !== "batch" || training || !running) return meanAndVariance(writer, x, over[source]);
		return { mean: shaped(op.option(running.mean)), variance: shaped(op.option(running.var)) };
	});
	const mixed = (logits: string, terms: readonly string[]): string => {
		const shares = writer.node("Softmax", [logits], { axis: 0n });
		return terms.map((term, i) => writer.mul(term, shareOf(writer, shares, i))).reduce((a, b) => writer.add(a, b));
	};
	const mean = mixed(
		meanWeight,
		statistics.map((one) => one.mean),
	);
	const variance = mixed(
		varWeight,
		statistics.map((one) => one.variance),
	);
	const y = normalized(writer, { mean, variance, centered: writer.sub(x, mean) }, eps);
	return scaledAndShifted(writer, y, op.optional(weightAt), op.optional(biasAt), shape);
};

/** Element `at` of a vector, of one axis. */
function shareOf(writer: GraphWriter, vector: string, at: number): string {
	return writer.node("Gather", [vector, writer.vector([at])], { axis: 0n });
}

export const norms = { batchNorm, batchRenorm, norm: grouped, switchableNorm };
