// Images of one's own, in the four files that MNIST made a custom of.

import { currentBackend } from "../backend/backend.ts";
import { check } from "../errors.ts";
import { checkLabels, ImageDataset } from "./dataset.ts";
import { fashionMnistSpec } from "./fashion-mnist.ts";
import { fileNames, hashOf, type RawSplit, readerFor, readSplit, type Split, splitTensors } from "./image-files.ts";
import type { ImageSetSpec } from "./image-set.ts";
import { mnistSpec } from "./mnist.ts";

export interface ImageFolderOptions {
	/** Which images: `"train"` or `"test"`. */
	split: Split;
	/**
	 * The classes' names, or how many there are. Default: those of the published set that it is, else as many as the labels
	 * of the training images take.
	 */
	classes?: number | readonly string[];
}

/**
 * The images of a folder (or address) that holds `train-images-idx3-ubyte.gz`, `train-labels-idx1-ubyte.gz`,
 * `t10k-images-idx3-ubyte.gz` and `t10k-labels-idx1-ubyte.gz`, compressed or not: uint8 `[N, H, W]` or `[N, C, H, W]`, and
 * uint8 `[N]`. Fashion-MNIST and MNIST are recognized by their hashes; for others mean and standard deviation are
 * computed from the training images.
 *
 * @throws EvenkeelError if a file is missing or damaged, the two do not fit together, or a label is none of the classes
 */
export async function imageFolder(dir: string, options: ImageFolderOptions): Promise<ImageDataset> {
	currentBackend();
	const { split, classes } = options;
	const given = typeof classes === "object" ? classes.length : classes;
	check(
		given === undefined || (Number.isInteger(given) && given > 0),
		() => `imageFolder: classes must be names, or how many there are, got ${classes}`,
	);
	const read = readerFor(dir);
	const raw = await readSplit(read, split, given ?? mostClasses);
	const known = await recognize(raw);
	const training = known || split === "train" ? raw : await readSplit(read, "train", given ?? mostClasses);
	checkSameSize(raw, training, dir);
	const { mean, std } = known ?? statistics(training);
	const count = given ?? known?.classes.length ?? classesOf(training);
	checkLabels(raw.labels, count, raw.files[1].path);
	return new ImageDataset({
		...splitTensors(raw),
		classes: typeof classes === "object" ? classes : namesOf(count, known),
		mean,
		std,
		source: known
			? `${known.title} from ${dir}`
			: `${raw.shape[0].toLocaleString("en-US")} ${split} images from ${dir}`,
	});
}

/** Labels are bytes. */
const mostClasses = 256;

/** As many classes as the labels take; 10 where there are none. */
function classesOf({ labels }: RawSplit): number {
	return labels.length === 0 ? 10 : labels.reduce((largest, label) => Math.max(largest, label), 0) + 1;
}

/** The names of the published set, where it has as many classes; else their numbers. */
function namesOf(count: number, known: ImageSetSpec | null): readonly string[] {
	return known?.classes.length === count ? known.classes : Array.from({ length: count }, (_, i) => `${i}`);
}

/** The published set that these files are, if they are one. */
async function recognize(raw: RawSplit): Promise<ImageSetSpec | null> {
	for (const spec of [fashionMnistSpec, mnistSpec]) {
		const same = await Promise.all(
			raw.files.map(async ({ name, bytes }) => (await hashOf(bytes, spec.algorithm)) === spec.hashes[name]),
		);
		if (same.every(Boolean)) return spec;
	}
	return null;
}

function checkSameSize(raw: RawSplit, training: RawSplit, dir: string): void {
	const size = ({ shape }: RawSplit) => shape.slice(1).join(" x ");
	check(
		size(raw) === size(training),
		() =>
			`${dir}: the images of ${fileNames.test.images} are ${size(raw)}, those of ${fileNames.train.images} ${size(training)}`,
	);
}

/** Mean and standard deviation of each channel, exactly: from how often each of the 256 values occurs. */
function statistics({ shape, images }: RawSplit): { mean: number[]; std: number[] } {
	const [N, C, H, W] = shape;
	const counts = Array.from({ length: C }, () => new Float64Array(256));
	for (let plane = 0; plane < N * C; plane++) {
		const count = counts[plane % C];
		for (let i = plane * H * W; i < (plane + 1) * H * W; i++) count[images[i]]++;
	}
	const total = Math.max(1, N * H * W);
	const mean = counts.map((count) => count.reduce((sum, n, v) => sum + n * v, 0) / total / 255);
	const std = counts.map((count, c) =>
		Math.sqrt(count.reduce((sum, n, v) => sum + n * (v / 255 - mean[c]) ** 2, 0) / total),
	);
	// Images of one color have no deviation to divide by.
	return { mean, std: std.map((value) => value || 1) };
}
