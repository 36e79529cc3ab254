// What reads what in a network: every op of one forward, and which layer ran it. Layers alone do not tell: a sum or a
// product that reads a convolution's output is a function, and no layer.

import { noGrad } from "../../autograd/tape.ts";
import type { Module } from "../../nn/module.ts";
import { type AppliedOp, watchOps } from "../../ops/op.ts";
import { scope } from "../../tensor/scope.ts";
import type { Storage } from "../../tensor/storage.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** A layer's forward. */
export interface Call {
	readonly module: Module;
	readonly input: Tensor;
	readonly output: Tensor;
}

/** An op that ran, with the memory that it read: an alias of a tensor (`detach()`) shares that. */
export interface Step extends AppliedOp {
	readonly memory: readonly Storage[];
}

/** One forward of a network. The tensors in it have been freed: they stand for values, and have shapes. */
export class Trace {
	readonly steps: readonly Step[];
	readonly calls: readonly Call[];
	readonly output: Tensor;
	/** The output's values, copied. */
	readonly values: ArrayLike<number>;
	readonly #inputs: ReadonlySet<Tensor>;
	readonly #makers: Map<Tensor, Step>;
	readonly #memory: Map<Tensor, Storage>;
	/** The values that forward hooks of the user's look at. */
	readonly #seen: ReadonlySet<Storage>;

	constructor(run: {
		inputs: readonly Tensor[];
		steps: Step[];
		calls: Call[];
		output: Tensor;
		values: ArrayLike<number>;
		memory: Map<Tensor, Storage>;
		seen: Set<Storage>;
	}) {
		this.steps = run.steps;
		this.calls = run.calls;
		this.output = run.output;
		this.values = run.values;
		this.#inputs = new Set(run.inputs);
		this.#makers = new Map(run.steps.map((step) => [step.output, step]));
		this.#memory = run.memory;
		this.#seen = run.seen;
	}

	callsOf(module: Module): Call[] {
		return this.calls.filter((call) => call.module === module);
	}

	/** The op that made `value`; undefined for the network's input. */
	maker(value: Tensor): Step | undefined {
		return this.#makers.get(value);
	}

	/** The ops that read `value`, each once. */
	readers(value: Tensor): Step[] {
		return this.steps.filter(({ inputs }) => inputs.includes(value));
	}

	/** Ops that read the memory of `value` by a tensor that no op made: what `detach()` gives. */
	aliasReaders(value: Tensor): Step[] {
		const memory = this.#memory.get(value);
		const isKnown = (tensor: Tensor) => tensor === value || this.#makers.has(tensor) || this.#inputs.has(tensor);
		return this.steps.filter(({ inputs, memory: read }) =>
			inputs.some((input, i) => read[i] === memory && !isKnown(input)),
		);
	}

	/** Whether the network returns the memory of `value`. */
	isReturned(value: Tensor): boolean {
		return this.#memory.get(value) === this.#memory.get(this.output);
	}

	/** Whether a forward hook of the user's looks at `value`. */
	isObserved(value: Tensor): boolean {
		const memory = this.#memory.get(value);
		return memory !== undefined && this.#seen.has(memory);
	}
}

/** Runs `net` on `inputs` off the tape, in the mode it is in, and remembers what read what. */
export function traceOf(net: Module, inputs: readonly Tensor[]): Trace {
	const steps: Step[] = [];
	const calls: Call[] = [];
	const memory = new Map<Tensor, Storage>();
	const seen = new Set<Storage>();
	const know = (tensor: Tensor) => {
		memory.set(tensor, tensor.storage);
		return tensor.storage;
	};
	const observed = new Set(net.modules().filter((module) => module.observed));
	const removers = net.modules().map((module) =>
		module.registerForwardHook((_, read, output) => {
			const touched = [...read, output].map(know);
			if (observed.has(module)) for (const storage of touched) seen.add(storage);
			calls.push({ module, input: read[0], output });
			return undefined;
		}),
	);
	const watch = (op: AppliedOp) => {
		know(op.output);
		steps.push({ ...op, memory: op.inputs.map(know) });
	};
	try {
		return scope(() => {
			const output = noGrad(() => watchOps(watch, () => net.forward(...inputs)));
			know(output);
			const values = Float64Array.from(output.view().subarray(0, output.size));
			return new Trace({ inputs, steps, calls, output, values, memory, seen });
		});
	} finally {
		for (const remove of removers) remove();
	}
}
