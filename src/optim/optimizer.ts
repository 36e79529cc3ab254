// What all optimizers share: groups with options, the state of each parameter, and how both are
// saved and loaded.

import { check, EvenkeelError } from "../errors.ts";
import { empty } from "../ops/op.ts";
import { keep } from "../tensor/scope.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
	type NamedParam,
	namedParams,
	type ParamGroup,
	type ParamGroupInput,
	type ParamsInput,
	splitGroups,
} from "./param-groups.ts";

/** A value that JSON can hold. */
export type Json = number | string | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * An optimizer's state in a form that a checkpoint can hold: tensors by name, as
 * `exp_avg.0.weight`, and JSON for everything else.
 */
export interface OptimizerState {
	tensors: Record<string, Tensor>;
	values: {
		optimizer: string;
		groups: { readonly [option: string]: Json }[];
		/** Steps taken, by parameter, where the optimizer counts them. */
		steps: { readonly [name: string]: number };
	};
}

/** What an optimizer keeps for one parameter. */
interface ParamState {
	step: number;
	readonly tensors: Map<string, Tensor>;
}

interface Rule<Value> {
	readonly initial: Value | undefined;
	/** What the value must be, for the error, and whether it is. */
	readonly expected: string;
	readonly holds: (value: unknown) => boolean;
}

/** The options of an optimizer: defaults, and what they may be. */
export type Rules<Options> = { readonly [Key in keyof Options]-?: Rule<Options[Key]> };

/** A finite number of at least 0. */
export function nonNegative(initial?: number): Rule<number> {
	return {
		initial,
		expected: "a finite number of at least 0",
		holds: (v) => typeof v === "number" && v >= 0 && v < Infinity,
	};
}

export function flag(initial: boolean): Rule<boolean> {
	return { initial, expected: "true or false", holds: (v) => typeof v === "boolean" };
}

/** What every optimizer can do, whatever its options: what trainers and schedules ask for. */
export interface Optimizer {
	/** Its name in errors and checkpoints. */
	readonly name: string;
	readonly paramGroups: readonly ParamGroup<{ lr: number }>[];
	step(): void;
	zeroGrad(): void;
	stateDict(): OptimizerState;
	loadStateDict(state: OptimizerState): void;
	dispose(): void;
}

/** Base of {@link SGD}, {@link Adam} and {@link AdamW}. */
export abstract class BaseOptimizer<Options extends { lr: number }> {
	/**
	 * The groups: their parameters, and options such as `lr` that may be changed between steps.
	 * Schedules change `lr`.
	 */
	readonly paramGroups: ParamGroup<Options>[] = [];
	/** The optimizer's name in errors and checkpoints. */
	readonly name: string;
	readonly #rules: Rules<Options>;
	readonly #defaults: Partial<Options>;
	/** The names of the state tensors a parameter may have. */
	readonly #slots: readonly string[];
	readonly #state = new Map<Tensor, ParamState>();

	protected constructor(
		name: string,
		params: ParamsInput<Options>,
		options: Partial<Options>,
		rules: Rules<Options>,
		slots: readonly string[],
	) {
		this.name = name;
		this.#rules = rules;
		this.#defaults = options;
		this.#slots = slots;
		for (const group of splitGroups(name, params)) this.#add(group.params, group.options);
		check(this.#all().length > 0, `${name}: there are no parameters to optimize`);
	}

	/** Adds a group, such as layers that have just been unfrozen. Options left out are the optimizer's. */
	addParamGroup(group: ParamGroupInput<Options>): void {
		this.#add(group.params, group);
	}

	/** Updates every parameter that has a gradient, in place. Gradients stay; see {@link zeroGrad}. */
	step(): void {
		for (const [i, group] of this.paramGroups.entries()) this.#checkGroup(group, i);
		this.update();
	}

	/** Frees the gradients of all parameters. */
	zeroGrad(): void {
		for (const { params } of this.paramGroups) {
			for (const param of params) {
				param.grad?.dispose();
				param.grad = null;
			}
		}
	}

	/**
	 * The state, for a checkpoint. The tensors are the optimizer's own: the next `step()` changes them,
	 * so `clone()` what is to stay. Parameters without names are numbered.
	 */
	stateDict(): OptimizerState {
		const tensors: Record<string, Tensor> = {};
		const steps: Record<string, number> = {};
		this.#forEachParam((name, param) => {
			const state = this.#state.get(param);
			if (!state) return;
			for (const [slot, tensor] of state.tensors) tensors[`${slot}.${name}`] = tensor;
			if (state.step > 0) steps[name] = state.step;
		});
		const groups = this.paramGroups.map((group) => {
			const values: Record<string, Json> = { params: group.names };
			for (const key of this.#keys()) values[key] = group[key] as Json;
			if (group.initialLr !== undefined) values.initialLr = group.initialLr;
			return values;
		});
		return { tensors, values: { optimizer: this.name, groups, steps } };
	}

