// What an optimizer is given: parameters, named or not, in one group or several, each group with
// options of its own.

import { check, EvenkeelError } from "../errors.ts";
import { isNorm } from "../nn/is-norm.ts";
import { Module } from "../nn/module.ts";
import { isTensor } from "../ops/op.ts";
import { isFloat } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A parameter under its name, as `namedParameters()` yields them. */
export type NamedParam = readonly [name: string, param: Tensor];

/** Parameters that share options; those left out are the optimizer's. */
export type ParamGroupInput<Options> = Partial<Options> & { params: Iterable<Tensor | NamedParam> };

/** What an optimizer is built from: parameters, named parameters, or groups of either. */
export type ParamsInput<Options> = Iterable<Tensor | NamedParam | ParamGroupInput<Options>>;

/** Parameters and their options, which may be changed between steps. */
export type ParamGroup<Options> = { -readonly [Key in keyof Options]: Options[Key] } & {
	readonly params: readonly Tensor[];
	/** The names of `params`; where none were given, their numbers over all groups. */
	readonly names: readonly string[];
	/** The learning rate before any schedule changed it. */
	initialLr?: number;
};

type Entry<Options> = Tensor | NamedParam | ParamGroupInput<Options>;

function isNamed(value: unknown): value is NamedParam {
	return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && isTensor(value[1]);
}

function isGroup<Options>(entry: Entry<Options>): entry is ParamGroupInput<Options> {
	return typeof entry === "object" && entry !== null && !isTensor(entry) && "params" in entry;
}

function checkList(optimizer: string, params: unknown): void {
	const isObject = typeof params === "object" && params !== null;
	check(isObject && Symbol.iterator in params, () =>
		isObject && "namedParameters" in params
			? `${optimizer}: got a module; pass its parameters: new ${optimizer}(net.namedParameters(), …)`
			: `${optimizer}: params must be a list of parameters, of [name, parameter] pairs or of groups, got ${String(params)}`,
	);
}

/** The parameters of each group of `input`, and its options (those of a group still with `params` among them). */
export function splitGroups<Options>(
	optimizer: string,
	input: ParamsInput<Options>,
): { params: Iterable<Tensor | NamedParam>; options: Partial<Options> }[] {
	checkList(optimizer, input);
	const entries: Entry<Options>[] = [...input];
	check(entries.length > 0, `${optimizer}: there are no parameters to optimize`);
	const groups = entries.filter((entry) => isGroup(entry));
	const single = entries.filter((entry): entry is Tensor | NamedParam => !isGroup(entry));
	check(
		groups.length === 0 || single.length === 0,
		`${optimizer}: params mixes groups and single parameters; put the single ones into a group { params: […] }`,
	);
	if (groups.length > 0) return groups.map((group) => ({ params: group.params, options: group }));
	return [{ params: single, options: {} }];
}

/** Names and parameters of one group; the unnamed are numbered from `offset`. */
export function namedParams(optimizer: string, params: Iterable<Tensor | NamedParam>, offset: number): NamedParam[] {
	checkList(optimizer, params);
	return [...params].map((entry, i): NamedParam => {
		const [name, param] = isNamed(entry) ? entry : [String(offset + i), entry];
		if (!isTensor(param)) {
			throw new EvenkeelError(
				`${optimizer}: parameter ${name} is ${entry === null ? "null" : typeof entry}, expected a Tensor or [name, Tensor]`,
			);
		}
		checkParam(optimizer, name, param);
		return [name, param];
	});
}

function checkParam(optimizer: string, name: string, param: Tensor): void {
	check(!param.disposed, () => `${optimizer}: parameter "${name}", ${param.describe()}, has been freed`);
	check(
		param.gradFn === null,
		() =>
			`${optimizer}: parameter "${name}", ${param.describe()}, was computed; only leaves can be optimized: detach() it`,
	);
	check(
		isFloat(param.dtype),
		() =>
			`${optimizer}: parameter "${name}", ${param.describe()}, is ${param.dtype}; only floating tensors can be optimized`,
	);
}

/** Whatever can list its parameters by name, such as a module. */
export interface HasNamedParameters {
	namedParameters(): Iterable<NamedParam>;
}

/**
 * Two groups for an optimizer: parameters of two and more dimensions (weights of linear and
 * convolutional layers), which decay, and the rest (biases, scales and shifts of normalization, whatever
 * their dimensions if `net` is a module), which do not, since decay there regularizes nothing and only slows training.
 *
 *     new optim.AdamW(optim.noWeightDecayOnNorms(net, { weightDecay: 0.05 }), { lr: 1e-3 })
 *
 * @param net a module, or `[name, parameter]` pairs
 */
export function noWeightDecayOnNorms(
	net: HasNamedParameters | Iterable<NamedParam>,
	options: { weightDecay: number },
): [ParamGroupInput<{ weightDecay: number }>, ParamGroupInput<{ weightDecay: number }>] {
	const { weightDecay } = options;
	check(
		Number.isFinite(weightDecay) && weightDecay >= 0,
		() => `noWeightDecayOnNorms: weightDecay must be a finite number of at least 0, got ${weightDecay}`,
	);
	const named = "namedParameters" in net ? net.namedParameters() : net;
	const all = namedParams("noWeightDecayOnNorms", named, 0);
	// A layer norm over several axes has a scale of as many dimensions.
	const norms = net instanceof Module ? net.modules().filter(isNorm) : [];
	const ofNorms = new Set<Tensor>(norms.flatMap((norm) => norm.parameters()));
	const decays = (param: Tensor) => param.ndim >= 2 && !ofNorms.has(param);
	return [
		{ params: all.filter(([, param]) => decays(param)), weightDecay },
		{ params: all.filter(([, param]) => !decays(param)), weightDecay: 0 },
	];
}
