// A merged trace as a graph: each op by its writer, each parameter, buffer and constant where it is first read.

import { check, EvenkeelError } from "../../errors.ts";
import { makeTensor, type OnnxTensor } from "../../model-files/onnx/index.ts";
import type { Module } from "../../nn/module.ts";
import type { DType } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { GraphWriter } from "./graph-writer.ts";
import { fixed, isFixed } from "./lengths.ts";
import type { MergedConstant, MergedOp, MergedTrace } from "./merge.ts";
import { OpContext, type OpWriter, type Value } from "./op-context.ts";
import { opWriters } from "./operators/index.ts";
import type { Ref, TracedOp } from "./trace.ts";

export interface BuilderOptions {
	readonly opset: number;
	readonly inputNames: readonly string[];
	readonly training: boolean;
}

export class GraphBuilder {
	readonly #trace: MergedTrace;
	readonly #writer: GraphWriter;
	readonly #options: BuilderOptions;
	readonly #state: ReadonlyMap<string, Tensor>;
	/** What has a name in the graph, by its place in the trace. */
	readonly #values = new Map<string, Value>();

	constructor(net: Module, trace: MergedTrace, options: BuilderOptions) {
		this.#trace = trace;
		this.#options = options;
		this.#writer = new GraphWriter(options.opset, options.inputNames);
		this.#state = new Map<string, Tensor>([...net.namedParameters(), ...net.namedBuffers()]);
	}

	/** Writes all there is. `output` is what the graph's output is called. */
	build(output: string) {
		const { ops } = this.#trace;
		for (const [at, op] of ops.entries()) if (op) this.#write(op, at);
		const returned = this.#value(this.#trace.output);
		const writer = this.#writer;
		writer.enter("");
		// What a node makes takes the output's name; what no node makes is passed on.
		const made = writer.nodes.some((node) => node.output.includes(returned.name) && node.opType !== "Constant");
		writer.rename(made ? returned.name : writer.node("Identity", [returned.name]), output);
		const values = ops.flatMap((op, at) => (op ? [this.#values.get(keyOf({ kind: "op", at }))] : []));
		const named = new Map(values.flatMap((value) => (value ? [[value.name, value]] : [])));
		named.delete(returned.name);
		return { nodes: writer.nodes, initializers: writer.initializers, values: [...named.values()] };
	}

	#write(op: MergedOp, at: number): void {
		const [first] = op.runs;
		const write = writerOf(first);
		const inputs = first.inputs.map((ref) => this.#value(ref));
		const options = new Map([...first.options].map(([tensor, ref]) => [tensor, this.#value(ref)]));
		this.#writer.enter(first.path);
		const context = new OpContext({
			...{ writer: this.#writer, runs: op.runs, batches: this.#trace.batches, inputs, shape: op.shape, options },
			training: this.#options.training,
		});
		this.#values.set(keyOf({ kind: "op", at }), { name: write(context), shape: op.shape, dtype: first.dtype });
	}

	#value(ref: Ref): Value {
		const key = keyOf(ref);
		const known = this.#values.get(key);
		if (known) return known;
		const made = this.#make(ref);
		this.#values.set(key, made);
		return made;
	}

	#make(ref: Ref): Value {
		if (ref.kind === "input") return { name: this.#options.inputNames[ref.at], ...this.#trace.inputs[ref.at] };
		if (ref.kind === "constant") return this.#constant(this.#trace.constants[ref.at]);
		check(ref.kind === "state", () => `exportOnnx: op ${ref.kind} was read before it was written`);
		const tensor = this.#state.get(ref.name);
		check(tensor, () => `exportOnnx: the network has no "${ref.name}" any more; forward must not replace parameters`);
		const { shape, dtype } = tensor;
		const name = this.#writer.initializer(ref.name, onnxTensor(shape, dtype, tensor.view().subarray(0, tensor.size)));
		return { name, shape: shape.map(fixed), dtype };
	}

	/** What follows from one parameter alone goes by its name: it takes the parameter's place. */
	#constant({ shape, dtype, data, from }: MergedConstant): Value {
		const writer = this.#writer;
		if (!shape.every(isFixed)) {
			const value = makeTensor("", onnxTensor([1], dtype, data.subarray(0, 1)));
			writer.enter("");
			const name = writer.node("ConstantOfShape", [writer.lengths(shape)], { value });
			return { name, shape, dtype };
		}
		const lengths = shape.map(({ plus }) => plus);
		const tensor = onnxTensor(lengths, dtype, data);
		const [origin, ...others] = from;
		if (origin === undefined) return { name: writer.literal(tensor), shape, dtype };
		const name = others.length === 0 ? origin : `${origin}_computed`;
		return { name: writer.initializer(name, tensor), shape, dtype };
	}
}

function keyOf(ref: Ref): string {
	return ref.kind === "state" ? `state ${ref.name}` : `${ref.kind} ${ref.at}`;
}

function writerOf({ name, label }: TracedOp): OpWriter<unknown> {
	const found = Object.hasOwn(opWriters, name) ? opWriters[name as keyof typeof opWriters] : undefined;
	if (!found) {
		throw new EvenkeelError(
			`exportOnnx: ${label}: the op ${name} cannot be written as ONNX; those that can are ` +
				`${Object.keys(opWriters).join(", ")}. Leave it out of forward`,
		);
	}
	// Each op's options are what its own writer takes.
	return found as OpWriter<unknown>;
}

/** A tensor's numbers as ONNX has them, in memory of their own. */
function onnxTensor(shape: readonly number[], dtype: DType, values: ArrayLike<number>): OnnxTensor {
	if (dtype === "int32") return { type: "int32", shape, data: Int32Array.from(values) };
	if (dtype === "uint8") return { type: "uint8", shape, data: Uint8Array.from(values) };
	return { type: "float", shape, data: Float32Array.from(values) };
}
