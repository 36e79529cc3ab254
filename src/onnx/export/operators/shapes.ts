// Shapes, reductions, softmax and rows by number.

import { ints, TO_END } from "../graph-writer.ts";
import { isFixed, type Length, sameLength } from "../lengths.ts";
import type { OpContext, OpWriter } from "../op-context.ts";
import { cast } from "./elementwise.ts";

/** Flatten where that is what it does, since then the graph fits any batch and size. */
const reshape: OpWriter<unknown> = (op) => {
	const { writer, names, shape } = op;
	const [from] = op.inputs;
	const flattens = from.shape.length > 2 && shape.length === 2 && sameLength(shape[0], from.shape[0]);
	if (flattens && !isFixed(shape[0])) return writer.node("Flatten", names, { axis: 1n });
	return op.reshaped(0, shape);
};

const permute: OpWriter<{ axes: readonly number[] }> = ({ writer, names, attrs }) =>
	writer.node("Transpose", names, { perm: ints(attrs.axes) });

const concat: OpWriter<{ axis: number }> = ({ writer, names, attrs }) =>
	writer.node("Concat", names, { axis: BigInt(attrs.axis) });

export interface SliceAttrs {
	axis: number;
	begin: number;
	end: number;
}

const slice: OpWriter<SliceAttrs> = (op) => {
	const { writer, names, attrs, inputs } = op;
	const { axis } = attrs;
	const whole = inputs[0].shape[axis];
	const [begin, end] = [op.length((one) => one.begin), op.length((one) => one.end)];
	const to = sameLength(end, whole) ? writer.vector([TO_END]) : bound(op, end, whole);
	return writer.node("Slice", [...names, bound(op, begin, whole), to, writer.vector([axis])]);
};

/** A bound as a number where it can be one: from the front, or from the end of an axis that follows the batch. */
function bound({ writer }: OpContext<unknown>, at: Length, whole: Length): string {
	if (!isFixed(at) && at.times === whole.times && at.plus < whole.plus) return writer.vector([at.plus - whole.plus]);
	return writer.lengths([at]);
}

export interface ReduceAttrs {
	axes: readonly number[];
	keepDims: boolean;
}

const reduction =
	(opType: string): OpWriter<ReduceAttrs> =>
	({ writer, names: [x], attrs }) =>
		writer.reduce(opType, x, attrs.axes, attrs.keepDims);

/** ONNX's numbers of places are of 64 bits, ours of 32. */
const place: OpWriter<{ kind: "max" | "min"; axis: number }> = (op) => {
	const { kind, axis } = op.attrs;
	const opType = kind === "max" ? "ArgMax" : "ArgMin";
	return cast(op, op.writer.node(opType, op.names, { axis: BigInt(axis), keepdims: 0n }), "int32");
};

export interface Layout {
	outer: number;
	n: number;
}

const alongAxis =
	(opType: string): OpWriter<Layout> =>
	(op) => {
		const axis = op.axis(({ outer, n }) => ({ before: outer, length: n }));
		return op.writer.node(opType, op.names, { axis: BigInt(axis) });
	};

const gatherRows: OpWriter<unknown> = ({ writer, names }) => writer.node("Gather", names, { axis: 0n });

export const shapes = {
	...{ reshape, permute, concat, slice, gatherRows },
	...{ sum: reduction("ReduceSum"), mean: reduction("ReduceMean") },
	...{ max: reduction("ReduceMax"), min: reduction("ReduceMin"), "argmax or argmin": place },
	...{ softmax: alongAxis("Softmax"), logSoftmax: alongAxis("LogSoftmax") },
};
