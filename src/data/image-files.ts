// The four files that MNIST and its kin come as, wherever they lie: read, checked against one
// another, and made into tensors.

import { currentBackend } from "../backend/backend.ts";
import { check, EvenkeelError } from "../errors.ts";
import { messageOf, needNodeModule, nodeModule } from "../node.ts";
import { empty } from "../ops/op.ts";
import { keep } from "../tensor/scope.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkLabels } from "./dataset.ts";
import { gunzip, isGzip } from "./gzip.ts";
import { type Idx, parseIdx } from "./idx.ts";

export type Split = "train" | "test";

/** The files' names, less `.gz`. */
export const fileNames = {
	train: { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
	test: { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
} as const;

export type FileName = (typeof fileNames)[Split]["images" | "labels"];

/** A file's bytes as they lie there, and what to call it. */
export interface FileBytes {
	path: string;
	bytes: Uint8Array;
}

/** Fetches one of the four files from wherever they are. */
export type FileReader = (name: FileName) => Promise<FileBytes>;

/** The images and labels of one split, checked against one another. */
export interface RawSplit {
	/** `[N, C, H, W]` */
	shape: readonly number[];
	images: Uint8Array;
	labels: Uint8Array;
	/** The two files, decompressed, for their hashes. */
	files: { name: FileName; path: string; bytes: Uint8Array }[];
}

/**
 * Reads the images and labels of `split`.
 *
 * @throws EvenkeelError if a file is missing or damaged, they do not fit together, or a label is none of the classes
 */
export async function readSplit(read: FileReader, split: Split, classes: number): Promise<RawSplit> {
	checkSplit(split);
	const names = fileNames[split];
	const images = await readFile(read, names.images);
	const labels = await readFile(read, names.labels);
	const { shape } = images.idx;
	check(
		images.idx.type === "uint8" && (shape.length === 3 || shape.length === 4),
		() => `${images.path}: expected images, uint8 [N, H, W], found ${describe(images.idx)}; is this the right file?`,
	);
	check(
		labels.idx.type === "uint8" && labels.idx.shape.length === 1,
		() => `${labels.path}: expected labels, uint8 [N], found ${describe(labels.idx)}; is this the right file?`,
	);
	check(
		shape[0] === labels.idx.shape[0],
		() =>
			`${images.path} has ${shape[0]} images and ${labels.path} ${labels.idx.shape[0]} labels; one of them is of another data set`,
	);
	checkLabels(labels.idx.data, classes, labels.path);
	return {
		shape: shape.length === 4 ? shape : [shape[0], 1, shape[1], shape[2]],
		images: images.idx.data as Uint8Array,
		labels: labels.idx.data as Uint8Array,
		files: [images, labels].map(({ name, path, bytes }) => ({ name, path, bytes })),
	};
}

/** Throws unless `split` names one. */
export function checkSplit(split: string): void {
	check(split === "train" || split === "test", () => `there is no split "${split}"; there are "train" and "test"`);
}

async function readFile(read: FileReader, name: FileName) {
	const { path, bytes: stored } = await read(name);
	const bytes = isGzip(stored) ? await gunzip(stored, path) : stored;
	return { name, path, bytes, idx: parseIdx(bytes, path) };
}

function describe({ type, shape }: Idx): string {
	return `${type} ${formatShape(shape)}`;
}

/** The images and labels as tensors that no scope frees. */
export function splitTensors(raw: RawSplit): { images: Tensor; labels: Tensor } {
	const backend = currentBackend();
	const images = keep(empty(raw.shape, backend, "uint8", "images"));
	images.view().set(raw.images);
	const labels = keep(empty([raw.shape[0]], backend, "int32", "labels"));
	labels.view().set(raw.labels);
	return { images, labels };
}

/** The path of a file in `dir`, compressed or not; null if it is not there. */
export function findFile(dir: string, name: FileName): string | null {
	const fs = needNodeModule("node:fs", "data");
	const { join } = needNodeModule("node:path", "data");
	return [`${name}.gz`, name].map((file) => join(dir, file)).find((path) => fs.existsSync(path)) ?? null;
}

/** True if both files of `split` are in `dir`. */
export function hasSplit(dir: string, split: Split): boolean {
	const { images, labels } = fileNames[split];
	return findFile(dir, images) !== null && findFile(dir, labels) !== null;
}

/** Reads from a folder. */
export function folderReader(dir: string): FileReader {
	const fs = needNodeModule("node:fs", "data");
	return async (name) => {
		check(
			fs.existsSync(dir),
			() => `${dir}: there is no such folder; it should hold ${name}.gz and the other files of the data set`,
		);
		const path = findFile(dir, name);
		check(
			path,
			() => `${dir}: there is no ${name}.gz (nor ${name}) in this folder; put it there, or name another folder`,
		);
		try {
			return { path, bytes: fs.readFileSync(path) };
		} catch (error) {
			throw new EvenkeelError(`${path}: it cannot be read (${messageOf(error)})`);
		}
	};
}

/** Reads from a server: for pages, and for a folder named by an address. */
export function urlReader(base: string): FileReader {
	return async (name) => {
		const path = `${base.replace(/\/*$/, "/")}${name}.gz`;
		let response: Response;
		try {
			response = await fetch(path);
		} catch (error) {
			throw new EvenkeelError(
				`${path}: it cannot be fetched (${messageOf(error)}); is the server reachable, and may this page ask it?`,
			);
		}
		check(
			response.ok,
			() => `${path}: the server answered ${response.status} ${response.statusText}; is the address right?`,
		);
		return { path, bytes: new Uint8Array(await response.arrayBuffer()) };
	};
}

/** The reader for `dir`: a folder, or, where it is an address or there are no folders, a server. */
export function readerFor(dir: string): FileReader {
	return /^https?:\/\//.test(dir) || !nodeModule("node:fs") ? urlReader(dir) : folderReader(dir);
}

/** The hash of `bytes` in hexadecimal; null where the platform cannot compute it (MD5 in browsers). */
export async function hashOf(bytes: Uint8Array, algorithm: "sha256" | "md5"): Promise<string | null> {
	const crypto = nodeModule("node:crypto");
	if (crypto) return crypto.createHash(algorithm).update(bytes).digest("hex");
	if (algorithm === "md5" || !globalThis.crypto?.subtle) return null;
	const digest = await globalThis.crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
	return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
