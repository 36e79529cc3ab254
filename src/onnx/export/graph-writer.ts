// A graph that is being written: nodes with names, initializers, literals, and the few idioms that operators are put
// together from. Literals are Constant nodes; initializers are parameters and buffers, which may be trained on.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { check } from "../../errors.ts";
import type { NodeProtoSchema } from "../../model-files/onnx/generated/onnx-ml_pb.ts";
import {
	type AttributeValue,
	makeAttribute,
	makeTensor,
	type NodeProto,
	type OnnxTensor,
	type TensorProto,
} from "../../model-files/onnx/index.ts";
import { Names } from "../names.ts";
import { isFixed, type Length, sameLength } from "./lengths.ts";

type NodeInit = MessageInitShape<typeof NodeProtoSchema> & Pick<NodeProto, "input" | "output">;

/** Attributes of a node: whole numbers as bigint, others as number. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Whole numbers as an attribute takes them. */
export function ints(values: readonly number[]): bigint[] {
	return values.map(BigInt);
}

/** To the end, as Slice has it. */
export const TO_END = 2 ** 53 - 1;

export class GraphWriter {
	/** The version of ONNX's operators that is written. */
	readonly opset: number;
	readonly nodes: NodeInit[] = [];
	readonly initializers: TensorProto[] = [];
	readonly #names = new Names();
	readonly #literals = new Map<string, string>();
	/** Input whose first axis is the batch. */
	readonly #batchInput: string;
	#scope = "";

	constructor(opset: number, inputNames: readonly string[]) {
		this.opset = opset;
		this.#batchInput = inputNames[0];
		for (const name of inputNames) this.#names.claim(name);
	}

	/** Nodes are from now on named as those of the module at `path`. */
	enter(path: string): void {
		this.#scope = path === "" ? "" : `/${path.replaceAll(".", "/")}`;
	}

	/** A name for a value that nothing else has. */
	claim(wanted: string): string {
		return this.#names.claim(wanted);
	}

	/** Adds a node; `null` is an input that is left out. Returns the name of its first output. */
	node(opType: string, inputs: readonly (string | null)[], attributes: Attributes = {}, outputs = 1): string {
		const name = this.#names.claim(`${this.#scope}/${opType}`);
		const output = Array.from({ length: outputs }, (_, i) => this.#names.claim(`${name}_output_${i}`));
		const input = inputs.map((one) => one ?? "");
		while (input.at(-1) === "") input.pop();
		const attribute = Object.entries(attributes).map(([key, value]) => makeAttribute(key, value));
		this.nodes.push({ name, opType, input, output, attribute });
		return output[0];
	}

	/** Adds an initializer under `name`, or that with a number behind it. Returns its name. */
	initializer(name: string, tensor: OnnxTensor): string {
		const claimed = this.#names.claim(name);
		this.initializers.push(makeTensor(claimed, tensor));
		return claimed;
	}

	/** A tensor that is the same in every run and is not learned. Equal ones are one. */
	literal(tensor: OnnxTensor): string {
		const key = JSON.stringify([tensor.type, tensor.shape, Array.from(tensor.data as Float32Array, String)]);
		const known = this.#literals.get(key);
		if (known) return known;
		const before = this.#scope;
		this.#scope = "";
		const name = this.node("Constant", [], { value: makeTensor("", tensor) });
		this.#scope = before;
		this.#literals.set(key, name);
		return name;
	}

	/** A number of no axes, as float32. */
	scalar(value: number): string {
		return this.literal({ type: "float", shape: [], data: Float32Array.of(value) });
	}

	/** `count` times `value`, as float32. */
	filled(shape: readonly number[], value: number): string {
		const size = shape.reduce((product, length) => product * length, 1);
		return this.literal({ type: "float", shape, data: new Float32Array(size).fill(value) });
	}

	/** Whole numbers as a vector of int64: axes, bounds, shapes. */
	vector(values: readonly number[]): string {
		return this.literal({ type: "int64", shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) });
	}

	/** Lengths, some of which may follow the batch, as a vector of int64. */
	lengths(lengths: readonly Length[]): string {
		if (lengths.every(isFixed)) return this.vector(lengths.map(({ plus }) => plus));
		const parts = lengths.map((length) => (isFixed(length) ? this.vector([length.plus]) : this.#following(length)));
		return parts.length === 1 ? parts[0] : this.node("Concat", parts, { axis: 0n });
	}

	/** A length that follows the batch, as a vector of one. */
	#following({ times, plus }: Length): string {
		const batch = this.node("Gather", [this.node("Shape", [this.#batchInput]), this.vector([0])], { axis: 0n });
		const product = times === 1 ? batch : this.node("Mul", [batch, this.vector([times])]);
		return plus === 0 ? product : this.node("Add", [product, this.vector([plus])]);
	}

	/**
	 * `x`, of shape `from`, under the shape `to`, in which one `null` is what remains. A length that follows the batch is
	 * copied from the input where it stands at the same place, one other follows from the rest, and more are computed.
	 */
	reshape(x: string, from: readonly Length[], to: readonly (Length | null)[]): string {
		const known = to.filter((length) => length !== null);
		const empty = known.some((length) => isFixed(length) && length.plus === 0);
		// A 0 copies the input's length.
		const copies = (length: Length, axis: number) => axis < from.length && sameLength(length, from[axis]);
		const open = to.filter((length, axis) => length === null || !(isFixed(length) || copies(length, axis)));
		if (known.length === to.length && (open.length > 1 || empty)) {
			check(!empty || this.opset >= 14, "exportOnnx: a shape with a length of 0 needs opset 14 or later");
			return this.node("Reshape", [x, this.lengths(known)], empty ? { allowzero: 1n } : {});
		}
		const shape = to.map((length, axis) => {
			if (length === null) return -1;
			if (isFixed(length)) return length.plus;
			return copies(length, axis) ? 0 : -1;
		});
		return this.node("Reshape", [x, this.vector(shape)]);
	}

	/** A reduction (`ReduceMean`, …) over `axes`, which are an input or an attribute, by version. */
	reduce(opType: string, x: string, axes: readonly number[], keepDims: boolean): string {
		const asInput = this.opset >= (opType === "ReduceSum" ? 13 : 18);
		const keepdims = keepDims ? 1n : 0n;
		if (asInput) return this.node(opType, [x, this.vector(axes)], { keepdims });
		return this.node(opType, [x], { axes: ints(axes), keepdims });
	}

	add(a: string, b: string): string {
		return this.node("Add", [a, b]);
	}

	sub(a: string, b: string): string {
		return this.node("Sub", [a, b]);
	}

	mul(a: string, b: string): string {
		return this.node("Mul", [a, b]);
	}

	div(a: string, b: string): string {
		return this.node("Div", [a, b]);
	}

	/** sqrt(variance + eps) */
	deviation(variance: string, eps: number): string {
		return this.node("Sqrt", [this.add(variance, this.scalar(eps))]);
	}

	/** Gives a value another name, wherever it stands. */
	rename(from: string, to: string): void {
		for (const node of this.nodes) {
			node.input = node.input.map((name) => (name === from ? to : name));
			node.output = node.output.map((name) => (name === from ? to : name));
		}
	}
}
