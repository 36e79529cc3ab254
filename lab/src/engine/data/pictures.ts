// Pictures of one's own: a folder with a subfolder for each class. They become what Fashion-MNIST's are, 28 x 28 gray pixels.

import { data, EvenkeelError, keep, tensor } from "evenkeel";
import { Generator } from "evenkeel/random";
import type { OwnData } from "../protocol.ts";
import type { Examples } from "./examples.ts";

const SIZE = 28;
const MOST_CLASSES = 100;
/** One picture in so many is held back for testing. */
const TEST_SHARE = 5;
const isPicture = /\.(png|jpe?g|gif|webp|avif|bmp)$/i;

type Files = Extract<OwnData, { kind: "images" }>["files"];

/**
 * The examples of a folder of pictures: the class of each is the name of the folder that it lies in.
 *
 * @throws EvenkeelError if there are no pictures, fewer than two folders of them, or one cannot be read
 */
export async function readPictures(
	files: Files,
	seed: number,
	progress: (done: number, total: number) => void,
): Promise<Examples> {
	const pictures = files
		.filter(({ path }) => isPicture.test(path))
		.map((one) => ({ ...one, folder: folderOf(one.path) }));
	const classes = [...new Set(pictures.map(({ folder }) => folder))].sort();
	if (classes.length < 2 || classes.length > MOST_CLASSES) {
		throw new EvenkeelError(
			`this folder has pictures in ${classes.length} ${classes.length === 1 ? "folder" : "folders"}; expected 2 to ` +
				`${MOST_CLASSES} subfolders, one a class, with PNG, JPEG, WebP, GIF, AVIF or BMP files in them`,
		);
	}
	if (pictures.length < TEST_SHARE) throw new EvenkeelError(`${pictures.length} pictures are too few to learn from`);
	const pixels = new Uint8Array(pictures.length * SIZE * SIZE);
	for (const [i, { path, file }] of pictures.entries()) {
		pixels.set(await grayPixels(path, file), i * SIZE * SIZE);
		progress(i + 1, pictures.length);
	}
	const labels = Int32Array.from(pictures, ({ folder }) => classes.indexOf(folder));
	const order = new Generator(seed).fork("pictures").permutation(pictures.length);
	const held = Math.floor(pictures.length / TEST_SHARE);
	const train = imageSet(pixels, labels, order.subarray(held), classes);
	const test = imageSet(pixels, labels, order.subarray(0, held), classes);
	return {
		info: {
			kind: "images",
			train: train.length,
			test: test.length,
			shape: [1, SIZE, SIZE],
			classes,
			file: "",
			plane: null,
		},
		train,
		test,
		transform: {},
		dispose() {
			train.dispose();
			test.dispose();
		},
	};
}

function folderOf(path: string): string {
	return path.split("/").at(-2) ?? "";
}

/** The picture shrunk to fit, in the middle of black. */
async function grayPixels(path: string, file: Blob): Promise<Uint8Array> {
	const bitmap = await createImageBitmap(file).catch(() => {
		throw new EvenkeelError(`${path}: this picture cannot be read; remove it, or save it again as PNG or JPEG`);
	});
	const canvas = new OffscreenCanvas(SIZE, SIZE);
	const context = canvas.getContext("2d", { willReadFrequently: true });
	if (!context) throw new EvenkeelError("this browser draws no canvas in a worker, which reading pictures needs");
	context.fillRect(0, 0, SIZE, SIZE);
	const scale = SIZE / Math.max(bitmap.width, bitmap.height);
	const [width, height] = [bitmap.width * scale, bitmap.height * scale];
	context.imageSmoothingQuality = "high";
	context.drawImage(bitmap, (SIZE - width) / 2, (SIZE - height) / 2, width, height);
	bitmap.close();
	const { data: rgba } = context.getImageData(0, 0, SIZE, SIZE);
	// Luma as in BT.601, the gray of JPEG.
	return Uint8Array.from({ length: SIZE * SIZE }, (_, i) =>
		Math.round(0.299 * rgba[4 * i] + 0.587 * rgba[4 * i + 1] + 0.114 * rgba[4 * i + 2]),
	);
}

function imageSet(
	pixels: Uint8Array,
	labels: Int32Array,
	rows: Int32Array,
	classes: readonly string[],
): data.ImageDataset {
	const images = new Uint8Array(rows.length * SIZE * SIZE);
	for (const [i, row] of rows.entries()) {
		images.set(pixels.subarray(row * SIZE * SIZE, (row + 1) * SIZE * SIZE), i * SIZE * SIZE);
	}
	return new data.ImageDataset({
		images: keep(tensor(images, [rows.length, 1, SIZE, SIZE])),
		labels: keep(
			tensor(
				rows.map((row) => labels[row]),
				[rows.length],
			),
		),
		classes,
		mean: [0],
		std: [1],
	});
}
