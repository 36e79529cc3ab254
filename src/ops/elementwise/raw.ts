// Arithmetic on two operands off the tape: what the ops here, and the backwards of others, are
// made of.

import { broadcastShapes, type Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { empty, type KernelSet, kernelsFor, viewAs } from "../op.ts";
import { broadcastIndex } from "./broadcast.ts";
import { launchRows } from "./rows.ts";

/** What is done with two numbers, in float64. The order is that of the kinds in kernel.as.ts. */
const combinations = {
	add: (a: number, b: number) => a + b,
	sub: (a: number, b: number) => a - b,
	mul: (a: number, b: number) => a * b,
	div: (a: number, b: number) => a / b,
	maximum: (a: number, b: number) => (a > b || Number.isNaN(a) ? a : b),
	minimum: (a: number, b: number) => (a < b || Number.isNaN(a) ? a : b),
	/** The part of its gradient that a maximum gives to a: all, none, or half at a tie. */
	share: (a: number, b: number) => (a === b ? 0.5 : a < b ? 0 : 1),
	/** 1 where the operands are the same, NaN included, 0 elsewhere. */
	tie: (a: number, b: number) => (Object.is(a, b) || a === b ? 1 : 0),
	/** a, broadcast. */
	first: (a: number, _b: number) => a,
};

export type Combination = keyof typeof combinations;

const kinds = Object.keys(combinations) as Combination[];

interface Kernels {
	combine(kind: Combination, a: Tensor, b: Tensor, out: Tensor): void;
}

const kernels: KernelSet<Kernels> = {
	reference: {
		combine(kind, a, b, out) {
			const f = combinations[kind];
			const [from, other, to] = [a.view(), b.view(), out.view()];
			const aIndex = broadcastIndex(a.shape, out.shape);
			const bIndex = broadcastIndex(b.shape, out.shape);
			for (let i = 0; i < out.size; i++) to[i] = f(from[aIndex[i]], other[bIndex[i]]);
		},
	},
	wasm: {
		combine(kind, a, b, out) {
			launchRows("elementwise_binary", kinds.indexOf(kind), a, b, out);
		},
	},
};

/** a (kind) b, broadcast; a new tensor, not on the tape. */
export function combine(kind: Combination, a: Tensor, b: Tensor, name: string = kind): Tensor {
	const out = empty(broadcastShapes(a.shape, b.shape, name), a.backend, "float", name);
	kernelsFor(kernels, a).combine(kind, a, b, out);
	return out;
}

/** `x` repeated to `shape`, to which it must broadcast; a new tensor, not on the tape. */
export function expand(x: Tensor, shape: Shape, name = x.name): Tensor {
	const out = empty(shape, x.backend, "float", name);
	kernelsFor(kernels, x).combine("first", x, x, out);
	return out;
}

/** A tensor of no dimensions that holds `value`, on the backend of `like`; not on the tape. */
export function scalar(value: number, like: Tensor, dtype: "float" | "int32" = "float"): Tensor {
	const made = empty([], like.backend, dtype, String(value));
	made.view()[0] = value;
	return made;
}

/** `x` times a number; a new tensor, not on the tape. */
export function scaled(x: Tensor, factor: number, name = x.name): Tensor {
	if (factor === 1) return viewAs(x, x.shape, name);
	const by = scalar(factor, x);
	const out = combine("mul", x, by, name);
	by.dispose();
	return out;
}
