// add, sub, mul, div, maximum, minimum: two operands, NumPy's broadcasting, and the gradient of a
// broadcast operand is the sum over the axes along which it was repeated.

import { EvenkeelError } from "../../errors.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { apply, checkFloat, type Op } from "../op.ts";
import { sumTo } from "../reduce/raw.ts";
import { type Combination, combine, scalar, scaled } from "./raw.ts";

/** Which of the operands, or the output, backward needs to find the gradients of a and of b. */
type Needed = "a" | "b" | "y";

interface Derivative {
	needs: { a: readonly Needed[]; b: readonly Needed[] };
	/** The gradient of an operand before it is summed to the operand's shape. A new tensor, or dy. */
	a(dy: Tensor, saved: Record<Needed, Tensor>): Tensor;
	b(dy: Tensor, saved: Record<Needed, Tensor>): Tensor;
}

const derivatives: Partial<Record<Combination, Derivative>> = {
	add: { needs: { a: [], b: [] }, a: (dy) => dy, b: (dy) => dy },
	sub: { needs: { a: [], b: [] }, a: (dy) => dy, b: (dy) => scaled(dy, -1) },
	mul: {
		needs: { a: ["b"], b: ["a"] },
		a: (dy, { b }) => combine("mul", dy, b),
		b: (dy, { a }) => combine("mul", dy, a),
	},
	div: {
		needs: { a: ["b"], b: ["b", "y"] },
		a: (dy, { b }) => combine("div", dy, b),
		b: (dy, { b, y }) => negativeQuotient(dy, y, b),
	},
	maximum: {
		needs: { a: ["a", "b"], b: ["a", "b"] },
		a: (dy, { a, b }) => shareOf(dy, a, b),
		b: (dy, { a, b }) => shareOf(dy, b, a),
	},
	minimum: {
		needs: { a: ["a", "b"], b: ["a", "b"] },
		a: (dy, { a, b }) => shareOf(dy, b, a),
		b: (dy, { a, b }) => shareOf(dy, a, b),
	},
};

/** -dy y / b, which is -dy a / b^2. */
function negativeQuotient(dy: Tensor, y: Tensor, b: Tensor): Tensor {
	const product = combine("mul", dy, y);
	const quotient = combine("div", product, b);
	const negative = scaled(quotient, -1);
	product.dispose();
	quotient.dispose();
	return negative;
}

function shareOf(dy: Tensor, winner: Tensor, loser: Tensor): Tensor {
	const share = combine("share", winner, loser);
	const out = combine("mul", dy, share);
	share.dispose();
	return out;
}

interface Attrs {
	/** What forward saved, by name, in order. */
	saved: Needed[];
	shapes: readonly [readonly number[], readonly number[]];
}

function binaryOp(kind: Combination): Op<Attrs> {
	const derivative = derivatives[kind];
	if (!derivative) throw new Error(`binary: no derivative for ${kind}`);
	return {
		name: kind,
		forward([a, b], attrs, ctx) {
			checkFloat(kind, a, b);
			const y = combine(kind, a, b);
			const needed = new Set<Needed>();
			if (ctx.needsGrad[0]) for (const name of derivative.needs.a) needed.add(name);
			if (ctx.needsGrad[1]) for (const name of derivative.needs.b) needed.add(name);
			attrs.saved = [...needed];
			ctx.save(...attrs.saved.map((name) => ({ a, b, y })[name]));
			return y;
		},
		backward(dy, { attrs, saved, needsGrad }) {
			const byName = Object.fromEntries(attrs.saved.map((name, i) => [name, saved[i]])) as Record<Needed, Tensor>;
			return (["a", "b"] as const).map((operand, i) => {
				if (!needsGrad[i]) return null;
				const full = derivative[operand](dy, byName);
				const summed = sumTo(full, attrs.shapes[i]);
				if (full !== dy) full.dispose();
				return summed;
			});
		},
	};
}

const ops = {
	add: binaryOp("add"),
	sub: binaryOp("sub"),
	mul: binaryOp("mul"),
	div: binaryOp("div"),
	maximum: binaryOp("maximum"),
	minimum: binaryOp("minimum"),
};

/** An operand: a tensor, or a number that meets every element of the other operand. */
export type Operand = Tensor | number;

/** Runs `fn` on two tensors; a number becomes a tensor on the backend of the other operand for as long. */
export function withOperands(name: string, a: Operand, b: Operand, fn: (a: Tensor, b: Tensor) => Tensor): Tensor {
	const like = a instanceof Tensor ? a : b;
	if (!(like instanceof Tensor)) throw new EvenkeelError(`${name}: expected a tensor, got the numbers ${a} and ${b}`);
	const [first, second] = [a, b].map((operand) => toTensor(name, operand, like));
	try {
		return fn(first, second);
	} finally {
		if (first !== a) first.dispose();
		if (second !== b) second.dispose();
	}
}

function toTensor(name: string, operand: Operand, like: Tensor): Tensor {
	if (operand instanceof Tensor) return operand;
	if (typeof operand !== "number") {
		throw new EvenkeelError(`${name}: expected a tensor or a number, got ${typeof operand} ${String(operand)}`);
	}
	if (like.dtype !== "int32" && like.dtype !== "uint8") return scalar(operand, like);
	if (!Number.isInteger(operand) || Math.abs(operand) > 2 ** 31 - 1) {
		throw new EvenkeelError(
			`${name}: ${like.describe()} is ${like.dtype}, and ${operand} is no whole number of 32 bits; use toFloat()`,
		);
	}
	return scalar(operand, like, "int32");
}

function binary(name: keyof typeof ops, a: Operand, b: Operand): Tensor {
	return withOperands(name, a, b, (first, second) =>
		apply(ops[name], [first, second], { saved: [], shapes: [first.shape, second.shape] }),
	);
}

/**
 * a + b, elementwise. Shapes broadcast as in NumPy: aligned at the right, an axis of length 1 is repeated; the
 * gradient of an operand is summed over the axes along which it was repeated.
 *
 * @throws EvenkeelError if the shapes do not broadcast, or an operand is not floating
 */
export function add(a: Operand, b: Operand): Tensor {
	return binary("add", a, b);
}

/** a - b, elementwise; broadcasts as {@link add}. */
export function sub(a: Operand, b: Operand): Tensor {
	return binary("sub", a, b);
}

/** a b, elementwise; broadcasts as {@link add}. */
export function mul(a: Operand, b: Operand): Tensor {
	return binary("mul", a, b);
}

/** a / b, elementwise; broadcasts as {@link add}. x / 0 is an infinity, 0 / 0 NaN. */
export function div(a: Operand, b: Operand): Tensor {
	return binary("div", a, b);
}

/**
 * The larger of a and b, elementwise; broadcasts as {@link add}. NaN if either is (PyTorch's convention). At a
 * tie each operand gets half the gradient.
 */
export function maximum(a: Operand, b: Operand): Tensor {
	return binary("maximum", a, b);
}

/** The smaller of a and b, elementwise; otherwise as {@link maximum}. */
export function minimum(a: Operand, b: Operand): Tensor {
	return binary("minimum", a, b);
}
