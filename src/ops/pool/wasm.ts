// Launching the pooling kernels: one work item a plane, so that overlapping windows of a plane are
// always added in the same order. Windows of 2 x 2 that touch, and the global average, have kernels
// of their own.

import type { Tensor } from "../../tensor/tensor.ts";
import { wasmOf } from "../op.ts";
import type { PoolKernels } from "./op.ts";
import type { AveragePlan, MaxPlan, Planes, Taps, Window } from "./plan.ts";

/** Elements a chunk. */
const CHUNK = 32768;

/** Planes a chunk. Depends on shapes alone. */
function grainOf({ height, width, outHeight, outWidth }: Planes): number {
	return Math.max(1, Math.floor(CHUNK / Math.max(height * width, outHeight * outWidth)));
}

function areHalves(windows: readonly Window[]): boolean {
	return windows.every(({ start, end, count }, i) => start === 2 * i && end === start + 2 && count === 2);
}

function isHalving({ kernel, stride, padding, dilation }: Taps, outLength: number, length: number): boolean {
	return kernel === 2 && stride === 2 && padding === 0 && dilation === 1 && 2 * outLength <= length;
}

function isWhole(windows: readonly Window[], length: number): boolean {
	return windows.length === 1 && windows[0].end - windows[0].start === length && windows[0].count === length;
}

function isGlobal(plan: AveragePlan): boolean {
	return isWhole(plan.rows, plan.height) && isWhole(plan.cols, plan.width);
}

function sizes({ height, width, outHeight, outWidth }: Planes): number[] {
	return [height, width, outHeight, outWidth];
}

/** The address of a table of windows: start, end, count of each row, then of each column. */
function tableOf(x: Tensor, plan: AveragePlan): number {
	return wasmOf(x).table([...plan.rows, ...plan.cols].flatMap(({ start, end, count }) => [start, end, count]));
}

function taps({ rows, cols }: MaxPlan): number[] {
	return [
		...[rows.kernel, cols.kernel, rows.stride, cols.stride],
		...[rows.padding, cols.padding, rows.dilation, cols.dilation],
	];
}

function maxIsHalving(plan: MaxPlan): boolean {
	return isHalving(plan.rows, plan.outHeight, plan.height) && isHalving(plan.cols, plan.outWidth, plan.width);
}

function launchMax(
	kernel: "pool_max" | "pool_max_backward",
	pointers: readonly number[],
	like: Tensor,
	positions: Tensor | null,
	plan: MaxPlan,
): void {
	const launch = (name: string, args: readonly number[]) =>
		wasmOf(like).launch(name, [...pointers, ...args], plan.planes, grainOf(plan));
	if (maxIsHalving(plan)) launch(kernel.replace("pool_max", "pool_max_halving"), sizes(plan));
	else launch(kernel, [positions?.dtype === "int32" ? 1 : 0, ...sizes(plan), ...taps(plan)]);
}

export const wasm: PoolKernels = {
	average(x, y, plan) {
		const launch = (kernel: string, args: readonly number[]) =>
			wasmOf(x).launch(kernel, [x.ptr, y.ptr, ...args], plan.planes, grainOf(plan));
		if (areHalves(plan.rows) && areHalves(plan.cols)) launch("pool_average_halving", sizes(plan));
		else if (isGlobal(plan)) launch("pool_average_global", [plan.height * plan.width]);
		else launch("pool_average", [tableOf(x, plan), ...sizes(plan)]);
	},

	averageBackward(dy, dx, plan) {
		const launch = (kernel: string, args: readonly number[]) =>
			wasmOf(dy).launch(kernel, [dy.ptr, dx.ptr, ...args], plan.planes, grainOf(plan));
		if (areHalves(plan.rows) && areHalves(plan.cols)) launch("pool_average_halving_backward", sizes(plan));
		else if (isGlobal(plan)) launch("pool_average_global_backward", [plan.height * plan.width]);
		else launch("pool_average_backward", [tableOf(dy, plan), ...sizes(plan)]);
	},

	max(x, y, positions, plan) {
		launchMax("pool_max", [x.ptr, y.ptr, positions?.ptr ?? 0], x, positions, plan);
	},

	maxBackward(dy, positions, dx, plan) {
		launchMax("pool_max_backward", [dy.ptr, positions.ptr, dx.ptr], dy, positions, plan);
	},
};
