// Variables of Keras on their way to a state dict: their values are read and put in order when they are asked for, one
// tensor after the other.

import type { KerasVariable } from "../../model-files/keras/weights.ts";
import type { StateEntry } from "../../nn/load-state.ts";
import type { Shape } from "../../tensor/shape.ts";

/** Values with a name for errors. */
export interface Source extends StateEntry {
	/** `"kernel"` */
	readonly what: string;
	numbers(): ArrayLike<number>;
}

/** A layer's variables by name; those that it has not are absent. */
export interface NamedVariables {
	readonly kernel: Source;
	readonly bias?: Source;
	readonly gamma?: Source;
	readonly beta?: Source;
	readonly moving_mean: Source;
	readonly moving_variance: Source;
}

/** A variable as float values. */
export function sourceOf(variable: KerasVariable, what: string): Source {
	return {
		what,
		shape: variable.shape,
		numbers() {
			const values = variable.read().numbers();
			return values instanceof BigInt64Array || values instanceof BigUint64Array ? Array.from(values, Number) : values;
		},
	};
}

/** A vector of one value. */
export function vectorOf(shape: Shape, value: number): StateEntry {
	return { shape, numbers: () => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) };
}

/** The axes in another order: axis i of the result is axis `order[i]` of `source`. */
export function permuted(source: Source, order: readonly number[]): Source {
	const shape = order.map((axis) => source.shape[axis]);
	return {
		what: source.what,
		shape,
		numbers() {
			const strides = source.shape.map((_, axis) => source.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
			const steps = order.map((axis) => strides[axis]);
			const values = source.numbers();
			const result = new Float64Array(values.length);
			const index = new Array<number>(shape.length).fill(0);
			let from = 0;
			for (let i = 0; i < result.length; i++) {
				result[i] = values[from];
				// The index counts up, the last axis first.
				for (let axis = shape.length - 1; axis >= 0; axis--) {
					from += steps[axis];
					if (++index[axis] < shape[axis]) break;
					from -= steps[axis] * shape[axis];
					index[axis] = 0;
				}
			}
			return result;
		},
	};
}

/** Each row's values in another order: value i of a row of the result is value `order[i]` of that of `source`. */
export function gathered(source: Source, order: Int32Array): Source {
	return {
		what: source.what,
		shape: source.shape,
		numbers() {
			const values = source.numbers();
			const width = order.length;
			return Float64Array.from({ length: values.length }, (_, i) => values[i - (i % width) + order[i % width]]);
		},
	};
}
