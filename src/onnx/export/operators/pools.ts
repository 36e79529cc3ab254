// Pooling. Windows that are all alike are AveragePool and MaxPool; others are products with matrices of shares.

import type { AveragePlan, MaxPlan, Taps, Window } from "../../../ops/pool/plan.ts";
import { type Attributes, ints } from "../graph-writer.ts";
import type { OpContext, OpWriter } from "../op-context.ts";

function windowsOf(taps: readonly Taps[]): Attributes {
	const padding = taps.map(({ padding }) => padding);
	return {
		kernel_shape: ints(taps.map(({ kernel }) => kernel)),
		strides: ints(taps.map(({ stride }) => stride)),
		pads: ints([...padding, ...padding]),
		...(taps.some(({ ceil }) => ceil) ? { ceil_mode: 1n } : {}),
	};
}

/** Whether rounding up makes one window more along some axis than rounding down. */
function reachesBeyond(taps: readonly Taps[], lengths: readonly number[]): boolean {
	return taps.some(({ kernel, stride, padding, ceil }, axis) => {
		const room = lengths[axis] + 2 * padding - kernel;
		return ceil && room % stride !== 0;
	});
}

const avgPool: OpWriter<AveragePlan> = (op) => {
	const { writer, names, attrs } = op;
	const { regular, inShape, outShape } = attrs;
	const lengths = inShape.slice(2);
	// A last window that reaches beyond the edge counts its elements in another way in some versions of AveragePool.
	if (regular && !reachesBeyond(regular.taps, lengths)) {
		const taps = regular.taps.map((one) => ({ ...one, ceil: false }));
		const padded = taps.some(({ padding }) => padding > 0);
		const count: Attributes = padded && regular.countIncludePad ? { count_include_pad: 1n } : {};
		return writer.node("AveragePool", names, { ...windowsOf(taps), ...count });
	}
	const even = lengths.map((length, axis) => length / outShape[axis + 2]);
	if (!regular && even.every((size) => size === lengths[0]) && outShape.slice(2).every((size) => size === 1)) {
		return writer.node("GlobalAveragePool", names);
	}
	if (!op.isSame(({ rows, cols }) => [rows, cols])) op.fail("the size of its windows follows the batch");
	if (!regular && even.every(Number.isInteger)) {
		return writer.node("AveragePool", names, { kernel_shape: ints(even), strides: ints(even) });
	}
	return byShares(op, lengths);
};

/** Columns, then rows: each output is a sum of inputs times their shares. */
function byShares({ writer, names: [x], attrs }: OpContext<AveragePlan>, lengths: readonly number[]): string {
	const { rows, cols } = attrs;
	const width = lengths[lengths.length - 1];
	const columns = transposed(shares(cols, width), cols.length, width);
	const right = writer.literal({ type: "float", shape: [width, cols.length], data: columns });
	const narrowed = writer.node("MatMul", [x, right]);
	if (lengths.length === 1) return narrowed;
	const shape = [rows.length, lengths[0]];
	const left = writer.literal({ type: "float", shape, data: shares(rows, lengths[0]) });
	return writer.node("MatMul", [left, narrowed]);
}

/** A row for each window, with the share of each element of the axis in its mean. */
function shares(windows: readonly Window[], length: number): Float32Array {
	const matrix = new Float32Array(windows.length * length);
	for (const [i, { start, end, count }] of windows.entries()) {
		matrix.fill(1 / count, i * length + start, i * length + end);
	}
	return matrix;
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
	return matrix.map((_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]);
}

const maxPool: OpWriter<MaxPlan> = ({ writer, names, attrs: { rows, cols, inShape } }) => {
	const taps = inShape.length === 3 ? [cols] : [rows, cols];
	const dilations = ints(taps.map(({ dilation }) => dilation));
	return writer.node("MaxPool", names, { ...windowsOf(taps), dilations });
};

export const pools = { avgPool, maxPool };
