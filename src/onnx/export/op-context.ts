// What the writer of an operator sees of an op: its options, inputs and output, with the lengths that follow the batch.

import { EvenkeelError } from "../../errors.ts";
import type { DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { GraphWriter } from "./graph-writer.ts";
import { fixed, isFixed, type Length, lengthOf } from "./lengths.ts";
import type { TracedOp } from "./trace.ts";

/** A value of the graph. */
export interface Value {
	readonly name: string;
	readonly shape: readonly Length[];
	readonly dtype: DType;
}

/** Writes an op as nodes, and returns the name of the value it makes. */
export type OpWriter<Attrs> = (op: OpContext<Attrs>) => string;

export interface OpParts {
	readonly writer: GraphWriter;
	/** The op in each of the runs. */
	readonly runs: readonly TracedOp[];
	/** How many examples each run had. */
	readonly batches: readonly number[];
	readonly inputs: readonly Value[];
	readonly shape: readonly Length[];
	/** The graph's values of tensors that the op was given as options. */
	readonly options: ReadonlyMap<Tensor, Value>;
	readonly training: boolean;
}

export class OpContext<Attrs> {
	readonly writer: GraphWriter;
	/** The op's options, in the first run. */
	readonly attrs: Attrs;
	readonly inputs: readonly Value[];
	/** Of the output. */
	readonly shape: readonly Length[];
	/** Whether the graph is written to be trained. */
	readonly training: boolean;
	readonly #runs: readonly TracedOp[];
	readonly #batches: readonly number[];
	readonly #options: ReadonlyMap<Tensor, Value>;

	constructor({ writer, runs, batches, inputs, shape, options, training }: OpParts) {
		this.writer = writer;
		this.attrs = runs[0].attrs as Attrs;
		this.inputs = inputs;
		this.shape = shape;
		this.training = training;
		this.#runs = runs;
		this.#batches = batches;
		this.#options = options;
	}

	/** The names of the inputs. */
	get names(): string[] {
		return this.inputs.map(({ name }) => name);
	}

	/** How many axes an input has. */
	rank(input = 0): number {
		return this.inputs[input].shape.length;
	}

	/** The name of an input that may be absent (-1). */
	optional(at: number): string | null {
		return at < 0 ? null : this.inputs[at].name;
	}

	/** The name of a tensor among the options. */
	option(tensor: Tensor): string {
		return this.#options.get(tensor)?.name ?? this.fail(`the tensor ${tensor.describe()} was not seen before`);
	}

	/** A number among the options, which may follow the batch. */
	length(select: (attrs: Attrs) => number): Length {
		const values = this.#runs.map(({ attrs }) => select(attrs as Attrs));
		return lengthOf(values, this.#batches, this.#label());
	}

	/** An input's length along `axis`, which must be the same whatever the batch. */
	fixedLength(input: number, axis: number): number {
		const length = this.inputs[input].shape[axis];
		if (!isFixed(length)) this.fail(`axis ${axis} of its input follows the batch, and ONNX needs its length`);
		return length.plus;
	}

	/**
	 * The axis of the first input with so many elements before it, and of this length: options often say the sizes and
	 * not the axis. What lies in memory is the same for any axis that fits in every run.
	 */
	axis(select: (attrs: Attrs) => { before: number; length: number }): number {
		const found = this.inputs[0].shape.findIndex((_, axis) =>
			this.#runs.every(({ attrs, inputShapes: [shape] }) => {
				const { before, length } = select(attrs as Attrs);
				return shape[axis] === length && sizeOf(shape.slice(0, axis)) === before;
			}),
		);
		return found >= 0 ? found : this.fail("its axis cannot be told");
	}

	/** Whether the options, as `select` shows them, are the same in every run. */
	isSame(select: (attrs: Attrs) => unknown): boolean {
		const [first, ...others] = this.#runs.map(({ attrs }) => JSON.stringify(select(attrs as Attrs)));
		return others.every((other) => other === first);
	}

	/** Reshapes an input; `null` is what remains. */
	reshaped(input: number, to: readonly (number | Length | null)[]): string {
		const { name, shape } = this.inputs[input];
		return this.writer.reshape(
			name,
			shape,
			to.map((length) => (typeof length === "number" ? fixed(length) : length)),
		);
	}

	/** Throws an error about the op. */
	fail(message: string): never {
		throw new EvenkeelError(`${this.#label()}: ${message}`);
	}

	#label(): string {
		const [{ label, name }] = this.#runs;
		return `exportOnnx: ${label}: ${name}`;
	}
}
