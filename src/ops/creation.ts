// Making tensors from values.

import { currentBackend } from "../backend/backend.ts";
import { check, EvenkeelError } from "../errors.ts";
import { checkDType, type DType, isFloat, type TypedArray } from "../tensor/dtype.ts";
import { checkShape, formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { empty } from "./op.ts";

export interface TensorOptions {
	/**
	 * `"float32"` (default; float64 on the reference backend), `"int32"` or `"uint8"`. Left out, an
	 * Int32Array or Uint8Array keeps its type.
	 */
	dtype?: DType;
	/** Whether `backward()` accumulates a gradient in it. Default false. */
	requiresGrad?: boolean;
	/** Shown in errors. */
	name?: string;
}

export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * A tensor of `values`, copied, row-major.
 *
 * @param values a typed array, a number, or (nested) arrays of numbers
 * @param shape the lengths of its axes; left out, it is that of the nested arrays
 * @throws EvenkeelError if the number of values does not fit the shape, or arrays are ragged
 */
export function tensor(values: TypedArray | NestedNumbers, shape?: Shape, options: TensorOptions = {}): Tensor {
	const flat = ArrayBuffer.isView(values) ? values : flatten(values);
	const inferred = ArrayBuffer.isView(values) ? [flat.length] : nestedShape(values);
	const size = shape === undefined ? inferred : shape;
	checkShape(size, "tensor");
	check(
		sizeOf(size) === flat.length,
		() => `tensor: shape ${formatShape(size)} holds ${sizeOf(size)} values, got ${flat.length}`,
	);
	const dtype = options.dtype ?? naturalType(values);
	checkDType(dtype, "tensor");
	checkIntegers(flat, dtype, "tensor");
	const made = empty(size, currentBackend(), isFloat(dtype) ? "float" : dtype, options.name ?? "tensor");
	made.view().set(flat);
	return options.requiresGrad ? made.setRequiresGrad() : made;
}

/** A tensor filled with zeros. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
	return full(shape, 0, options);
}

/** A tensor filled with ones. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
	return full(shape, 1, options);
}

/** A tensor filled with `value`. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
	checkShape(shape, "full");
	const dtype = options.dtype ?? "float32";
	checkDType(dtype, "full");
	checkIntegers([value], dtype, "full");
	const made = empty(shape, currentBackend(), isFloat(dtype) ? "float" : dtype, options.name ?? "tensor");
	made.view().fill(value);
	return options.requiresGrad ? made.setRequiresGrad() : made;
}

function naturalType(values: unknown): DType {
	if (values instanceof Int32Array) return "int32";
	if (values instanceof Uint8Array) return "uint8";
	return "float32";
}

function checkIntegers(values: ArrayLike<number>, dtype: DType, what: string): void {
	if (isFloat(dtype)) return;
	const [low, high] = dtype === "uint8" ? [0, 255] : [-2147483648, 2147483647];
	for (let i = 0; i < values.length; i++) {
		const value = values[i];
		if (!Number.isInteger(value) || value < low || value > high) {
			throw new EvenkeelError(`${what}: ${dtype} holds whole numbers from ${low} to ${high}, got ${value} at ${i}`);
		}
	}
}

function nestedShape(values: NestedNumbers): number[] {
	const shape: number[] = [];
	for (let level = values; Array.isArray(level); level = level[0]) {
		shape.push(level.length);
		if (level.length === 0) break;
	}
	return shape;
}

function flatten(values: NestedNumbers): number[] {
	const shape = nestedShape(values);
	const flat: number[] = [];
	const walk = (level: NestedNumbers, depth: number): void => {
		if (typeof level === "number") {
			check(depth === shape.length, () => ragged(shape));
			flat.push(level);
			return;
		}
		check(Array.isArray(level), () => `tensor: expected numbers, got ${typeof level} ${String(level)}`);
		check(depth < shape.length && level.length === shape[depth], () => ragged(shape));
		for (const item of level) walk(item, depth + 1);
	};
	walk(values, 0);
	return flat;
}

function ragged(shape: Shape): string {
	return `tensor: the nested arrays are ragged: by their first entries they would be ${formatShape(shape)}`;
}
