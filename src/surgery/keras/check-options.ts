// What Keras's configuration says of a layer, held against ours: weights in a layer of another stride, padding or epsilon
// load without a word and compute something else.

import { check, EvenkeelError } from "../../errors.ts";
import { numberOption } from "../../model-files/keras/config.ts";
import type { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../../nn/layers/batch-norm.ts";
import type { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d } from "../../nn/layers/conv.ts";
import type { GroupNorm } from "../../nn/layers/group-norm.ts";
import type { LayerNorm } from "../../nn/layers/layer-norm.ts";
import type { Module } from "../../nn/module.ts";
import type { Pair } from "./kinds.ts";

type Options = Readonly<Record<string, unknown>>;

function differs(module: Module, keras: string, what: string, theirs: unknown, ours: unknown, remedy: string): never {
	throw new EvenkeelError(
		`${module.label}: ${what} is ${JSON.stringify(ours)}, and that of Keras's ${keras} ${JSON.stringify(theirs)}; build it with ${remedy}`,
	);
}

function checkEps({ keras }: Pair, module: Module & { readonly eps: number }): void {
	const epsilon = keras.options && (numberOption(keras.options, "epsilon") ?? 1e-3);
	if (epsilon === null || Math.abs(epsilon - module.eps) <= 1e-6 * epsilon) return;
	differs(module, keras.name, "eps", epsilon, module.eps, `eps: ${epsilon}`);
}

export function checkBatchNorm(pair: Pair, module: BatchNorm1d | BatchNorm2d | BatchNorm3d): void {
	const { keras } = pair;
	checkEps(pair, module);
	check(
		module.trackRunningStats,
		() =>
			`${module.label}: Keras's ${keras.name} has running statistics and this layer has none; build it with trackRunningStats: true`,
	);
}

export function checkLayerNorm(pair: Pair, module: LayerNorm): void {
	const { keras } = pair;
	checkEps(pair, module);
	check(
		keras.options?.rms_scaling !== true,
		() => `${module.label}: Keras's ${keras.name} has rms_scaling, which nn.LayerNorm does not have; use nn.RMSNorm`,
	);
}

export function checkGroupNorm(pair: Pair, module: GroupNorm): void {
	const { keras } = pair;
	checkEps(pair, module);
	// -1: as many groups as channels.
	const given = keras.options && (numberOption(keras.options, "groups") ?? 32);
	const groups = given === -1 ? module.numChannels : given;
	if (groups !== null && groups !== module.numGroups) {
		differs(module, keras.name, "the number of groups", groups, module.numGroups, `${groups} groups`);
	}
}

/** @param channels those of the input, for a depthwise convolution */
export function checkConv(pair: Pair, module: AnyConv, channels: number | null): void {
	const { keras } = pair;
	const { options } = keras;
	const axes = module.weight.shape.length - 2;
	const own: Options = { ...module.options };
	const groups = channels ?? (options && (numberOption(options, "groups") ?? 1));
	if (groups !== null && groups !== (own.groups ?? 1)) {
		differs(module, keras.name, "groups", groups, own.groups ?? 1, `groups: ${groups}`);
	}
	if (!options) return;
	for (const [theirs, ours] of [
		["strides", "stride"],
		["dilation_rate", "dilation"],
	] as const) {
		const [expected, found] = [perAxis(options[theirs], axes), perAxis(own[ours], axes)];
		if (expected.join() !== found.join()) {
			differs(module, keras.name, ours, expected, found, `${ours}: ${JSON.stringify(expected)}`);
		}
	}
	checkPadding(pair, module, options, axes);
}

function perAxis(value: unknown, axes: number): number[] {
	if (Array.isArray(value)) return value.map(Number);
	return new Array<number>(axes).fill(typeof value === "number" ? value : 1);
}

type AnyConv = Conv1d | Conv2d | ConvTranspose1d | ConvTranspose2d;

function checkPadding({ keras, observed }: Pair, module: AnyConv, options: Options, axes: number): void {
	const kernel = module.weight.shape.slice(2);
	const [stride, dilation] = [perAxis(options.strides, axes), perAxis(options.dilation_rate, axes)];
	const sizes = observed?.inputShape.slice(1);
	const isTransposed = keras.className.toLowerCase().endsWith("transpose");
	const reaches = kernel.map((length, axis) => (length - 1) * dilation[axis]);
	const expected = reaches.map((reach, axis): [number, number] | null => {
		if (options.padding === "causal") return [reach, 0];
		if (options.padding !== "same") return [0, 0];
		return isTransposed ? sameCut(reach, stride[axis]) : samePadding(reach, stride[axis], sizes?.[axis]);
	});
	const found = reaches.map((reach, axis) => ownPadding(module.options.padding, axis, reach));
	expected.forEach((wanted, axis) => {
		if (wanted && wanted.join() !== found[axis].join()) {
			differs(module, keras.name, "padding", expected, found, `padding: ${JSON.stringify(expected)}`);
		}
	});
}

/**
 * TensorFlow's "same": ceil(size / stride) outputs, and zeros for them on both sides, the odd one at the end. Null where
 * that depends on a size that is not known.
 */
function samePadding(reach: number, stride: number, size: number | undefined): [number, number] | null {
	if (stride === 1) return halves(reach);
	if (size === undefined) return null;
	return halves(Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach + 1 - size));
}

/** What a transposed "same" cuts off: size * stride outputs are left. Null where rows would have to be added. */
function sameCut(reach: number, stride: number): [number, number] | null {
	return reach + 1 < stride ? null : halves(reach + 1 - stride);
}

const halves = (total: number): [number, number] => [Math.floor(total / 2), Math.ceil(total / 2)];

/** Before and after, from what Conv1d and Conv2d take as padding. */
function ownPadding(padding: unknown, axis: number, reach: number): [number, number] {
	if (padding === "same") return halves(reach);
	if (typeof padding === "number") return [padding, padding];
	const own: unknown = Array.isArray(padding) ? padding[axis] : 0;
	if (Array.isArray(own)) return [Number(own[0]), Number(own[1])];
	return typeof own === "number" ? [own, own] : [0, 0];
}
