// The ops as methods: x.add(y), x.sum(0), x.reshape([2, -1]). Importing this file installs them.

import type { Shape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import * as activation from "./activation/op.ts";
import * as elementwise from "./elementwise/op.ts";
import { matmul } from "./matmul/op.ts";
import * as reduce from "./reduce/op.ts";
import * as shaping from "./shape/op.ts";

declare module "../tensor/tensor.ts" {
	interface Tensor {
		/** this + other, elementwise. Shapes broadcast as in NumPy. */
		add(other: Tensor | number): Tensor;
		/** this - other, elementwise, broadcast. */
		sub(other: Tensor | number): Tensor;
		/** this times other, elementwise, broadcast. For the matrix product see {@link matmul}. */
		mul(other: Tensor | number): Tensor;
		/** this / other, elementwise, broadcast. */
		div(other: Tensor | number): Tensor;
		/** The larger of this and other, elementwise, broadcast; NaN if either is. */
		maximum(other: Tensor | number): Tensor;
		/** The smaller of this and other, elementwise, broadcast; NaN if either is. */
		minimum(other: Tensor | number): Tensor;
		/** -this, elementwise. */
		neg(): Tensor;
		/** e to the power of this, elementwise. */
		exp(): Tensor;
		/** The natural logarithm, elementwise; -infinity at 0, NaN below. */
		log(): Tensor;
		/** The square root, elementwise; NaN below 0. */
		sqrt(): Tensor;
		/** The magnitude, elementwise; the gradient at 0 is 0. */
		abs(): Tensor;
		/** The square, elementwise. */
		square(): Tensor;
		/** This to the power of a number, elementwise. */
		pow(exponent: number): Tensor;
		/** This held to [min, max], elementwise; either may be left out. NaN stays NaN. */
		clamp(min?: number, max?: number): Tensor;
		/** 1 where this equals other, 0 elsewhere, as uint8; broadcast. NaN equals nothing. */
		equal(other: Tensor | number): Tensor;
		/** 1 where this differs from other, 0 elsewhere, as uint8; broadcast. */
		notEqual(other: Tensor | number): Tensor;
		/** 1 where this > other, 0 elsewhere, as uint8; broadcast. */
		greater(other: Tensor | number): Tensor;
		/** 1 where this >= other, 0 elsewhere, as uint8; broadcast. */
		greaterEqual(other: Tensor | number): Tensor;
		/** 1 where this < other, 0 elsewhere, as uint8; broadcast. */
		less(other: Tensor | number): Tensor;
		/** 1 where this <= other, 0 elsewhere, as uint8; broadcast. */
		lessEqual(other: Tensor | number): Tensor;
		/** The matrix product of this and other. */
		matmul(other: Tensor): Tensor;
		/** The sum over `axes` (a number or several; left out: all). */
		sum(axes?: number | Shape, options?: reduce.ReduceOptions): Tensor;
		/** The mean over `axes` (a number or several; left out: all). */
		mean(axes?: number | Shape, options?: reduce.ReduceOptions): Tensor;
		/** The largest element over `axes` (left out: all); ties share the gradient. NaN if there is one. */
		max(axes?: number | Shape, options?: reduce.ReduceOptions): Tensor;
		/** The smallest element over `axes` (left out: all); ties share the gradient. NaN if there is one. */
		min(axes?: number | Shape, options?: reduce.ReduceOptions): Tensor;
		/** Where the largest element along `axis` (default the last) stands first, as int32. */
		argmax(axis?: number): Tensor;
		/** Where the smallest element along `axis` (default the last) stands first, as int32. */
		argmin(axis?: number): Tensor;
		/** The same elements under another shape; one length may be -1. Shares this tensor's memory. */
		reshape(shape: Shape): Tensor;
		/** The axes from `startAxis` (default 0) to `endAxis` (default -1, included) joined. Shares memory. */
		flatten(startAxis?: number, endAxis?: number): Tensor;
		/** A copy with two axes exchanged, by default the last two. */
		transpose(a?: number, b?: number): Tensor;
		/** A copy with the axes in the order `axes`. */
		permute(axes: readonly number[]): Tensor;
		/** A copy of the entries [begin, end) along `axis`; negative bounds count from the end. */
		slice(axis: number, begin: number, end?: number): Tensor;
		/** This as a floating tensor: int32 and uint8 are converted. */
		toFloat(): Tensor;
		/** A copy in memory of its own; the gradient passes through. */
		clone(): Tensor;
		/** max(this, 0), elementwise. */
		relu(): Tensor;
		/** 1 / (1 + e^-this), elementwise. */
		sigmoid(): Tensor;
		/** The hyperbolic tangent, elementwise. */
		tanh(): Tensor;
		/** e^this / sum(e^this) along `axis` (default the last). */
		softmax(axis?: number): Tensor;
		/** The logarithm of softmax along `axis` (default the last), finite where softmax is 0. */
		logSoftmax(axis?: number): Tensor;
	}
}

/** Makes methods of functions whose first parameter is the tensor. */
function install(functions: Record<string, (x: Tensor, ...rest: never[]) => Tensor>): void {
	for (const [name, fn] of Object.entries(functions)) {
		Object.defineProperty(Tensor.prototype, name, {
			value(this: Tensor, ...rest: never[]) {
				return fn(this, ...rest);
			},
			writable: true,
			configurable: true,
		});
	}
}

const { add, sub, mul, div, maximum, minimum, neg, exp, log, sqrt, abs, square, pow, clamp } = elementwise;
const { equal, notEqual, greater, greaterEqual, less, lessEqual, toFloat, clone } = elementwise;
const { sum, mean, max, min, argmax, argmin } = reduce;
const { reshape, flatten, transpose, permute, slice } = shaping;
const { relu, sigmoid, tanh, softmax, logSoftmax } = activation;

install({ add, sub, mul, div, maximum, minimum, neg, exp, log, sqrt, abs, square, pow, clamp });
install({ equal, notEqual, greater, greaterEqual, less, lessEqual, toFloat, clone, matmul });
install({ sum, mean, max, min, argmax, argmin });
install({ reshape, flatten, transpose, permute, slice });
install({ relu, sigmoid, tanh, softmax, logSoftmax });
