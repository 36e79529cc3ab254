// Pooling in float64, one output after the other: the oracle.

import type { PoolKernels } from "./op.ts";
import type { MaxPlan, Planes } from "./plan.ts";

/** Calls `fn` for each output of each plane, with its index, its place, and where its plane starts in x. */
function forEachOutput(plan: Planes, fn: (out: number, i: number, j: number, plane: number) => void): void {
	for (let p = 0; p < plan.planes; p++) {
		for (let i = 0; i < plan.outHeight; i++) {
			for (let j = 0; j < plan.outWidth; j++) {
				fn((p * plan.outHeight + i) * plan.outWidth + j, i, j, p * plan.height * plan.width);
			}
		}
	}
}

/** Where in its plane tap number `tap` of output (i, j) lies, or -1 if in the padding. */
function indexOfTap(plan: MaxPlan, i: number, j: number, tap: number): number {
	const { rows, cols } = plan;
	const row = i * rows.stride - rows.padding + Math.floor(tap / cols.kernel) * rows.dilation;
	const col = j * cols.stride - cols.padding + (tap % cols.kernel) * cols.dilation;
	const inside = row >= 0 && row < plan.height && col >= 0 && col < plan.width;
	return inside ? row * plan.width + col : -1;
}

export const reference: PoolKernels = {
	average(x, y, plan) {
		const [from, to] = [x.view(), y.view()];
		forEachOutput(plan, (out, i, j, plane) => {
			const [rows, cols] = [plan.rows[i], plan.cols[j]];
			let sum = 0;
			for (let r = rows.start; r < rows.end; r++) {
				for (let c = cols.start; c < cols.end; c++) sum += from[plane + r * plan.width + c];
			}
			to[out] = sum / (rows.count * cols.count);
		});
	},

	averageBackward(dy, dx, plan) {
		const [from, to] = [dy.view(), dx.view().fill(0)];
		forEachOutput(plan, (out, i, j, plane) => {
			const [rows, cols] = [plan.rows[i], plan.cols[j]];
			const share = from[out] / (rows.count * cols.count);
			for (let r = rows.start; r < rows.end; r++) {
				for (let c = cols.start; c < cols.end; c++) to[plane + r * plan.width + c] += share;
			}
		});
	},

	max(x, y, positions, plan) {
		const [from, to] = [x.view(), y.view()];
		forEachOutput(plan, (out, i, j, plane) => {
			let best = Number.NEGATIVE_INFINITY;
			let position = -1;
			for (let tap = 0; tap < plan.rows.kernel * plan.cols.kernel; tap++) {
				const at = indexOfTap(plan, i, j, tap);
				if (at < 0) continue;
				const value = from[plane + at];
				if (position >= 0 && !(value > best) && !Number.isNaN(value)) continue;
				best = value;
				position = tap;
			}
			to[out] = best;
			if (positions) positions.view()[out] = Math.max(position, 0);
		});
	},

	maxBackward(dy, positions, dx, plan) {
		const [from, to, taps] = [dy.view(), dx.view().fill(0), positions.view()];
		forEachOutput(plan, (out, i, j, plane) => {
			const at = indexOfTap(plan, i, j, taps[out]);
			if (at >= 0) to[plane + at] += from[out];
		});
	},
};
