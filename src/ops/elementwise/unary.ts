// neg, exp, log, sqrt, abs, square, pow and clamp.

import { check } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply } from "../op.ts";
import { pointwiseOps } from "./pointwise.ts";

const ops = pointwiseOps("elementwise", {
	neg: { saves: null, forward: (x) => -x, backward: (dy) => -dy },
	exp: { saves: "y", forward: Math.exp, backward: (dy, y) => dy * y },
	log: { saves: "x", forward: Math.log, backward: (dy, x) => dy / x },
	sqrt: { saves: "y", forward: Math.sqrt, backward: (dy, y) => dy / (2 * y) },
	abs: { saves: "x", forward: Math.abs, backward: (dy, x) => (x > 0 ? dy : x < 0 ? -dy : 0) },
	square: { saves: "x", forward: (x) => x * x, backward: (dy, x) => 2 * x * dy },
	pow: { saves: "x", forward: power, backward: (dy, x, p) => (p === 0 ? 0 : dy * p * power(x, p - 1)) },
	clamp: {
		saves: "x",
		forward: (x, low, high) => (x < low ? low : x > high ? high : x),
		backward: (dy, x, low, high) => (x >= low && x <= high ? dy : 0),
	},
});

/** C's pow; JavaScript's differs in 1 to the power of NaN or infinity alone. */
function power(x: number, p: number): number {
	return x === 1 ? 1 : x ** p;
}

/** -x, elementwise. */
export function neg(x: Tensor): Tensor {
	return apply(ops.neg, [x], { p: 0, q: 0 });
}

/** e^x, elementwise, within 2 ulp in float32. */
export function exp(x: Tensor): Tensor {
	return apply(ops.exp, [x], { p: 0, q: 0 });
}

/** The natural logarithm, elementwise, within 2 ulp in float32. -infinity at 0, NaN below. */
export function log(x: Tensor): Tensor {
	return apply(ops.log, [x], { p: 0, q: 0 });
}

/** The square root, elementwise, exactly rounded. NaN below 0; the gradient at 0 is infinite. */
export function sqrt(x: Tensor): Tensor {
	return apply(ops.sqrt, [x], { p: 0, q: 0 });
}

/** |x|, elementwise. The gradient at 0 is 0. */
export function abs(x: Tensor): Tensor {
	return apply(ops.abs, [x], { p: 0, q: 0 });
}

/** x^2, elementwise. */
export function square(x: Tensor): Tensor {
	return apply(ops.square, [x], { p: 0, q: 0 });
}

/**
 * x to the power of a number, elementwise. 2, 1, 0.5 and -1 (and 0, -0.5, -2, 3) are computed by multiplying,
 * dividing and taking roots; other exponents in double precision. A negative x with an exponent that is not
 * whole gives NaN, as in C.
 *
 * @throws EvenkeelError if the exponent is not a number
 */
export function pow(x: Tensor, exponent: number): Tensor {
	check(typeof exponent === "number", () => `pow: expected a number as the exponent, got ${typeof exponent}`);
	return apply(ops.pow, [x], { p: exponent, q: 0 });
}

/**
 * x held to [min, max], elementwise; either bound may be left out. NaN stays NaN. The gradient passes where x is
 * within the bounds, the bounds included, and is 0 elsewhere.
 *
 * @throws EvenkeelError if a bound is NaN or min > max
 */
export function clamp(x: Tensor, min = -Infinity, max = Infinity): Tensor {
	check(min <= max, () => `clamp: expected min <= max, got min ${min} and max ${max}`);
	return apply(ops.clamp, [x], { p: min, q: max });
}
