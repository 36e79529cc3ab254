// The four normalizations. With constant scale and shift they are layers; where these are computed, the functions.

import { check } from "../../errors.ts";
import { quote } from "../../model-files/show.ts";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../../nn/layers/batch-norm.ts";
import { ChannelNorm } from "../../nn/layers/channel-norm.ts";
import { GroupNorm } from "../../nn/layers/group-norm.ts";
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "../../nn/layers/instance-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import type { Module } from "../../nn/module.ts";
import { writeInto } from "../../nn/parameter.ts";
import { add, clone, mul, pow, sub } from "../../ops/elementwise/op.ts";
import { batchNorm } from "../../ops/norm/batch-norm/op.ts";
import { groupNorm } from "../../ops/norm/group-norm/op.ts";
import { instanceNorm } from "../../ops/norm/instance-norm/op.ts";
import { layerNorm } from "../../ops/norm/layer-norm/op.ts";
import { mean } from "../../ops/reduce/op.ts";
import { flatten, reshape } from "../../ops/shape/op.ts";
import { normalizeAxis, sameShape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { BatchNormAnyRank, InstanceNormAnyRank } from "../any-rank.ts";
import type { Run } from "../graph-module.ts";
import { asItStands } from "../importer.ts";
import type { NodeContext, Operator } from "../node-context.ts";
import { type Env, type Input, tensorOf } from "../value.ts";

/** Where a norm's parameters stand among a node's inputs, by their names in a state dict. */
const affine = { weight: 1, bias: 2 };
const statistics = { running_mean: 3, running_var: 4 };

interface Options {
	readonly eps: number;
	readonly decay: number;
	readonly runningVariance: "biased";
}

/**
 * BatchNormalization of all versions. Training (`training_mode`, and before version 14 a node that returns its
 * statistics) normalizes by the batch, and running = old * momentum + batch * (1 - momentum) with the biased variance.
 */
export const batchNormalization: Operator = (node) => {
	const options: Options = {
		eps: node.float("epsilon", 1e-5),
		decay: node.float("momentum", 0.9),
		runningVariance: "biased",
	};
	// Before version 9 each element of a map could have statistics of its own.
	const spatial = node.opset >= 9 || node.flag("spatial", true);
	const training = isTraining(node);
	node.noOutputsFrom(3, "a saved statistic");
	const constant = [1, 2, 3, 4].every((index) => node.constant(index));
	return constant
		? batchNormLayer(node, options, spatial, training)
		: batchNormFunction(node, options, spatial, training);
};

/** Version 14 on says so; version 6 says if not; in between, a node that returns its statistics is training. */
function isTraining(node: NodeContext): boolean {
	if (node.opset >= 14) return node.flag("training_mode", false);
	return node.opset < 7 ? !node.flag("is_test", false) : node.wants(1) || node.wants(2);
}

function batchNormLayer(node: NodeContext, options: Options, spatial: boolean, training: boolean): Run {
	const features = sizeOf(node.constant(1)?.shape ?? []);
	const entries = { ...affine, ...statistics };
	const layer = node.norm({ ...options, spatial, training }, entries, (key) => {
		const made = new (spatial ? batchNormClass(node.dims(0)?.length) : BatchNorm1d)(features, options);
		made.weight = vectorParameter(node, 1, key);
		made.bias = vectorParameter(node, 2, key);
		for (const [buffer, index] of [
			[made.runningMean, 3],
			[made.runningVar, 4],
		] as const) {
			const found = node.constant(index);
			if (!buffer || !found) continue;
			if (sizeOf(found.shape) !== features)
				node.fail(`its input ${index} has ${sizeOf(found.shape)} values, not ${features}`);
			writeInto(buffer, tensorOf(found));
			node.importer.bindBuffer(buffer, node.proto.input[index]);
		}
		return made;
	});
	if (training) node.importer.trains(layer);
	const x = node.input(0);
	if (spatial) node.layerInput = x;
	const forward = (input: Tensor) =>
		spatial ? layer.forward(input) : reshape(layer.forward(flatten(input, 1)), input.shape);
	return (env) => [forward(x.tensor(env)), ...runningOutputs(node, ...statisticsOf(layer.layer))];
}

/** The running statistics of the layer that stands there now. */
function statisticsOf(layer: Module): (Tensor | null)[] {
	return layer instanceof ChannelNorm ? [layer.runningMean, layer.runningVar] : [];
}

function batchNormClass(rank: number | undefined) {
	if (rank === 2 || rank === 3) return BatchNorm1d;
	if (rank === 4) return BatchNorm2d;
	return rank === 5 ? BatchNorm3d : BatchNormAnyRank;
}

function batchNormFunction(node: NodeContext, options: Options, spatial: boolean, training: boolean): Run {
	const [x, weight, bias, meanInput, varInput] = [0, 1, 2, 3, 4].map((index) => node.input(index));
	return (env) => {
		const input = x.tensor(env);
		// Copies: in training they are updated in place, and the inputs are the caller's.
		const [runningMean, runningVar] = [meanInput, varInput].map((one) => clone(flatten(one.tensor(env)).detach()));
		const y = batchNorm(spatial ? input : flatten(input, 1), {
			...options,
			...{ weight: flatten(weight.tensor(env)), bias: flatten(bias.tensor(env)) },
			...{ runningMean, runningVar, training, name: node.label },
		});
		return [spatial ? y : reshape(y, input.shape), ...runningOutputs(node, runningMean, runningVar)];
	};
}

/** The second and third output, where somebody reads them. */
function runningOutputs(node: NodeContext, ...tensors: (Tensor | null)[]): (Tensor | undefined)[] {
	return tensors.map((tensor, i) => (node.wants(i + 1) && tensor ? clone(tensor) : undefined));
}

/** A parameter of as many values as the constant has, in one axis. */
function vectorParameter(node: NodeContext, index: number, key: string) {
	const size = sizeOf(node.constant(index)?.shape ?? []);
	return node.importer.parameter(node.proto.input[index], [size], { ...asItStands, label: key });
}

/** InstanceNormalization: each channel of each example by its own mean and variance. */
export const instanceNormalization: Operator = (node) => {
	const eps = node.float("epsilon", 1e-5);
	if (node.constant(1) && node.constant(2)) {
		const features = sizeOf(node.constant(1)?.shape ?? []);
		const layer = node.norm({ eps }, affine, (key) => {
			const made = new (instanceNormClass(node.dims(0)?.length))(features, { eps, affine: true });
			made.weight = vectorParameter(node, 1, key);
			made.bias = vectorParameter(node, 2, key);
			return made;
		});
		return node.runLayer(layer);
	}
	const [x, weight, bias] = [0, 1, 2].map((index) => node.input(index));
	return (env) =>
		instanceNorm(x.tensor(env), { weight: weight.tensor(env), bias: bias.tensor(env), eps, name: node.label });
};

function instanceNormClass(rank: number | undefined) {
	if (rank === 3) return InstanceNorm1d;
	if (rank === 4) return InstanceNorm2d;
	return rank === 5 ? InstanceNorm3d : InstanceNormAnyRank;
}

/** LayerNormalization: over the axes from `axis` on. Mean and 1 / standard deviation are returned where asked for. */
export const layerNormalization: Operator = (node) => {
	const axis = node.int("axis", -1);
	const eps = node.float("epsilon", 1e-5);
	const scale = node.constant(1);
	const shift = node.constant(2);
	const rank = node.dims(0)?.length;
	const normalized = rank === undefined ? null : rank - normalizeAxis(axis, rank, node.label);
	const asLayer =
		scale &&
		scale.shape.length === (normalized ?? -axis) &&
		(!node.has(2) || (shift && sameShape(shift.shape, scale.shape)));
	const x = node.input(0);
	if (asLayer) {
		const entries = node.has(2) ? affine : { weight: 1 };
		const layer = node.norm({ eps }, entries, (key) => {
			const made = new LayerNorm(scale.shape, { eps, bias: node.has(2) });
			made.weight = node.parameter(1, { ...asItStands, label: key });
			if (node.has(2)) made.bias = node.parameter(2, { ...asItStands, label: key });
			return made;
		});
		node.layerInput = x;
		return (env) => withStatistics(node, x.tensor(env), axis, eps, (input) => layer.forward(input));
	}
	const [weight, bias] = [node.input(1), node.optional(2)];
	return (env) =>
		withStatistics(node, x.tensor(env), axis, eps, (input) => {
			const first = normalizeAxis(axis, input.ndim, node.label);
			return affineOf(layerNorm(input, input.shape.slice(first), { eps, name: node.label }), weight, bias, env);
		});
};

/** x times scale plus shift, which broadcast. */
function affineOf(x: Tensor, weight: Input, bias: Input | null, env: Env): Tensor {
	const scaled = mul(x, weight.tensor(env));
	return bias ? add(scaled, bias.tensor(env)) : scaled;
}

function withStatistics(node: NodeContext, x: Tensor, axis: number, eps: number, run: (x: Tensor) => Tensor) {
	const y = run(x);
	if (!node.wants(1) && !node.wants(2)) return y;
	const first = normalizeAxis(axis, x.ndim, node.label);
	const axes = Array.from({ length: x.ndim - first }, (_, i) => first + i);
	const center = mean(x, axes, { keepDims: true });
	const deviation = sub(x, center);
	const variance = mean(mul(deviation, deviation), axes, { keepDims: true });
	return [y, center, pow(add(variance, eps), -0.5)];
}

/** What a file says of a shape is not to be trusted with memory. */
const MOST_CHANNELS = 2 ** 16;

/**
 * GroupNormalization. Version 18 scales each group, version 21 each channel. The former is a layer too, where the
 * number of channels is known: each group's scale, once for each of its channels.
 */
export const groupNormalization: Operator = (node) => {
	const eps = node.float("epsilon", 1e-5);
	const groups = node.int("num_groups", 0);
	if (groups < 1) node.fail(`num_groups must be at least 1, got ${groups}`);
	const scale = node.constant(1);
	const perGroup = node.opset < 21;
	const channels = perGroup ? (node.dims(0)?.[1] ?? null) : (scale?.shape[0] ?? null);
	if (scale && node.constant(2) && channels !== null && channels <= MOST_CHANNELS) {
		const layer = node.norm({ eps, groups, channels }, affine, (key) => {
			const made = new GroupNorm(groups, channels, { eps });
			made.weight = perChannel(node, 1, channels, key);
			made.bias = perChannel(node, 2, channels, key);
			return made;
		});
		return node.runLayer(layer);
	}
	const [x, weight, bias] = [0, 1, 2].map((index) => node.input(index));
	return (env) => {
		const input = x.tensor(env);
		const [w, b] = [weight.tensor(env), bias.tensor(env)];
		if (!perGroup) return groupNorm(input, groups, { weight: w, bias: b, eps, name: node.label });
		const y = reshape(groupNorm(input, groups, { eps, name: node.label }), [input.shape[0], groups, -1]);
		return reshape(add(mul(y, reshape(w, [groups, 1])), reshape(b, [groups, 1])), input.shape);
	};
};

/** A group's value for each of its channels; a channel's as it is. */
function perChannel(node: NodeContext, index: number, channels: number, key: string) {
	const size = sizeOf(node.constant(index)?.shape ?? []);
	const name = node.proto.input[index];
	if (size === channels) return node.importer.parameter(name, [channels], { ...asItStands, label: key });
	check(channels % size === 0, () => `${node.label}: ${size} groups do not divide ${channels} channels`);
	const span = channels / size;
	return node.importer.parameter(name, [channels], {
		label: `per channel ${key}`,
		apply: (data) => Float32Array.from({ length: channels }, (_, i) => data[Math.floor(i / span)]),
		restore(values) {
			const uneven = Array.from(values).findIndex((value, i) => value !== values[i - (i % span)]);
			check(
				uneven < 0,
				() =>
					`${node.label}: ${quote(name)} holds one value a group, and channel ${uneven} has learned another than its group`,
			);
			return Float32Array.from({ length: size }, (_, group) => values[group * span]);
		},
	});
}
