// Writes sample/fashion-mnist: the first 600 images of each class of Fashion-MNIST's training set
// and the first 100 of each of its test set, byte for byte and in their order, as gzip'ed IDX.
// For machines without the data set and without a network.
//
//     node scripts/make-sample.mjs [DIR with Fashion-MNIST's four files, default Debian's]

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

const from = process.argv[2] ?? "/usr/share/datasets/fashion-mnist";
const to = join(dirname(fileURLToPath(import.meta.url)), "../sample/fashion-mnist");
const CLASSES = 10;
const PIXELS = 28 * 28;
const IMAGE_HEADER = 16;
const LABEL_HEADER = 8;

/** SHA-256 of the published files, decompressed. */
const published = {
	"train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
	"train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
	"t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
	"t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
};

mkdirSync(to, { recursive: true });
makeSplit("train", 600);
makeSplit("t10k", 100);

/** @param {"train" | "t10k"} split @param {number} perClass */
function makeSplit(split, perClass) {
	const images = readPublished(`${split}-images-idx3-ubyte`);
	const labels = readPublished(`${split}-labels-idx1-ubyte`).subarray(LABEL_HEADER);
	const taken = new Array(CLASSES).fill(0);
	const rows = [];
	for (let row = 0; row < labels.length; row++) if (taken[labels[row]]++ < perClass) rows.push(row);

	const image = (/** @type {number} */ row) =>
		images.subarray(IMAGE_HEADER + row * PIXELS, IMAGE_HEADER + (row + 1) * PIXELS);
	write(`${split}-images-idx3-ubyte.gz`, [0x803, rows.length, 28, 28], Buffer.concat(rows.map(image)));
	write(`${split}-labels-idx1-ubyte.gz`, [0x801, rows.length], Buffer.from(rows.map((row) => labels[row])));
}

/** @param {keyof typeof published} name */
function readPublished(name) {
	const bytes = gunzipSync(readFileSync(join(from, `${name}.gz`)));
	const hash = createHash("sha256").update(bytes).digest("hex");
	if (hash !== published[name]) throw new Error(`${from}/${name}.gz: SHA-256 ${hash}, expected ${published[name]}`);
	return bytes;
}

/** @param {string} name @param {number[]} header big-endian words @param {Buffer} data */
function write(name, header, data) {
	const words = Buffer.alloc(4 * header.length);
	for (const [i, word] of header.entries()) words.writeUInt32BE(word, 4 * i);
	const bytes = Buffer.concat([words, data]);
	const packed = gzipSync(bytes, { level: 9, memLevel: 9 });
	writeFileSync(join(to, name), packed);
	console.log(`${createHash("sha256").update(bytes).digest("hex")}  ${name}, ${packed.length} bytes`);
}
