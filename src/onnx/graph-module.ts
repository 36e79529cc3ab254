// An ONNX graph as a network: the nodes one after another, those with weights as the layers of nn.

import { check, EvenkeelError } from "../errors.ts";
import { quote } from "../model-files/show.ts";
import { ReLU, Sigmoid } from "../nn/layers/activation.ts";
import { BatchNorm } from "../nn/layers/batch-norm.ts";
import { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { messageOf } from "../node.ts";
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
	readonly layer?: LayerSlot;
	readonly input?: Input;
}

/** A place for a layer in a network. What stands there may be exchanged: folded, converted, frozen. */
export class LayerSlot<T extends Module = Module> {
	/** The property of the network that holds the layer: its path. */
	readonly name: string;
	/** The layer that was imported. */
	readonly imported: T;
	#net: Module | null = null;

	constructor(name: string, imported: T) {
		this.name = name;
		this.imported = imported;
	}

	/** Puts the layer into its network. */
	fill(net: Module): void {
		this.#net = net;
		this.imported.path = this.name;
		defineProperty(net, this.name, this.imported);
	}

	/** The layer that stands there now. */
	get layer(): Module {
		const found: unknown = this.#net && Reflect.get(this.#net, this.name);
		return found instanceof Module ? found : this.imported;
	}

	forward(x: Tensor): Tensor {
		return this.layer.forward(x);
	}
}

function defineProperty(object: Module, name: string, value: unknown): void {
	Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}

/** What a state-dict entry was in the file. */
export interface Origin {
	/** The value's name in the graph. */
	readonly value: string;
	/** The file's numbers, from those of the entry: the same, or its rows and columns exchanged, and so on. */
	restore(values: ArrayLike<number>): ArrayLike<number>;
}

/** What an importer hands over. */
export interface GraphParts {
	readonly name: string;
	readonly inputs: readonly string[];
	readonly outputs: readonly string[];
	readonly steps: readonly Step[];
	readonly layers: readonly LayerSlot[];
	/** Parameters of nodes that are no layers. */
	readonly parameters: ReadonlyMap<string, Parameter>;
	readonly origins: ReadonlyMap<string, Origin>;
}

/** A step, and what becomes known about it from the others. */
interface Planned {
	readonly step: Step;
	/** Values that no later step reads. */
	readonly frees: readonly string[];
	/** The step that alone reads its only output: an activation there may run with a batch normalization here. */
	readonly follower: Step | null;
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
	readonly #origins: ReadonlyMap<string, Origin>;

	/** Internal: use `importOnnx`. */
	constructor(parts: GraphParts) {
		super();
		this.#name = parts.name;
		this.inputNames = parts.inputs;
		this.outputNames = parts.outputs;
		this.#plan = planOf(parts.steps, parts.outputs);
		this.#origins = parts.origins;
		// As properties of its own, which is where a module's layers and parameters are looked for.
		for (const slot of parts.layers) slot.fill(this);
		for (const [name, parameter] of parts.parameters) defineProperty(this, name, parameter);
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
				if (follower && fuse(step, follower, env)) done.add(follower);
				else compute(step, env);
			}
			for (const name of frees) env.delete(name);
		}
		return this.outputNames.map((name) => {
			const value = env.get(name);
			if (!value) throw new EvenkeelError(`${this.#name}: its output ${quote(name)} was not computed`);
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
		// What JavaScript says of lengths that it cannot have.
		const isRange = error instanceof RangeError;
		if (!isRange && (!(error instanceof EvenkeelError) || message.startsWith(step.label))) throw error;
		throw new EvenkeelError(`${step.label}: ${message}`);
	}
	const list = Array.isArray(results) ? results : [results];
	for (const [i, name] of step.outputs.entries()) if (name !== "" && list[i]) env.set(name, list[i]);
}

/** Runs a batch normalization with the activation behind it, the same bits in one pass; not where somebody looks. */
function fuse(step: Step, next: Step, env: Env): boolean {
	const [norm, following] = [step.layer?.layer, next.layer?.layer];
	const activation = activationOf(following);
	if (!(norm instanceof BatchNorm) || !step.input || !activation || norm.observed || following?.observed) return false;
	env.set(next.outputs[0], norm.forwardThen(step.input.tensor(env), activation));
	return true;
}

/** Finds out when each value is read last, and which values have one reader. */
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
		const alone = others.length === 0 && following.length === 1 && !returned.has(output);
		return { step, frees, follower: alone ? following[0] : null };
	});
}

function activationOf(layer: Module | undefined): "relu" | "sigmoid" | null {
	if (layer?.constructor === ReLU) return "relu";
	return layer?.constructor === Sigmoid ? "sigmoid" : null;
}
