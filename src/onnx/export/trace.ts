// One run of a network as a list of ops, with what each of them read: an input, another op's output, a parameter or
// buffer, or a tensor that forward made.

import { check } from "../../errors.ts";
import type { Module } from "../../nn/module.ts";
import { type RecordedOp, recordOps } from "../../nn/record.ts";
import { type DType, isFloat } from "../../tensor/dtype.ts";
import type { Shape } from "../../tensor/shape.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { Storage } from "../../tensor/storage.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Where a value comes from. Numbers are places in the trace's lists. */
export type Ref =
	| { readonly kind: "input" | "op" | "constant"; readonly at: number }
	| { readonly kind: "state"; readonly name: string };

/** A tensor that is neither an input nor a parameter nor computed from an input. */
export interface Constant {
	readonly shape: Shape;
	readonly dtype: DType;
	/** Floats as float32. */
	readonly data: Float32Array | Int32Array | Uint8Array;
	/** The parameters and buffers that it was computed from; none for a tensor that forward made. */
	readonly from: ReadonlySet<string>;
}

export interface TracedOp {
	readonly name: string;
	/** The path of the module that ran it. */
	readonly path: string;
	/** The module as errors name it. */
	readonly label: string;
	readonly attrs: unknown;
	readonly inputs: readonly Ref[];
	readonly inputShapes: readonly Shape[];
	readonly shape: Shape;
	readonly dtype: DType;
	/** Tensors that the op was given as options: running statistics. */
	readonly options: ReadonlyMap<Tensor, Ref>;
}

export interface Trace {
	/** How many examples the inputs held. */
	readonly batch: number;
	readonly inputs: readonly { readonly shape: Shape; readonly dtype: DType }[];
	readonly ops: readonly TracedOp[];
	readonly constants: readonly Constant[];
	readonly output: Ref;
	readonly outputShape: Shape;
	readonly outputType: DType;
}

/**
 * Runs `net` once and traces it. What is computed from parameters alone (a standardized weight) is a constant, unless
 * `training`: then it stays to be computed, since the parameters change.
 */
export function traceNetwork(net: Module, inputs: readonly Tensor[], training: boolean): Trace {
	const tracer = new Tracer(net, inputs, training);
	return recordOps(
		net,
		() => tracer.finish(net.forward(...inputs)),
		(op) => tracer.add(op),
		{ training },
	);
}

/** A value under its memory: another handle on the same memory, as `detach()` makes, is the same value. */
interface Known {
	readonly shape: Shape;
	readonly ref: Ref;
}

class Tracer {
	readonly #net: Module;
	readonly #inputs: readonly Tensor[];
	readonly #training: boolean;
	readonly #ops: TracedOp[] = [];
	readonly #constants: Constant[] = [];
	readonly #byTensor = new Map<Tensor, Ref>();
	readonly #byMemory = new Map<Storage, Known[]>();

	constructor(net: Module, inputs: readonly Tensor[], training: boolean) {
		this.#net = net;
		this.#inputs = inputs;
		this.#training = training;
		this.#learnState();
		for (const [at, tensor] of inputs.entries()) this.#remember(tensor, { kind: "input", at });
	}

	add({ name, path, module, inputs, attrs, output }: RecordedOp): void {
		const refs = inputs.map((tensor) => this.#refOf(tensor));
		const options = new Map(tensorsIn(attrs).map((tensor) => [tensor, this.#refOf(tensor)]));
		const { shape, dtype } = output;
		if (!this.#training && refs.length > 0 && refs.every(({ kind }) => kind === "state" || kind === "constant")) {
			const from = new Set(refs.flatMap((ref) => this.#originsOf(ref)));
			this.#remember(output, this.#constant(output, from));
			return;
		}
		const inputShapes = inputs.map((tensor) => tensor.shape);
		this.#remember(output, { kind: "op", at: this.#ops.length });
		this.#ops.push({ name, path, label: module.label, attrs, inputs: refs, inputShapes, shape, dtype, options });
	}

	finish(output: Tensor): Trace {
		check(
			output instanceof Tensor,
			() => `exportOnnx: forward must return a tensor, got ${output === null ? "null" : typeof output}`,
		);
		return {
			batch: this.#inputs[0].shape[0],
			inputs: this.#inputs.map(({ shape, dtype }) => ({ shape, dtype })),
			ops: this.#ops,
			constants: this.#constants,
			output: this.#refOf(output),
			outputShape: output.shape,
			outputType: output.dtype,
		};
	}

	/** Parameters and buffers by their names. */
	#learnState(): void {
		const state = [...this.#net.namedParameters(), ...this.#net.namedBuffers()];
		for (const [name, tensor] of state) {
			if (!this.#byTensor.has(tensor)) this.#remember(tensor, { kind: "state", name });
		}
	}

	#remember(tensor: Tensor, ref: Ref): void {
		this.#byTensor.set(tensor, ref);
		const views = this.#byMemory.get(tensor.storage) ?? [];
		this.#byMemory.set(tensor.storage, [...views, { shape: tensor.shape, ref }]);
	}

	#refOf(tensor: Tensor): Ref {
		const known = this.#known(tensor);
		if (known) return known;
		// A lazy layer has made its parameters only now.
		this.#learnState();
		const made = this.#known(tensor);
		if (made) return made;
		const ref = this.#constant(tensor, new Set());
		this.#remember(tensor, ref);
		return ref;
	}

	#known(tensor: Tensor): Ref | undefined {
		const own = this.#byTensor.get(tensor);
		if (own) return own;
		return this.#byMemory.get(tensor.storage)?.find(({ shape }) => sameShape(shape, tensor.shape))?.ref;
	}

	#constant(tensor: Tensor, from: ReadonlySet<string>): Ref {
		const { shape, dtype } = tensor;
		const values = tensor.dataSync();
		const data = isFloat(dtype) ? Float32Array.from(values) : (values as Int32Array | Uint8Array);
		this.#constants.push({ shape, dtype: isFloat(dtype) ? "float32" : dtype, data, from });
		return { kind: "constant", at: this.#constants.length - 1 };
	}

	#originsOf(ref: Ref): string[] {
		if (ref.kind === "state") return [ref.name];
		return ref.kind === "constant" ? [...this.#constants[ref.at].from] : [];
	}
}

/** The tensors among an op's options, which are plain objects in plain objects at most. */
function tensorsIn(attrs: unknown): Tensor[] {
	if (attrs === null || typeof attrs !== "object" || ArrayBuffer.isView(attrs)) return [];
	if (attrs instanceof Tensor) return [attrs];
	return Object.values(attrs).flatMap(tensorsIn);
}
