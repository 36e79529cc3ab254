// What flows along the edges of a graph: tensors, and the small numbers that exporters compute shapes with. The
// latter stay in JavaScript, whatever the backend.

import { EvenkeelError } from "../errors.ts";
import type { OnnxTensor } from "../model-files/onnx/index.ts";
import { quote } from "../model-files/show.ts";
import { tensor } from "../ops/creation.ts";
import { keep } from "../tensor/scope.ts";
import { formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Numbers in JavaScript: shapes, axes, indices, scalars. Row-major. */
export interface Numbers {
	readonly shape: Shape;
	readonly data: ArrayLike<number>;
	/** Whole numbers (and booleans, as 0 and 1), with the division that goes with them. */
	readonly whole: boolean;
}

export type Value = Tensor | Numbers;

/** The values that are known so far in a run, by name. */
export type Env = Map<string, Value>;

/** What the graph says of a value's shape: null for a length that is not known, undefined for nothing. */
export type Dims = readonly (number | null)[] | undefined;

export function isTensor(value: Value): value is Tensor {
	return value instanceof Tensor;
}

/** A list of whole numbers. */
export function listOf(data: readonly number[]): Numbers {
	return { shape: [data.length], data, whole: true };
}

const floatTypes = new Set<OnnxTensor["type"]>(["float", "double", "float16", "bfloat16"]);

export function isFloatType({ type }: OnnxTensor): boolean {
	return floatTypes.has(type);
}

/** A tensor of a file as numbers. 64-bit integers beyond 2^53, which only ever mean "to the end", are rounded. */
export function numbersOf(found: OnnxTensor): Numbers {
	const { shape, data } = found;
	const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
	return { shape, data: isBig ? Array.from(data, Number) : data, whole: !isFloatType(found) };
}

/** Numbers as a tensor: float32, or int32 for whole ones. */
export function tensorOf({ shape, data, whole }: Numbers): Tensor {
	return tensor(whole ? Int32Array.from(data) : Float32Array.from(data), shape);
}

/** The number that a value of one element is, or null. */
export function scalarOf(value: Value): number | null {
	return !isTensor(value) && sizeOf(value.shape) === 1 ? value.data[0] : null;
}

/** An input of a node: known at import (a constant or a parameter), or taken from each run. */
export class Input {
	readonly name: string;
	/** How errors name the node that reads it. */
	readonly reader: string;
	/** The value, where it is the same in every run. */
	readonly fixed: Value | undefined;
	#asTensor: Tensor | null = null;

	constructor(name: string, reader: string, fixed?: Value) {
		this.name = name;
		this.reader = reader;
		this.fixed = fixed;
	}

	value(env: Env): Value {
		const value = this.fixed ?? env.get(this.name);
		if (!value)
			throw new EvenkeelError(`${this.reader}: its input ${quote(this.name)} has no value; it was not computed`);
		return value;
	}

	tensor(env: Env): Tensor {
		const value = this.value(env);
		if (isTensor(value)) return value;
		if (this.fixed === undefined) return tensorOf(value);
		this.#asTensor ??= keep(tensorOf(value));
		return this.#asTensor;
	}

	/** @throws EvenkeelError if the value is a tensor: what it holds would decide about shapes */
	numbers(env: Env): Numbers {
		const value = this.value(env);
		if (!isTensor(value)) return value;
		throw new EvenkeelError(
			`${this.reader}: its input ${quote(this.name)} ${formatShape(value.shape)} depends on the data; ` +
				"it can only be run where that is a constant or computed from shapes",
		);
	}

	/** As {@link numbers}, as a list of whole numbers. */
	list(env: Env): number[] {
		return Array.from(this.numbers(env).data, Number);
	}
}
