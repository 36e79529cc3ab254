// How the cases of cases.json are called.

import type { Runner } from "../../../test/conformance/runner.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import * as ops from "./op.ts";

type Binary = (a: ops.Operand, b: ops.Operand) => Tensor;

/** Two tensors `a` and `b`, or `a` and a number, on its left if `left` says so. */
function binary(op: Binary): Runner {
	return ({ a, b }, { number, left }) => {
		if (typeof number !== "number") return op(a, b);
		return left ? op(number, a) : op(a, number);
	};
}

function numberOr<T>(value: unknown, otherwise: T): number | T {
	return typeof value === "number" ? value : otherwise;
}

export const runners: Record<string, Runner> = {
	add: binary(ops.add),
	sub: binary(ops.sub),
	mul: binary(ops.mul),
	div: binary(ops.div),
	maximum: binary(ops.maximum),
	minimum: binary(ops.minimum),
	equal: binary(ops.equal),
	notEqual: binary(ops.notEqual),
	greater: binary(ops.greater),
	greaterEqual: binary(ops.greaterEqual),
	less: binary(ops.less),
	lessEqual: binary(ops.lessEqual),
	neg: ({ x }) => ops.neg(x),
	exp: ({ x }) => ops.exp(x),
	log: ({ x }) => ops.log(x),
	sqrt: ({ x }) => ops.sqrt(x),
	abs: ({ x }) => ops.abs(x),
	square: ({ x }) => ops.square(x),
	pow: ({ x }, { exponent }) => ops.pow(x, numberOr(exponent, Number.NaN)),
	clamp: ({ x }, { min, max }) => ops.clamp(x, numberOr(min, undefined), numberOr(max, undefined)),
	toFloat: ({ x }) => ops.toFloat(x),
	clone: ({ x }) => ops.clone(x),
};
