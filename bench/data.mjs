// The data every side trains on, as plain files that any language can read.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, init } from "evenkeel";

/**
 * Writes the training images of Fashion-MNIST (`images`, bytes [N, 28, 28]) and their labels (`labels`, bytes [N])
 * into a temporary folder.
 */
export async function writeData() {
	await init({ threads: 1 });
	const train = await data.fashionMnist({ split: "train" });
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-bench-"));
	writeFileSync(join(folder, "images"), train.images.dataSync());
	writeFileSync(join(folder, "labels"), Uint8Array.from(train.labels.dataSync()));
	const summary = `${train.length.toLocaleString("en-US")} images (${train.source})`;
	train.dispose();
	return { folder, summary, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
