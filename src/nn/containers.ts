// Modules that hold modules.

import { check } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ReLU, Sigmoid } from "./layers/activation.ts";
import { BatchNorm } from "./layers/batch-norm.ts";
import { FrozenAffine } from "./layers/frozen-affine.ts";
import { AvgPool2d } from "./layers/pool.ts";
import { Module } from "./module.ts";

/** A list of modules that is itself a module: its parameters are those of its items. */
abstract class Container extends Module {
	readonly #items: Module[] = [];

	constructor(items: readonly Module[]) {
		super();
		for (const item of items) this.push(item);
	}

	/** Adds a module at the end. Returns the container. */
	push(module: Module): this {
		check(
			module instanceof Module,
			() => `${this.constructor.name}: item ${this.#items.length} is not a Module but ${typeof module}`,
		);
		module.path = String(this.#items.length);
		this.#items.push(module);
		return this;
	}

	/**
	 * Removes `count` modules from `index` on and puts `modules` in their place, as arrays do. The ones behind are
	 * renumbered, and with them the names of their parameters. Returns those removed.
	 */
	splice(index: number, count: number, ...modules: Module[]): Module[] {
		check(
			modules.every((module) => module instanceof Module),
			() => `${this.constructor.name}: splice takes modules`,
		);
		const removed = this.#items.splice(index, count, ...modules);
		for (const [at, item] of this.#items.entries()) {
			// What was below the old place has a path that no longer leads there.
			for (const module of item.modules()) module.path = "";
			item.path = String(at);
		}
		return removed;
	}

	/** How many modules there are. */
	get length(): number {
		return this.#items.length;
	}

	/** The module at `index`; negative indices count from the end. */
	at(index: number): Module | undefined {
		return this.#items.at(index);
	}

	[Symbol.iterator](): Iterator<Module> {
		return this.#items[Symbol.iterator]();
	}

	override *namedChildren(): Generator<[string, Module]> {
		yield* this.#items.map((item, index): [string, Module] => [String(index), item]);
	}
}

/**
 * Runs modules one after the other, each on the output of the one before.
 *
 *     const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 */
export class Sequential extends Container {
	constructor(...modules: Module[]) {
		super(modules);
	}

	/**
	 * A batch normalization, the ReLU or Sigmoid behind it and an average over windows of 2 x 2 behind that run as one
	 * operation, unless a hook looks at what is between them. The result is the same, bit for bit.
	 */
	override forward(x: Tensor): Tensor {
		const modules = [...this];
		let out = x;
		for (let i = 0; i < modules.length; i++) {
			const [module, next] = [modules[i], modules[i + 1]];
			const activation = activationOf(next);
			if (activation && fuses(module) && !module.observed) {
				const averagePool = halves(modules[i + 2]) ? 2 : undefined;
				out = module.forwardThen(out, activation, averagePool);
				i += averagePool ? 2 : 1;
			} else out = module.forward(out);
		}
		return out;
	}
}

/** Whether a layer can do the activation behind it in the same pass. */
function fuses(module: Module): module is BatchNorm | FrozenAffine {
	return module instanceof BatchNorm || module instanceof FrozenAffine;
}

/** The activation that a norm may do in the same pass, if `module` is one and nobody looks at it. */
function activationOf(module: Module | undefined): "relu" | "sigmoid" | null {
	if (!module || module.observed) return null;
	if (module.constructor === ReLU) return "relu";
	return module.constructor === Sigmoid ? "sigmoid" : null;
}

/** Whether `module` averages over windows of 2 x 2, and nobody looks at it. */
function halves(module: Module | undefined): boolean {
	return (
		module instanceof AvgPool2d && !module.observed && module.halves && module.forward === AvgPool2d.prototype.forward
	);
}

/** Holds modules in order, to be called from another module's forward. */
export class ModuleList extends Container {
	constructor(modules: Iterable<Module> = []) {
		super([...modules]);
	}

	override forward(): Tensor {
		throw new TypeError("ModuleList has no forward of its own: call its modules, or use Sequential");
	}
}
