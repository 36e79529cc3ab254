// Elementwise arithmetic, on tensors, and on the numbers that shapes are computed with.

import { abs, add, div, exp, log, maximum, minimum, mul, neg, pow, sqrt, sub } from "../../ops/elementwise/op.ts";
import { broadcastShapes, broadcastStrides, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { NodeContext, Operator } from "../node-context.ts";
import { type Dims, type Env, type Input, isTensor, type Numbers, scalarOf, type Value } from "../value.ts";

interface Binary {
	tensors(a: Tensor | number, b: Tensor | number): Tensor;
	numbers(a: number, b: number, whole: boolean): number;
}

const binaries: Readonly<Record<string, Binary>> = {
	Add: { tensors: add, numbers: (a, b) => a + b },
	Sub: { tensors: sub, numbers: (a, b) => a - b },
	Mul: { tensors: mul, numbers: (a, b) => a * b },
	Div: { tensors: div, numbers: (a, b, whole) => (whole ? Math.trunc(a / b) : a / b) },
};

/** Elementwise on numbers, broadcasting. */
function onNumbers(a: Numbers, b: Numbers, fn: Binary["numbers"], what: string): Numbers {
	const shape = broadcastShapes(a.shape, b.shape, what);
	const [first, second] = [a, b].map((one) => broadcastStrides(one.shape, shape));
	const whole = a.whole && b.whole;
	const data = Array.from({ length: sizeOf(shape) }, (_, at) => {
		let [rest, i, j] = [at, 0, 0];
		for (let axis = shape.length - 1; axis >= 0; axis--) {
			const index = rest % shape[axis];
			rest = (rest - index) / shape[axis];
			i += index * first[axis];
			j += index * second[axis];
		}
		return fn(a.data[i], b.data[j], whole);
	});
	return { shape, data, whole };
}

/** A value as an operand: one number as such, where that does not change the shape of the result. */
function operand(input: Input, env: Env, other: Value): Tensor | number {
	const value = input.value(env);
	const number = scalarOf(value);
	return number !== null && value.shape.length <= other.shape.length && isTensor(other) ? number : input.tensor(env);
}

function apply({ tensors, numbers }: Binary, a: Input, b: Input, env: Env): Value {
	const [left, right] = [a.value(env), b.value(env)];
	if (!isTensor(left) && !isTensor(right)) return onNumbers(left, right, numbers, a.reader);
	return tensors(operand(a, env, right), operand(b, env, left));
}

/** What is known of the shape of a result that broadcasts: how many axes it has, and lengths that agree. */
export function broadcastDims(node: NodeContext): Dims {
	const all = node.proto.input.map((_, index) => node.dims(index));
	if (all.some((dims) => dims === undefined)) return undefined;
	const known = all as (readonly (number | null)[])[];
	const rank = Math.max(...known.map((dims) => dims.length));
	return Array.from({ length: rank }, (_, axis) => {
		const lengths = known.map((dims) => (axis - rank + dims.length < 0 ? 1 : dims[axis - rank + dims.length]));
		const others = new Set(lengths.filter((length) => length !== 1));
		return others.size === 0 ? 1 : others.size === 1 ? [...others][0] : null;
	});
}

function binary(op: Binary): Operator {
	return (node) => {
		node.setDims(broadcastDims(node));
		const [a, b] = [node.input(0), node.input(1)];
		return (env) => apply(op, a, b, env);
	};
}

/** Sum, Mean, Max, Min: of any number of inputs. */
function variadic(
	fn: (a: Tensor, b: Tensor) => Tensor,
	last: (sum: Tensor, count: number) => Tensor = (x) => x,
): Operator {
	return (node) => {
		node.setDims(broadcastDims(node));
		const inputs = node.inputs();
		return (env) => last(inputs.map((one) => one.tensor(env)).reduce(fn), inputs.length);
	};
}

interface Unary {
	tensor(x: Tensor): Tensor;
	number(x: number): number;
}

function unary({ tensor, number }: Unary): Operator {
	return (node) => {
		const x = node.input(0);
		return (env) => {
			const value = x.value(env);
			if (isTensor(value)) return tensor(value);
			return { ...value, data: Array.from(value.data, number) };
		};
	};
}

/** x to a power that is one number. */
const power: Operator = (node) => {
	node.setDims(broadcastDims(node));
	const [x, exponent] = [node.input(0), node.input(1)];
	return (env) => {
		const [base, by] = [x.value(env), exponent.value(env)];
		if (!isTensor(base) && !isTensor(by)) return onNumbers(base, by, (a, b) => a ** b, node.label);
		const number = scalarOf(by);
		if (number === null) return node.fail("its exponent must be one number that is a constant");
		return pow(x.tensor(env), number);
	};
};

export const arithmetic: Readonly<Record<string, Operator>> = {
	...Object.fromEntries(Object.entries(binaries).map(([name, op]) => [name, binary(op)])),
	Sum: variadic(add),
	Mean: variadic(add, (sum, count) => div(sum, count)),
	Max: variadic(maximum),
	Min: variadic(minimum),
	Pow: power,
	Sqrt: unary({ tensor: sqrt, number: Math.sqrt }),
	Exp: unary({ tensor: exp, number: Math.exp }),
	Log: unary({ tensor: log, number: Math.log }),
	Abs: unary({ tensor: abs, number: Math.abs }),
	Neg: unary({ tensor: neg, number: (x) => -x }),
	Reciprocal: unary({ tensor: (x) => div(1, x), number: (x) => 1 / x }),
};
