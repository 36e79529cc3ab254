// Making a batch of chosen rows: copied as they are, or, for images kept as bytes, turned into
// normalized floats on the way, cropped and mirrored if asked.

import { isGradEnabled } from "../../autograd/tape.ts";
import { check, EvenkeelError } from "../../errors.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, empty, isTensor, type KernelSet, kernelsFor, type Op } from "../op.ts";
import { reference } from "./reference.ts";
import { wasm } from "./wasm.ts";

/** What the kernels are given beside the tensors. */
export interface ImageGather {
	/** One a channel, in units of [0, 1]. */
	mean: readonly number[];
	std: readonly number[];
	/** (top, left, flip) for each image of the batch, or null to take the images whole. */
	windows: Int32Array | null;
}

export interface Kernels {
	/** index = rows */
	index(index: Tensor, rows: ArrayLike<number>): void;
	/** out[i] = x[rows[i]] */
	rows(out: Tensor, x: Tensor, rows: Tensor): void;
	/** out[i, c] = (x[rows[i], c] / 255 - mean[c]) / std[c], through a window if there are any. */
	images(out: Tensor, x: Tensor, rows: Tensor, how: ImageGather): void;
}

const kernels: KernelSet<Kernels> = { reference, wasm };

/** Which rows: numbers, or an int32 tensor of one dimension. */
export type Rows = Int32Array | readonly number[] | Tensor;

/**
 * The chosen rows of a tensor: y[i] = x[rows[i]].
 *
 * @param x `[N, …]`, of any type; the result has the same
 * @param rows whole numbers in [0, N); one may be named more than once
 * @returns `[rows.length, …]`. Not differentiable.
 * @throws EvenkeelError if a row is outside of x, or a gradient through x is wanted
 */
export function gatherRows(x: Tensor, rows: Rows): Tensor {
	return withRows(x, rows, "gatherRows", (index) => apply(gatherRowsOp, [x, index], null));
}

export interface GatherImagesOptions {
	/** Subtracted from x / 255: one number, or one a channel. Default 0. */
	mean?: number | readonly number[];
	/** Divides x / 255 - mean: one number, or one a channel. Default 1. */
	std?: number | readonly number[];
	/**
	 * (top, left, flip) for each image, one after another: where the corner of its window lies (it may be outside
	 * of the image, which is black there), and whether the window is mirrored from left to right (0 or 1).
	 * Default: the whole image.
	 */
	windows?: Int32Array;
	/** Height and width of the windows. Default: those of the images. */
	windowSize?: readonly [number, number];
}

/**
 * A batch of images kept as bytes: y[i, c] = (x[rows[i], c] / 255 - mean[c]) / std[c].
 *
 * @param x `[N, C, H, W]`, uint8
 * @param rows whole numbers in [0, N)
 * @returns `[rows.length, C, H, W]`, floating (H and W are those of the window, where there is one).
 *   Not differentiable.
 * @throws EvenkeelError if a row is outside of x, or an option does not fit it
 */
export function gatherImages(x: Tensor, rows: Rows, options: GatherImagesOptions = {}): Tensor {
	check(
		x.dtype === "uint8" && x.ndim === 4,
		() => `gatherImages: expected uint8 images [N, C, H, W], got ${x.dtype} ${x.describe()}`,
	);
	const channels = x.shape[1];
	const attrs: ImageAttrs = {
		mean: perChannel(options.mean ?? 0, channels, "mean"),
		std: perChannel(options.std ?? 1, channels, "std"),
		windows: options.windows ?? null,
		size: checkWindowSize(options, x),
	};
	for (const std of attrs.std) check(std > 0, () => `gatherImages: std must be above 0, got ${std}`);
	return withRows(x, rows, "gatherImages", (index) => apply(gatherImagesOp, [x, index], attrs));
}

interface ImageAttrs extends ImageGather {
	size: readonly [number, number];
}

