// An ONNX graph as a network: the nodes one after another, those with weights as the layers of nn.

import { check, EvenkeelError } from "../errors.ts";
import { ReLU, Sigmoid } from "../nn/layers/activation.ts";
import { BatchNorm } from "../nn/layers/batch-norm.ts";
import { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { messageOf } from "../node.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Env, type Input, isTensor, tensorOf, type Value } from "./value.ts";

/** What a node computes. One value, or one for each output. */
export type Run = (env: Env) => Value | readonly (Value | undefined)[];

/** A node, ready to run. */
export interface Step {
	/** How errors name it. */
	readonly label: string;
	/** The values it reads from each run. */
	readonly reads: readonly string[];
	/** What its outputs are called; "" for those that nobody reads. */
	readonly outputs: readonly string[];
	readonly run: Run;
	/** The layer that it is, if it is one, and what that reads. */
	readonly layer?: Module;
	readonly input?: Input;
}

/** What a state-dict entry was in the file. */
export interface Origin {
	/** The value's name in the graph. */
	readonly value: string;
	/** How the entry differs from it: not at all, or an outer product's two axes are exchanged. */
	readonly form: "same" | "transposed";
}

/** What an importer hands over. */
export interface GraphParts {
	readonly name: string;
	readonly inputs: readonly string[];
	readonly outputs: readonly string[];
	readonly steps: readonly Step[];
	readonly layers: ReadonlyMap<string, Module>;
	/** Parameters of nodes that are no layers. */
	readonly parameters: ReadonlyMap<string, Parameter>;
	readonly origins: ReadonlyMap<string, Origin>;
}

/** A step, and what becomes known about it from the others. */
interface Planned {
	readonly step: Step;
	/** Values that no later step reads. */
	readonly frees: readonly string[];
	/** The activation that a batch normalization may do in the same pass: the only reader of its output. */
	readonly follower: { readonly step: Step; readonly activation: "relu" | "sigmoid" } | null;
}

/**
 * A network that was imported from an ONNX model (`importOnnx`). Nodes with weights are layers of `nn` (`nn.Conv2d`,
 * `nn.BatchNorm2d`, …), under the names that PyTorch's exporter kept, so that it trains, freezes, is inspected and
 * takes state dicts like a network written by hand.
 */
export class GraphModule extends Module {
	/** Names of the graph's inputs, in the order of `forward`'s arguments. Initializers are not among them. */
	readonly inputNames: readonly string[];
	/** Names of the graph's outputs. */
	readonly outputNames: readonly string[];
	readonly #name: string;
	readonly #plan: readonly Planned[];
	readonly #layers: ReadonlyMap<string, Module>;
	readonly #origins: ReadonlyMap<string, Origin>;

	/** Internal: use `importOnnx`. */
	constructor(parts: GraphParts) {
		super();
		this.#name = parts.name;
		this.inputNames = parts.inputs;
		this.outputNames = parts.outputs;
		this.#plan = planOf(parts.steps, parts.outputs);
		this.#layers = parts.layers;
		this.#origins = parts.origins;
		// As properties of its own, which is where a module's parameters are looked for.
		for (const [name, parameter] of parts.parameters) {
			Object.defineProperty(this, name, { value: parameter, enumerable: true, writable: true, configurable: true });
		}
	}

	override *namedChildren(): Generator<[string, Module]> {
		yield* this.#layers;
	}

	/** Which value of the file each entry of the state dict was read from. */
	get origins(): ReadonlyMap<string, Origin> {
		return this.#origins;
	}

	/**
	 * Runs the graph on its inputs, in the order of `inputNames`.
	 *
	 * @returns the first output; {@link run} returns all
	 * @throws EvenkeelError naming the node that could not be computed
	 */
	override forward(...inputs: Tensor[]): Tensor {
		check(
			inputs.length === this.inputNames.length,
			() =>
				`${this.#name}: takes ${this.inputNames.length} inputs (${this.inputNames.join(", ")}), got ${inputs.length}`,
		);
		const env = new Map<string, Value>(this.inputNames.map((name, i) => [name, inputs[i]]));
		return this.#run(env)[0];
	}

	/** Runs the graph on inputs by name, and returns all outputs by name. */
	run(inputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
		const missing = this.inputNames.filter((name) => !inputs[name]);
		check(missing.length === 0, () => `${this.#name}: inputs are missing: ${missing.join(", ")}`);
		const outputs = this.#run(new Map(this.inputNames.map((name) => [name, inputs[name]])));
		return Object.fromEntries(this.outputNames.map((name, i) => [name, outputs[i]]));
	}

	#run(env: Env): Tensor[] {
		const done = new Set<Step>();
		for (const { step, frees, follower } of this.#plan) {
			if (!done.has(step)) {
				const fused = follower && fuse(step, follower, env);
				if (fused) done.add(follower.step);
				else compute(step, env);
			}
			for (const name of frees) env.delete(name);
		}
		return this.outputNames.map((name) => {
			const value = env.get(name);
			if (!value) throw new EvenkeelError(`${this.#name}: its output "${name}" was not computed`);
			return isTensor(value) ? value : tensorOf(value);
		});
	}
}

function compute(step: Step, env: Env): void {
	let results: Value | readonly (Value | undefined)[];
	try {
		results = step.run(env);
	} catch (error) {
		const message = messageOf(error);
		if (!(error instanceof EvenkeelError) || message.startsWith(step.label)) throw error;
		throw new EvenkeelError(`${step.label}: ${message}`);
	}
	const list = Array.isArray(results) ? results : [results];
	for (const [i, name] of step.outputs.entries()) if (name !== "" && list[i]) env.set(name, list[i]);
}

/** Runs a batch normalization with the activation behind it, the same bits in one pass; not where somebody looks. */
function fuse(step: Step, { step: next, activation }: NonNullable<Planned["follower"]>, env: Env): boolean {
	if (!(step.layer instanceof BatchNorm) || !step.input || step.layer.observed || next.layer?.observed) return false;
	env.set(next.outputs[0], step.layer.forwardThen(step.input.tensor(env), activation));
	return true;
}

/** Finds out when each value is read last, and which activations follow a batch normalization. */
function planOf(steps: readonly Step[], outputs: readonly string[]): Planned[] {
	const readers = new Map<string, Step[]>();
	for (const step of steps) {
		for (const name of new Set(step.reads)) {
			const list = readers.get(name);
			if (list) list.push(step);
			else readers.set(name, [step]);
		}
	}
	const returned = new Set(outputs);
	return steps.map((step) => {
		const made = [...step.reads, ...step.outputs].filter((name) => name !== "" && !returned.has(name));
		const frees = [...new Set(made)].filter((name) => (readers.get(name)?.at(-1) ?? step) === step);
		const [output, ...others] = step.outputs.filter((name) => name !== "");
		const following = readers.get(output) ?? [];
		const activation = following.length === 1 ? activationOf(following[0].layer) : null;
		const alone = step.layer instanceof BatchNorm && others.length === 0 && !returned.has(output);
		return { step, frees, follower: alone && activation ? { step: following[0], activation } : null };
	});
}

function activationOf(layer: Module | undefined): "relu" | "sigmoid" | null {
	if (layer?.constructor === ReLU) return "relu";
	return layer?.constructor === Sigmoid ? "sigmoid" : null;
}

/** A shape for messages, with `?` where it is open. */
export function formatDims(dims: readonly (number | null)[]): string {
	return formatShape(dims.map((length) => length ?? Number.NaN)).replaceAll("NaN", "?");
}
