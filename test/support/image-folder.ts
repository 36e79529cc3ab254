// A folder with the four files of MNIST, made of random images, for tests of commands.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeIdx } from "../../src/data/idx.ts";
import { Generator } from "../../src/random/generator.ts";

export interface ImageFolderShape {
	train?: number;
	test?: number;
	/** Height and width. */
	size?: number;
	/** Colors; left out, the files have no such axis. */
	channels?: number;
	/** How many labels there are. Default 10. */
	classes?: number;
	seed?: number;
}

/** Writes the folder and returns its path. Each image is brighter the higher its label, so there is something to learn. */
export function writeImageFolder(dir: string, shape: ImageFolderShape = {}): string {
	const { train = 64, test = 20, size = 28, channels, classes = 10, seed = 1 } = shape;
	mkdirSync(dir, { recursive: true });
	const random = new Generator(seed);
	for (const [prefix, count] of [["train", train] as const, ["t10k", test] as const]) {
		const labels = Uint8Array.from({ length: count }, () => random.int(classes));
		const each = size * size * (channels ?? 1);
		const images = Uint8Array.from(
			{ length: count * each },
			(_, i) => (200 / classes) * labels[Math.floor(i / each)] + random.int(50),
		);
		const axes = channels === undefined ? [count, size, size] : [count, channels, size, size];
		writeFileSync(join(dir, `${prefix}-images-idx3-ubyte`), encodeIdx(axes, images));
		writeFileSync(join(dir, `${prefix}-labels-idx1-ubyte`), encodeIdx([count], labels));
	}
	return dir;
}
