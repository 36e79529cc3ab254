// Module: a tree of layers. It finds its parameters, buffers and children by looking at its own
// properties, so a network is a plain class with fields.

import { check } from "../errors.ts";
import { keep } from "../tensor/scope.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type LoadReport, type LoadStateOptions, loadState, type StateDict } from "./load-state.ts";
import { Parameter } from "./parameter.ts";

/** Called after a module's forward; a tensor it returns takes the output's place. */
export type ForwardHook = (module: Module, inputs: readonly Tensor[], output: Tensor) => Tensor | undefined;

/** Called before a module's forward, with what it is given. */
export type ForwardPreHook = (module: Module, inputs: readonly Tensor[]) => void;

/** Names are serialized as PyTorch writes them: `runningMean` is `running_mean` on disk. */
function serializedName(property: string): string {
	return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export abstract class Module {
	/** True in training mode (the start), false in evaluation mode. Set it with `train()` and `eval()`. */
	training = true;
	/** Where this module stands in its network, `"features.0"`, once the network has been walked. */
	path = "";
	#buffers = new Set<string>();
	#hooks: ForwardHook[] = [];
	#preHooks: ForwardPreHook[] = [];

	/** Computes the output. Call it directly: `net.forward(x)`. */
	abstract forward(...inputs: Tensor[]): Tensor;

	/** How errors and tables name this module: `BatchNorm2d "bn1"`. */
	get label(): string {
		return this.path === "" ? this.constructor.name : `${this.constructor.name} "${this.path}"`;
	}

	/**
	 * Declares the property `name` as a buffer: state that is saved but not trained. Null for a
	 * buffer that is switched off. Returns the tensor, which from now on belongs to the module.
	 */
	protected registerBuffer<T extends Tensor | null>(name: string, tensor: T): T {
		this.#buffers.add(name);
		if (tensor) {
			tensor.name = name;
			keep(tensor);
		}
		return tensor;
	}

	/** The direct children, by property name. */
	*namedChildren(): Generator<[string, Module]> {
		for (const [name, value] of Object.entries(this)) if (value instanceof Module) yield [name, value];
	}

	/** This module and all below it, each once, with their paths. */
	*namedModules(prefix = "", seen = new Set<Module>()): Generator<[string, Module]> {
		if (seen.has(this)) return;
		seen.add(this);
		if (prefix.length >= this.path.length) this.path = prefix;
		yield [prefix, this];
		for (const [name, child] of this.namedChildren()) {
			yield* child.namedModules(prefix === "" ? name : `${prefix}.${name}`, seen);
		}
	}

	/** All modules of the tree, this one first. */
	modules(): Module[] {
		return [...this.namedModules()].map(([, module]) => module);
	}

	/** `[name, Parameter]` of every parameter of the tree, each once, with the names of `stateDict()`. */
	*namedParameters(): Generator<[string, Parameter]> {
		const seen = new Set<Parameter>();
		for (const [prefix, module] of this.namedModules()) {
			for (const [name, value] of Object.entries(module)) {
				if (!(value instanceof Parameter) || seen.has(value)) continue;
				seen.add(value);
				value.name = join(prefix, serializedName(name));
				yield [value.name, value];
			}
		}
	}

	parameters(): Parameter[] {
		return [...this.namedParameters()].map(([, parameter]) => parameter);
	}

	/** `[name, Tensor]` of every buffer of the tree (running statistics). */
	*namedBuffers(): Generator<[string, Tensor]> {
		for (const [prefix, module] of this.namedModules()) {
			for (const name of module.#buffers) {
				const value = Reflect.get(module, name);
				if (value instanceof Tensor) yield [join(prefix, serializedName(name)), value];
			}
		}
	}

	/** Sets training mode (or evaluation mode) on the whole tree. Returns the module. */
	train(mode = true): this {
		for (const module of this.modules()) module.training = mode;
		return this;
	}

	/** Sets evaluation mode: running statistics, no dropout. Returns the module. */
	eval(): this {
		return this.train(false);
	}

	/** Frees the gradients of all parameters and sets them to null. */
	zeroGrad(): void {
		for (const parameter of this.parameters()) {
			parameter.grad?.dispose();
			parameter.grad = null;
		}
	}

	/**
	 * Parameters and buffers by their serialized names, PyTorch's own (`bn1.running_mean`), module by
	 * module. The tensors share memory with the network: `clone()` what should stay as it is.
	 */
	stateDict(): Record<string, Tensor> {
		return Object.fromEntries([...this.#namedState()].map(([name, tensor]) => [name, tensor.detach()]));
	}

	/**
	 * Copies the values of `dict`, by name, into parameters and buffers: tensors, or what a safetensors file holds, so
	 * a state dict that PyTorch wrote loads as it is.
	 *
	 *     net.loadStateDict(decodeSafetensors(bytes).tensors);
	 *
	 * A missing `num_batches_tracked` counts as 0: files from before PyTorch 0.4.1 have no such entry.
	 *
	 * @param options.strict whether a missing or unexpected name, or another shape, is an error (default true); if
	 *   not, what fits is loaded. (PyTorch takes another shape for an error even then.)
	 * @param options.prefix what stands before the names in `dict`, such as `"module."`; other entries are left out
	 * @returns the names that did not match
	 * @throws EvenkeelError naming every missing, unexpected or misshapen entry; nothing is changed then
	 */
	loadStateDict(dict: StateDict, options: LoadStateOptions = {}): LoadReport {
		return loadState(new Map(this.#namedState()), dict, options, this.constructor.name);
	}

	/**
	 * Calls `hook` after each forward of this module. To read activations; with
	 * `output.registerHook` inside it, also the gradients that arrive at them. Returns a function that
	 * removes the hook.
	 */
	registerForwardHook(hook: ForwardHook): () => void {
		if (!this.observed) this.#interceptForward();
		this.#hooks.push(hook);
		return () => {
			this.#hooks = this.#hooks.filter((other) => other !== hook);
			this.#letGo();
		};
	}

	/** Calls `hook` before each forward of this module. Returns a function that removes the hook. */
	registerForwardPreHook(hook: ForwardPreHook): () => void {
		if (!this.observed) this.#interceptForward();
		this.#preHooks.push(hook);
		return () => {
			this.#preHooks = this.#preHooks.filter((other) => other !== hook);
			this.#letGo();
		};
	}

	/** Whether forward hooks look at this module: it then runs by itself, and not as one operation with another. */
	get observed(): boolean {
		return this.#hooks.length + this.#preHooks.length > 0;
	}

	/** Undoes {@link #interceptForward} once there is no hook. */
	#letGo(): void {
		if (!this.observed) delete (this as { forward?: unknown }).forward;
	}

	#interceptForward(): void {
		const forward = this.forward;
		// Not enumerable: a module's own properties are its children and parameters.
		Object.defineProperty(this, "forward", {
			configurable: true,
			enumerable: false,
			writable: true,
			value: (...inputs: Tensor[]): Tensor => {
				for (const hook of this.#preHooks) hook(this, inputs);
				let output = forward.apply(this, inputs);
				for (const hook of this.#hooks) output = hook(this, inputs, output) ?? output;
				return output;
			},
		});
	}

	/** This module and all below it at every place they have, but for one inside itself. */
	*#places(prefix = "", above: readonly Module[] = []): Generator<[string, Module]> {
		if (above.includes(this)) return;
		yield [prefix, this];
		for (const [name, child] of this.namedChildren()) yield* child.#places(join(prefix, name), [...above, this]);
	}

	/** Parameters, then buffers, place by place: the order of PyTorch's state dict, and its names for what is shared. */
	*#namedState(): Generator<[string, Tensor]> {
		// Gives each its path.
		this.modules();
		for (const [prefix, module] of this.#places()) {
			for (const [name, value] of Object.entries(module)) {
				if (value instanceof Parameter) yield [join(prefix, serializedName(name)), value];
			}
			for (const name of module.#buffers) {
				const value = Reflect.get(module, name);
				if (value instanceof Tensor) yield [join(prefix, serializedName(name)), value];
			}
		}
	}
}

function join(prefix: string, name: string): string {
	return prefix === "" ? name : `${prefix}.${name}`;
}

/** Checks that a required size is a whole number of at least 1. */
export function checkSize(layer: string, name: string, value: number): void {
	check(
		Number.isInteger(value) && value >= 1,
		() => `${layer}: ${name} must be a whole number of at least 1, got ${value}`,
	);
}
