// Pooling over windows of [N, C, L] and [N, C, H, W]: averages and maxima.

import type { Tensor } from "../../tensor/tensor.ts";
import { apply, empty, type KernelSet, kernelsFor, type Op } from "../op.ts";
import {
	type AveragePlan,
	adaptiveLengths,
	adaptiveWindows,
	averagePlan,
	averageWindows,
	type Lengths,
	type MaxPlan,
	maxPlan,
	outputLength,
	spatialLengths,
	tapsOf,
	type WindowOptions,
} from "./plan.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm.ts";

export interface AvgPoolOptions extends Omit<WindowOptions, "dilation"> {
	/** Whether padding counts in the divisor. Default true (PyTorch's). */
	countIncludePad?: boolean;
}

export type MaxPoolOptions = WindowOptions;

export interface PoolKernels {
	average(x: Tensor, y: Tensor, plan: AveragePlan): void;
	averageBackward(dy: Tensor, dx: Tensor, plan: AveragePlan): void;
	/** `positions`, where given, receives the number of the tap, row-major in the window, that was the maximum. */
	max(x: Tensor, y: Tensor, positions: Tensor | null, plan: MaxPlan): void;
	maxBackward(dy: Tensor, positions: Tensor, dx: Tensor, plan: MaxPlan): void;
}

const kernels: KernelSet<PoolKernels> = { reference, wasm };

const averageOp: Op<AveragePlan> = {
	name: "avgPool",
	forward([x], plan) {
		const y = empty(plan.outShape, x.backend, "float", "avgPool");
		kernelsFor(kernels, x).average(x, y, plan);
		return y;
	},
	backward(dy, { attrs: plan }) {
		const dx = empty(plan.inShape, dy.backend, "float", "gradient of avgPool");
		kernelsFor(kernels, dy).averageBackward(dy, dx, plan);
		return [dx];
	},
};

// Saves where each maximum was, a byte an output, and not x: backward then reads a quarter of the
// bytes for windows of 2 x 2, and x can be freed. Windows of over 256 taps take an int32 instead.
const maxOp: Op<MaxPlan> = {
	name: "maxPool",
	forward([x], plan, ctx) {
		const y = empty(plan.outShape, x.backend, "float", "maxPool");
		const dtype = plan.rows.kernel * plan.cols.kernel <= 256 ? "uint8" : "int32";
		const positions = ctx.recording ? empty(plan.outShape, x.backend, dtype, "maxPool positions") : null;
		kernelsFor(kernels, x).max(x, y, positions, plan);
		if (positions) {
			ctx.save(positions);
			positions.dispose();
		}
		return y;
	},
	backward(dy, { attrs: plan, saved: [positions] }) {
		const dx = empty(plan.inShape, dy.backend, "float", "gradient of maxPool");
		kernelsFor(kernels, dy).maxBackward(dy, positions, dx, plan);
		return [dx];
	},
};

function average(op: string, x: Tensor, dimensions: 1 | 2, kernelSize: Lengths, options: AvgPoolOptions): Tensor {
	const spatial = spatialLengths(op, x, dimensions);
	const { stride, padding, ceilMode, countIncludePad = true } = options;
	const taps = tapsOf(op, dimensions, kernelSize, { stride, padding, ceilMode });
	const windows = taps.map((along, axis) => {
		const count = outputLength(op, spatial[axis], along);
		return averageWindows(spatial[axis], count, along, countIncludePad);
	});
	return apply(averageOp, [x], averagePlan(x, windows, { taps, countIncludePad }));
}

function max(op: string, x: Tensor, dimensions: 1 | 2, kernelSize: Lengths, options: MaxPoolOptions): Tensor {
	const spatial = spatialLengths(op, x, dimensions);
	const taps = tapsOf(op, dimensions, kernelSize, options);
	const outLengths = taps.map((along, axis) => outputLength(op, spatial[axis], along));
	return apply(maxOp, [x], maxPlan(x, taps, outLengths));
}

/**
 * The mean over each window (PyTorch's `avg_pool2d`): `[N, C, H, W]` to
 * `[N, C, (H + 2 padding - kernel) / stride + 1, …]`, rounded down, or up with `ceilMode`. The sum is
 * divided by the window's size, padding included unless `countIncludePad` is false.
 *
 * @param kernelSize one number, or `[height, width]`; so are stride and padding
 * @throws EvenkeelError if x is not `[N, C, H, W]`, the window does not fit, or padding exceeds half of it
 */
export function avgPool2d(x: Tensor, kernelSize: Lengths, options: AvgPoolOptions = {}): Tensor {
	return average("avgPool2d", x, 2, kernelSize, options);
}

/** The mean over each window of `[N, C, L]`, as {@link avgPool2d}. */
export function avgPool1d(x: Tensor, kernelSize: Lengths, options: AvgPoolOptions = {}): Tensor {
	return average("avgPool1d", x, 1, kernelSize, options);
}

/**
 * The maximum of each window (PyTorch's `max_pool2d`): `[N, C, H, W]` to
 * `[N, C, (H + 2 padding - dilation (kernel - 1) - 1) / stride + 1, …]`, rounded down, or up with
 * `ceilMode`. Padding is -infinity. A NaN in a window is its maximum. Of equal maxima the gradient goes
 * to the first, row by row.
 *
 * @param kernelSize one number, or `[height, width]`; so are stride, padding and dilation
 * @throws EvenkeelError if x is not `[N, C, H, W]`, the window does not fit, or padding exceeds half of it
 */
export function maxPool2d(x: Tensor, kernelSize: Lengths, options: MaxPoolOptions = {}): Tensor {
	return max("maxPool2d", x, 2, kernelSize, options);
}

/** The maximum of each window of `[N, C, L]`, as {@link maxPool2d}. */
export function maxPool1d(x: Tensor, kernelSize: Lengths, options: MaxPoolOptions = {}): Tensor {
	return max("maxPool1d", x, 1, kernelSize, options);
}

/**
 * Means over windows such that the output has `outputSize` whatever the input's (PyTorch's
 * `adaptive_avg_pool2d`): output i averages floor(i H / out) up to ceil((i + 1) H / out).
 *
 * @param outputSize one number, or `[height, width]`, null keeping the input's; 1 is the global average
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: number | readonly (number | null)[]): Tensor {
	const lengths = adaptiveLengths("adaptiveAvgPool2d", x, outputSize, 2);
	const windows = lengths.map((length, axis) => adaptiveWindows(x.shape[axis + 2], length));
	return apply(averageOp, [x], averagePlan(x, windows));
}

/** Means of `[N, C, L]` such that the output has length `outputSize`, as {@link adaptiveAvgPool2d}. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: number | readonly (number | null)[]): Tensor {
	const lengths = adaptiveLengths("adaptiveAvgPool1d", x, outputSize, 1);
	return apply(averageOp, [x], averagePlan(x, [adaptiveWindows(x.shape[2], lengths[0])]));
}