	/**
	 * Continues from `state`, as `stateDict()` gave it: options of the groups, steps and state tensors,
	 * which are copied. Nothing changes if anything does not fit.
	 *
	 * @throws EvenkeelError if it is another optimizer's, or of other parameters
	 */
	loadStateDict(state: OptimizerState): void {
		const where = `${this.name}.loadStateDict`;
		const { tensors, values } = state;
		check(
			values?.optimizer === this.name,
			() => `${where}: this is the state of ${values?.optimizer}, and the optimizer is ${this.name}`,
		);
		this.#checkGroups(where, values.groups);
		const owners = this.#checkTensors(where, tensors);
		for (const [name, step] of Object.entries(values.steps)) {
			check(this.#paramNamed(name), () => `${where}: there is no parameter "${name}"`);
			check(
				Number.isInteger(step) && step >= 0,
				() => `${where}: "${name}" took ${step} steps, expected a whole number`,
			);
		}
		for (const [i, group] of values.groups.entries()) this.#loadGroup(this.paramGroups[i], group);
		this.#freeState();
		this.#forEachParam((name, param) => {
			if (values.steps[name]) this.#stateOf(param).step = values.steps[name];
		});
		for (const [key, { slot, name, param }] of owners) {
			const { tensor } = this.stateTensor(param, slot, name);
			tensor.view().set(tensors[key].view().subarray(0, param.size));
		}
	}

	/** Frees the state now instead of when the garbage collector finds it. */
	dispose(): void {
		this.#freeState();
	}

	/** The update of all parameters; options have been checked. */
	protected abstract update(): void;

	/** What one group's options must satisfy together; throws if they do not. */
	protected checkTogether(_options: Options, _where: string): void {}

	/** Calls `fn` for every parameter that has a gradient. */
	protected forEachGradient(fn: (param: Tensor, grad: Tensor, group: ParamGroup<Options>, name: string) => void): void {
		for (const group of this.paramGroups) {
			for (let i = 0; i < group.params.length; i++) {
				const param = group.params[i];
				if (param.grad) fn(param, param.grad, group, group.names[i]);
			}
		}
	}

	/** Counts a step of `param` and returns which it is, from 1. */
	protected countStep(param: Tensor): number {
		return ++this.#stateOf(param).step;
	}

	/** A state tensor of `param`, made of zeros when first asked for; it outlives every scope. */
	protected stateTensor(param: Tensor, slot: string, name: string): { tensor: Tensor; isNew: boolean } {
		const { tensors } = this.#stateOf(param);
		const known = tensors.get(slot);
		if (known) return { tensor: known, isNew: false };
		const tensor = keep(empty(param.shape, param.backend, "float", `${slot}.${name}`));
		tensor.view().fill(0);
		tensors.set(slot, tensor);
		return { tensor, isNew: true };
	}

	#add(params: Iterable<Tensor | NamedParam>, options: Partial<Options>): void {
		const pairs = namedParams(this.name, params, this.#all().length);
		const seenNames = new Set(this.paramGroups.flatMap((group) => group.names));
		const seenParams = new Set(this.#all());
		for (const [name, param] of pairs) {
			check(!seenParams.has(param), () => `${this.name}: parameter "${name}" is given twice`);
			check(!seenNames.has(name), () => `${this.name}: two parameters are named "${name}"`);
			seenParams.add(param);
			seenNames.add(name);
		}
		const group = {
			...this.#withDefaults(options),
			params: pairs.map(([, p]) => p),
			names: pairs.map(([name]) => name),
		};
		this.#checkGroup(group, this.paramGroups.length);
		this.paramGroups.push(group as ParamGroup<Options>);
	}

	#stateOf(param: Tensor): ParamState {
		let state = this.#state.get(param);
		if (!state) {
			state = { step: 0, tensors: new Map() };
			this.#state.set(param, state);
		}
		return state;
	}

	#freeState(): void {
		for (const { tensors } of this.#state.values()) for (const tensor of tensors.values()) tensor.dispose();
		this.#state.clear();
	}

	#all(): Tensor[] {
		return this.paramGroups.flatMap((group) => group.params);
	}

	#forEachParam(fn: (name: string, param: Tensor) => void): void {
		for (const { names, params } of this.paramGroups) {
			for (const [i, param] of params.entries()) fn(names[i], param);
		}
	}

	#paramNamed(name: string): Tensor | undefined {
		for (const { names, params } of this.paramGroups) {
			const at = names.indexOf(name);
			if (at >= 0) return params[at];
		}
		return undefined;
	}

	#keys(): (keyof Options & string)[] {
		return Object.keys(this.#rules) as (keyof Options & string)[];
	}

	/** `options` over the optimizer's over the defaults; unknown ones are refused. */
	#withDefaults(options: Partial<Options>): Partial<Options> {
		const result: Partial<Options> = {};
		for (const given of [this.#defaults, options]) {
			for (const key of Object.keys(given)) {
				check(
					key in this.#rules || (key === "params" && given === options),
					() => `${this.name}: unknown option "${key}"; there are ${this.#keys().join(", ")}`,
				);
			}
		}
		for (const key of this.#keys()) result[key] = options[key] ?? this.#defaults[key] ?? this.#rules[key].initial;
		return result;
	}

	#checkGroup(group: object, index: number): void {
		const values = group as Record<string, unknown>;
		for (const key of this.#keys()) {
			const { expected, holds } = this.#rules[key];
			if (holds(values[key])) continue;
			const where = `${this.name}: ${key} of group ${index}`;
			if (values[key] === undefined) throw new EvenkeelError(`${where} is missing; pass { ${key}: … }, ${expected}`);
			throw new EvenkeelError(`${where} must be ${expected}, got ${String(values[key])}`);
		}
		this.checkTogether(group as Options, `${this.name}: group ${index}`);
	}

	#checkGroups(where: string, groups: OptimizerState["values"]["groups"]): void {
		check(
			groups.length === this.paramGroups.length,
			() => `${where}: the state has ${groups.length} parameter groups, the optimizer ${this.paramGroups.length}`,
		);
		groups.forEach((saved, i) => {
			const names = this.paramGroups[i].names;
			check(
				JSON.stringify(saved.params) === JSON.stringify(names),
				() =>
					`${where}: group ${i} is of parameters ${JSON.stringify(saved.params)}, the optimizer's of ${JSON.stringify(names)}`,
			);
			this.#checkGroup(saved, i);
		});
	}

	#loadGroup(group: ParamGroup<Options>, saved: { readonly [option: string]: Json }): void {
		for (const key of this.#keys()) group[key] = saved[key] as ParamGroup<Options>[typeof key];
		if (typeof saved.initialLr === "number") group.initialLr = saved.initialLr;
	}

	#checkTensors(
		where: string,
		tensors: Record<string, Tensor>,
	): Map<string, { slot: string; name: string; param: Tensor }> {
		const owners = new Map<string, { slot: string; name: string; param: Tensor }>();
		for (const [key, tensor] of Object.entries(tensors)) {
			const slot = this.#slots.find((candidate) => key.startsWith(`${candidate}.`));
			const name = slot === undefined ? key : key.slice(slot.length + 1);
			const param = slot === undefined ? undefined : this.#paramNamed(name);
			if (slot === undefined || !param)
				throw new EvenkeelError(`${where}: "${key}" belongs to no parameter of the optimizer`);
			check(
				sameShape(tensor.shape, param.shape),
				() => `${where}: "${key}" has shape ${formatShape(tensor.shape)}, expected ${formatShape(param.shape)}`,
			);
			owners.set(key, { slot, name, param });
		}
		return owners;
	}
}
