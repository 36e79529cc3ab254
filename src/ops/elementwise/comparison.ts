// Comparisons: uint8 tensors of 1 where they hold and 0 elsewhere. No gradient flows through them.

import { check } from "../../errors.ts";
import { broadcastShapes } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, empty, type KernelSet, kernelsFor, type Op } from "../op.ts";
import { type Operand, withOperands } from "./binary.ts";
import { broadcastIndex } from "./broadcast.ts";
import { toFloat } from "./cast.ts";
import { launchRows } from "./rows.ts";

/** The order is that of the kinds in compare.as.ts. */
const comparisons = {
	equal: (a: number, b: number) => a === b,
	notEqual: (a: number, b: number) => a !== b,
	greater: (a: number, b: number) => a > b,
	greaterEqual: (a: number, b: number) => a >= b,
	less: (a: number, b: number) => a < b,
	lessEqual: (a: number, b: number) => a <= b,
};

type Comparison = keyof typeof comparisons;

const kinds = Object.keys(comparisons) as Comparison[];

interface Kernels {
	compare(kind: Comparison, a: Tensor, b: Tensor, out: Tensor): void;
}

const kernels: KernelSet<Kernels> = {
	reference: {
		compare(kind, a, b, out) {
			const holds = comparisons[kind];
			const [first, second, to] = [a.view(), b.view(), out.view()];
			const aIndex = broadcastIndex(a.shape, out.shape);
			const bIndex = broadcastIndex(b.shape, out.shape);
			for (let i = 0; i < out.size; i++) to[i] = holds(first[aIndex[i]], second[bIndex[i]]) ? 1 : 0;
		},
	},
	wasm: {
		compare(kind, a, b, out) {
			const whole = a.dtype === "int32" ? kinds.length : 0;
			launchRows("elementwise_compare", kinds.indexOf(kind) + whole, a, b, out);
		},
	},
};

const op: Op<{ kind: Comparison }> = {
	name: "comparison",
	forward([a, b], { kind }) {
		const out = empty(broadcastShapes(a.shape, b.shape, kind), a.backend, "uint8", kind);
		kernelsFor(kernels, a).compare(kind, a, b, out);
		return out;
	},
};

function compare(kind: Comparison, a: Operand, b: Operand): Tensor {
	return withOperands(kind, a, b, (first, second) => {
		// Bytes are compared as floats, which hold them exactly; the kernels know two types only.
		const [x, y] = [first, second].map((t) =>
			first.dtype === "uint8" || second.dtype === "uint8" ? (t.dtype === t.backend.float ? t : toFloat(t)) : t,
		);
		check(
			x.dtype === y.dtype,
			() =>
				`${kind}: ${first.describe()} is ${first.dtype} and ${second.describe()} is ${second.dtype}; ` +
				"compare tensors of one type, with toFloat() if need be",
		);
		const out = apply(op, [x, y], { kind });
		if (x !== first) x.dispose();
		if (y !== second) y.dispose();
		return out;
	});
}

/**
 * 1 where a equals b, 0 elsewhere, as uint8. Shapes broadcast; both are of one type (uint8 goes with any), or
 * one is a number. NaN equals nothing.
 *
 * @throws EvenkeelError if the shapes do not broadcast or the types differ
 */
export function equal(a: Operand, b: Operand): Tensor {
	return compare("equal", a, b);
}

/** 1 where a and b differ, 0 elsewhere; otherwise as {@link equal}. NaN differs from everything. */
export function notEqual(a: Operand, b: Operand): Tensor {
	return compare("notEqual", a, b);
}

/** 1 where a > b, 0 elsewhere; otherwise as {@link equal}. */
export function greater(a: Operand, b: Operand): Tensor {
	return compare("greater", a, b);
}

/** 1 where a >= b, 0 elsewhere; otherwise as {@link equal}. */
export function greaterEqual(a: Operand, b: Operand): Tensor {
	return compare("greaterEqual", a, b);
}

/** 1 where a < b, 0 elsewhere; otherwise as {@link equal}. */
export function less(a: Operand, b: Operand): Tensor {
	return compare("less", a, b);
}

/** 1 where a <= b, 0 elsewhere; otherwise as {@link equal}. */
export function lessEqual(a: Operand, b: Operand): Tensor {
	return compare("lessEqual", a, b);
}
