// Fashion-MNIST: the sample that comes with the page, or the whole set from a server that has it.

import { data, EvenkeelError, keep, tensor } from "evenkeel";
import { fashionMnistSpec } from "../../../../src/data/fashion-mnist.ts";
import type { DataInfo } from "../protocol.ts";
import type { Examples, Loading } from "./examples.ts";

const folders = { fashion: "sample", "fashion-full": "full" } as const;
const files = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] as const;

/** Fetches the four files, with one count of bytes over all of them. */
export async function loadFashion(
	kind: keyof typeof folders,
	{ dataUrl, progress }: Pick<Loading, "dataUrl" | "progress">,
): Promise<Examples> {
	const base = new URL(`fashion-mnist/${folders[kind]}/`, dataUrl);
	const received = files.map(() => 0);
	const totals = files.map(() => 0);
	const report = (): void => progress(sum(received), totals.includes(0) ? 0 : sum(totals));
	const [trainImages, trainLabels, testImages, testLabels] = await Promise.all(
		files.map(async (file, i) => {
			const url = new URL(`${file}-ubyte.gz`, base).href;
			const bytes = await download(url, (done, total) => {
				received[i] = done;
				totals[i] = total;
				report();
			});
			return data.readIdx(bytes, url);
		}),
	);
	const train = imageSet(trainImages, trainLabels);
	const test = imageSet(testImages, testLabels);
	const info: DataInfo = {
		kind,
		train: train.length,
		test: test.length,
		shape: train.images.shape.slice(1),
		classes: train.classes,
		file: "",
		plane: null,
	};
	return {
		info,
		train,
		test,
		transform: {},
		dispose() {
			train.dispose();
			test.dispose();
		},
	};
}

/** The examples of two IDX files. */
export function imageSet(images: data.Idx, labels: data.Idx): data.ImageDataset {
	const [count, height, width] = images.shape;
	if (!(images.data instanceof Uint8Array)) throw new EvenkeelError("Fashion-MNIST: the images are not bytes");
	return new data.ImageDataset({
		images: keep(tensor(images.data, [count, 1, height, width])),
		labels: keep(tensor(Int32Array.from(labels.data), [count])),
		classes: fashionMnistSpec.classes,
		mean: fashionMnistSpec.mean,
		std: fashionMnistSpec.std,
	});
}

async function download(url: string, progress: (received: number, total: number) => void): Promise<Uint8Array> {
	const response = await fetch(url);
	if (!response.ok || !response.body) {
		throw new EvenkeelError(`${url}: the server answered ${response.status} ${response.statusText}`);
	}
	const total = Number(response.headers.get("Content-Length") ?? 0);
	const parts: Uint8Array[] = [];
	let received = 0;
	for (const reader = response.body.getReader(); ; ) {
		const { done, value } = await reader.read();
		if (done) break;
		parts.push(value);
		received += value.length;
		progress(received, total);
	}
	const bytes = new Uint8Array(received);
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

function sum(values: readonly number[]): number {
	return values.reduce((a, b) => a + b, 0);
}
