// Small ops for testing the tape and the checkers: plain loops that run on every backend, so that
// those tests stand on nothing but the core.

import "../../src/autograd/backward.ts";
import { apply, empty, type Op, viewAs } from "../../src/ops/op.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

function filled(like: Tensor, name: string, value: (i: number) => number): Tensor {
	const out = empty(like.shape, like.backend, "float", name);
	const to = out.view();
	for (let i = 0; i < out.size; i++) to[i] = value(i);
	return out;
}

const mulOp: Op<null> = {
	name: "toyMul",
	forward([a, b], _, ctx) {
		const y = filled(a, "toyMul", (i) => a.view()[i] * b.view()[i]);
		ctx.save(a, b);
		return y;
	},
	backward(dy, { saved: [a, b], needsGrad }) {
		return [
			needsGrad[0] ? filled(a, "da", (i) => dy.view()[i] * b.view()[i]) : null,
			needsGrad[1] ? filled(b, "db", (i) => dy.view()[i] * a.view()[i]) : null,
		];
	},
};

/** a * b, of one shape. Saves both. */
export function mul(a: Tensor, b: Tensor): Tensor {
	return apply(mulOp, [a, b], null);
}

const addOp: Op<null> = {
	name: "toyAdd",
	forward: ([a, b]) => filled(a, "toyAdd", (i) => a.view()[i] + b.view()[i]),
	// The very same tensor twice, as ops are free to.
	backward: (dy) => [dy, dy],
};

/** a + b, of one shape. Its backward hands dy on as it came. */
export function add(a: Tensor, b: Tensor): Tensor {
	return apply(addOp, [a, b], null);
}

const scaleOp: Op<number> = {
	name: "toyScale",
	forward: ([x], factor) => filled(x, "toyScale", (i) => x.view()[i] * factor),
	backward: (dy, { attrs }) => [filled(dy, "dx", (i) => dy.view()[i] * attrs)],
};

/** x times a number. Saves nothing. */
export function scale(x: Tensor, factor: number): Tensor {
	return apply(scaleOp, [x], factor);
}

const sumOp: Op<null> = {
	name: "toySum",
	forward([x], _, ctx) {
		const y = empty([], x.backend, "float", "toySum");
		let sum = 0;
		for (const value of x.view()) sum += value;
		y.view()[0] = sum;
		ctx.save(x);
		return y;
	},
	backward: (dy, { saved: [x] }) => [filled(x, "dx", () => dy.view()[0])],
};

/** The sum of all elements, a scalar. */
export function sumAll(x: Tensor): Tensor {
	return apply(sumOp, [x], null);
}

const sameOp: Op<null> = {
	name: "toySame",
	forward: ([x]) => viewAs(x, x.shape, "toySame"),
	backward: (dy) => [dy],
};

/** Another handle on the memory of x, as reshape is. */
export function same(x: Tensor): Tensor {
	return apply(sameOp, [x], null);
}
