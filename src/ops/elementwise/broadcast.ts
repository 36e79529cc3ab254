// How two operands of different shapes meet: axes that run alike are merged, and what is left is
// rows. In a row both operands run along, or one stands still; between rows, strides.

import { broadcastStrides, type Shape, sizeOf } from "../../tensor/shape.ts";

/** Both operands run along a row, or only the first, or only the second. Known to kernel.as.ts by these numbers. */
export const BOTH_RUN = 0;
export const FIRST_RUNS = 1;
export const SECOND_RUNS = 2;

/** An axis, and how many elements apart its entries lie in each operand (0: the operand is repeated). */
export interface Axis {
	length: number;
	a: number;
	b: number;
}

export interface RowPlan {
	mode: typeof BOTH_RUN | typeof FIRST_RUNS | typeof SECOND_RUNS;
	/** Elements of a row. */
	inner: number;
	/** The number of rows. */
	rows: number;
	/** What the rows are counted by, outermost first. */
	outer: Axis[];
}

/** The axes of `out`, as few as there can be: neighbors that both operands walk through alike become one. */
export function mergedAxes(a: Shape, b: Shape, out: Shape): Axis[] {
	const aStrides = broadcastStrides(a, out);
	const bStrides = broadcastStrides(b, out);
	const axes: Axis[] = [];
	out.forEach((length, i) => {
		if (length === 1) return;
		const axis = { length, a: aStrides[i], b: bStrides[i] };
		const before = axes.at(-1);
		if (before && before.a === axis.a * length && before.b === axis.b * length) {
			axes[axes.length - 1] = { ...axis, length: length * before.length };
		} else axes.push(axis);
	});
	return axes;
}

export function planRows(a: Shape, b: Shape, out: Shape): RowPlan {
	const outer = mergedAxes(a, b, out);
	const row = outer.pop() ?? { length: 1, a: 1, b: 1 };
	const mode = row.a === 0 ? SECOND_RUNS : row.b === 0 ? FIRST_RUNS : BOTH_RUN;
	return { mode, inner: row.length, rows: sizeOf(outer.map(({ length }) => length)), outer };
}

/** For each element of `out`, in order, where it is found in an operand of `shape`. */
export function broadcastIndex(shape: Shape, out: Shape): Int32Array {
	const strides = broadcastStrides(shape, out);
	const index = new Int32Array(sizeOf(out));
	for (let i = 0; i < index.length; i++) {
		let rest = i;
		for (let axis = out.length - 1; axis >= 0; axis--) {
			index[i] += (rest % out[axis]) * strides[axis];
			rest = Math.floor(rest / out[axis]);
		}
	}
	return index;
}
