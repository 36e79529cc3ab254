// Data sets: rows of inputs and their targets, from which a DataLoader makes batches.

import { check, EvenkeelError } from "../errors.ts";
import { type GatherImagesOptions, gatherImages, gatherRows } from "../ops/gather/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What a DataLoader needs. Implement it to bring data of another kind. */
export interface Dataset {
	/** The number of rows. */
	readonly length: number;
	/** `[C, H, W]` if the inputs are images kept as bytes, which can be normalized, cropped and flipped; else null. */
	readonly imageShape: readonly [number, number, number] | null;
	/**
	 * The inputs and targets of the chosen rows, one below the other, as new tensors of the open scope.
	 * `how` is given for images only.
	 */
	gather(rows: Int32Array, how?: GatherImagesOptions): { x: Tensor; y: Tensor };
}

/**
 * Rows of two tensors. Inputs that are uint8 `[N, C, H, W]` are images: a batch of them is floating, x / 255.
 *
 * @throws EvenkeelError if they have different numbers of rows
 */
export class TensorDataset implements Dataset {
	/** `[N, …]` */
	readonly x: Tensor;
	/** `[N, …]`: labels (int32) or numbers */
	readonly y: Tensor;
	readonly imageShape: readonly [number, number, number] | null;

	constructor(x: Tensor, y: Tensor) {
		check(
			x.ndim > 0 && y.ndim > 0 && x.shape[0] === y.shape[0],
			() => `TensorDataset: x and y must have the same number of rows, got ${x.describe()} and ${y.describe()}`,
		);
		this.x = x;
		this.y = y;
		this.imageShape = x.dtype === "uint8" && x.ndim === 4 ? [x.shape[1], x.shape[2], x.shape[3]] : null;
	}

	get length(): number {
		return this.x.shape[0];
	}

	gather(rows: Int32Array, how?: GatherImagesOptions): { x: Tensor; y: Tensor } {
		const x = this.imageShape ? gatherImages(this.x, rows, how) : gatherRows(this.x, rows);
		return { x, y: gatherRows(this.y, rows) };
	}
}

/** What an {@link ImageDataset} is made of. */
export interface ImageDatasetParts {
	/** uint8 `[N, C, H, W]` */
	images: Tensor;
	/** int32 `[N]`, each the number of one of the classes */
	labels: Tensor;
	/** The classes' names. */
	classes: readonly string[];
	/** The training images' mean and standard deviation, one a channel, in units of [0, 1]. */
	mean: readonly number[];
	std: readonly number[];
	/** One sentence: where the images came from, and why from there. Default "". */
	source?: string;
}

/**
 * Labeled images, kept as bytes.
 *
 * @throws EvenkeelError if images and labels do not fit together, or a label is none of the classes
 */
export class ImageDataset extends TensorDataset {
	readonly classes: readonly string[];
	/** The training images' mean, one a channel, in units of [0, 1]: for `transform: { mean, std }`. */
	readonly mean: readonly number[];
	readonly std: readonly number[];
	/** One sentence: where the images came from, and why from there. */
	readonly source: string;

	constructor(parts: ImageDatasetParts) {
		const { images, labels, classes, mean, std, source = "" } = parts;
		check(
			images.dtype === "uint8" && images.ndim === 4,
			() => `ImageDataset: images must be uint8 [N, C, H, W], got ${images.dtype} ${images.describe()}`,
		);
		check(
			labels.dtype === "int32" && labels.ndim === 1,
			() => `ImageDataset: labels must be int32 [N], got ${labels.dtype} ${labels.describe()}`,
		);
		super(images, labels);
		checkLabels(labels.view(), classes.length, "ImageDataset");
		this.classes = [...classes];
		this.mean = [...mean];
		this.std = [...std];
		this.source = source;
	}

	/** uint8 `[N, C, H, W]` */
	get images(): Tensor {
		return this.x;
	}

	/** int32 `[N]` */
	get labels(): Tensor {
		return this.y;
	}

	/** Frees the images and labels. */
	dispose(): void {
		this.x.dispose();
		this.y.dispose();
	}
}

/** Throws unless every label is a class: a whole number in [0, classes). `what` opens the message. */
export function checkLabels(labels: ArrayLike<number>, classes: number, what: string): void {
	for (let i = 0; i < labels.length; i++) {
		if (!(labels[i] >= 0 && labels[i] < classes)) {
			throw new EvenkeelError(
				`${what}: label ${labels[i]} at index ${i} is none of the ${classes} classes, which are 0 to ${classes - 1}; ` +
					"correct the label, or name more classes",
			);
		}
	}
}

class Subset implements Dataset {
	readonly #dataset: Dataset;
	readonly #rows: Int32Array;

	constructor(dataset: Dataset, rows: Int32Array) {
		this.#dataset = dataset;
		this.#rows = rows;
	}

	get length(): number {
		return this.#rows.length;
	}

	get imageShape(): readonly [number, number, number] | null {
		return this.#dataset.imageShape;
	}

	gather(rows: Int32Array, how?: GatherImagesOptions): { x: Tensor; y: Tensor } {
		return this.#dataset.gather(
			rows.map((row) => this.#rows[row]),
			how,
		);
	}
}

/**
 * Some rows of a data set, in the order given. Nothing is copied.
 *
 *     const small = subset(train, 1000);                 // the first thousand
 *     const [fit, held] = [order.subarray(0, n), order.subarray(n)].map((rows) => subset(train, rows));
 *
 * @param rows the rows' numbers, or how many to take from the front
 * @throws EvenkeelError if a row is outside of the data set
 */
export function subset(dataset: Dataset, rows: number | readonly number[] | Int32Array): Dataset {
	const list = typeof rows === "number" ? Array.from({ length: rows }, (_, i) => i) : rows;
	for (let i = 0; i < list.length; i++) {
		check(
			Number.isInteger(list[i]) && list[i] >= 0 && list[i] < dataset.length,
			() => `subset: row ${list[i]} (at ${i}) is outside of a data set of ${dataset.length} rows`,
		);
	}
	return new Subset(dataset, Int32Array.from(list));
}