const gatherRowsOp: Op<null> = {
	name: "gatherRows",
	forward([x, rows]) {
		const out = empty([rows.size, ...x.shape.slice(1)], x.backend, x.dtype, x.name);
		kernelsFor(kernels, x).rows(out, x, rows);
		return out;
	},
};

const gatherImagesOp: Op<ImageAttrs> = {
	name: "gatherImages",
	forward([x, rows], attrs) {
		checkWindows(attrs.windows, rows.size);
		const out = empty([rows.size, x.shape[1], ...attrs.size], x.backend, "float", x.name);
		kernelsFor(kernels, x).images(out, x, rows, attrs);
		return out;
	},
};

/** Runs `gather` with `rows` as a tensor beside x, which is checked and, where it was made here, freed. */
function withRows(x: Tensor, rows: Rows, op: string, gather: (index: Tensor) => Tensor): Tensor {
	check(x.ndim > 0, () => `${op}: expected a tensor with rows [N, …], got ${x.describe()}`);
	check(
		!(x.requiresGrad && isGradEnabled()),
		() => `${op}: it has no gradient, and ${x.describe()} requires one; detach() it first`,
	);
	if (isTensor(rows)) {
		check(
			rows.dtype === "int32" && rows.ndim === 1,
			() => `${op}: rows must be an int32 tensor [n], got ${rows.dtype} ${rows.describe()}`,
		);
		checkRows(rows.view(), x, op);
		return gather(rows);
	}
	checkRows(rows, x, op);
	const index = empty([rows.length], x.backend, "int32", "rows");
	kernelsFor(kernels, x).index(index, rows);
	try {
		return gather(index);
	} finally {
		index.dispose();
	}
}

function checkRows(rows: ArrayLike<number>, x: Tensor, op: string): void {
	check(
		Number.isInteger(rows?.length),
		() => `${op}: rows is a list of whole numbers or an int32 tensor, got ${typeof rows}`,
	);
	const count = x.shape[0];
	for (let i = 0; i < rows.length; i++) {
		const row = rows[i];
		if (Number.isInteger(row) && row >= 0 && row < count) continue;
		throw new EvenkeelError(
			`${op}: row ${row} (at ${i}) is outside of ${x.describe()}, whose rows are 0 to ${count - 1}`,
		);
	}
}

function perChannel(value: number | readonly number[], channels: number, what: string): readonly number[] {
	const list = typeof value === "number" ? new Array<number>(channels).fill(value) : value;
	check(
		list.length === channels && list.every(Number.isFinite),
		() =>
			`gatherImages: ${what} must be a finite number, or ${channels} of them (one a channel), got [${list.join(", ")}]`,
	);
	return list;
}

function checkWindowSize({ windows, windowSize }: GatherImagesOptions, x: Tensor): readonly [number, number] {
	if (windowSize === undefined) return [x.shape[2], x.shape[3]];
	check(windows, "gatherImages: windowSize says how large the windows are, but no windows were given");
	check(
		windowSize.length === 2 && windowSize.every((length) => Number.isInteger(length) && length > 0),
		() => `gatherImages: windowSize must be a height and a width above 0, got ${formatShape(windowSize)}`,
	);
	return windowSize;
}

function checkWindows(windows: Int32Array | null, count: number): void {
	if (windows === null) return;
	check(
		windows.length === 3 * count,
		() =>
			`gatherImages: windows must be (top, left, flip) for each of ${count} images, ${3 * count} numbers, got ${windows.length}`,
	);
	for (let i = 0; i < windows.length; i++) {
		const isFlip = i % 3 === 2;
		check(
			isFlip ? (windows[i] & ~1) === 0 : Math.abs(windows[i]) < 2 ** 20,
			() => `gatherImages: windows[${i}] is ${isFlip ? "a flip, 0 or 1" : "a position"}, got ${windows[i]}`,
		);
	}
}
