import { createHash } from "node:crypto";
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FileServer, startFileServer } from "../../test/support/file-server.ts";
import { init } from "../backend/init.ts";
import { scope } from "../tensor/scope.ts";
import { cacheFolder } from "./cache-folder.ts";
import { fashionMnist, fashionMnistSpec } from "./fashion-mnist.ts";
import { encodeIdx } from "./idx.ts";
import { type FileName, fileNames } from "./image-files.ts";
import { imageFolder } from "./image-folder.ts";
import { type ImageSetOptions, type ImageSetSpec, loadImageSet } from "./image-set.ts";
import { mnistSpec } from "./mnist.ts";

const classes = ["even", "odd"];
const names = [...Object.values(fileNames.train), ...Object.values(fileNames.test)] as FileName[];

/** Four files of a small set; `salt` makes it another one. */
function makeFiles(counts: { train: number; test: number }, salt = 0): Record<FileName, Uint8Array> {
	const images = (n: number) =>
		encodeIdx(
			[n, 3, 4],
			Uint8Array.from({ length: n * 12 }, (_, i) => i * 7 + salt),
		);
	const labels = (n: number) =>
		encodeIdx(
			[n],
			Uint8Array.from({ length: n }, (_, i) => i % 2),
		);
	return {
		"train-images-idx3-ubyte": images(counts.train),
		"train-labels-idx1-ubyte": labels(counts.train),
		"t10k-images-idx3-ubyte": images(counts.test),
		"t10k-labels-idx1-ubyte": labels(counts.test),
	};
}

function hashes(files: Record<FileName, Uint8Array>): Record<FileName, string> {
	const entries = names.map((name) => [name, createHash("sha256").update(files[name]).digest("hex")]);
	return Object.fromEntries(entries) as Record<FileName, string>;
}

function writeFiles(dir: string, files: Partial<Record<FileName, Uint8Array>>): string {
	mkdirSync(dir, { recursive: true });
	for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, `${name}.gz`), gzipSync(bytes));
	return dir;
}

const files = makeFiles({ train: 20, test: 10 });
const sample = makeFiles({ train: 4, test: 2 });
let server: FileServer;
let root: string;
let spec: ImageSetSpec;

beforeAll(async () => {
	await init({ threads: 1 });
});

beforeEach(async () => {
	server = await startFileServer();
	root = mkdtempSync(join(tmpdir(), "evenkeel-images-"));
	spec = {
		id: "dots",
		title: "Dots",
		url: server.url,
		algorithm: "sha256",
		hashes: hashes(files),
		sizes: { train: 20, test: 10 },
		classes,
		mean: [0.4],
		std: [0.3],
		sample: { hashes: hashes(sample), sizes: { train: 4, test: 2 } },
	};
});

afterEach(async () => {
	await server.close();
	rmSync(root, { recursive: true, force: true });
});

const at = (...parts: string[]) => join(root, ...parts);

function load(options: Partial<ImageSetOptions> = {}) {
	const places = { cache: at("cache"), system: at("system"), sample: () => at("sample"), timeout: 500 };
	return loadImageSet(spec, { split: "train", ...options }, places);
}

function serveAll(set = files): void {
	for (const name of names) server.files.set(`${name}.gz`, gzipSync(set[name]));
}

describe("where the images come from", () => {
	test("dir, and nowhere else", async () => {
		writeFiles(at("cache", "dots"), files);
		const set = await load({ dir: writeFiles(at("mine"), files) });
		expect(set.source).toBe(`Dots from ${at("mine")}`);
		await expect(load({ dir: at("none") })).rejects.toThrow(
			`${at("none")}: there is no such folder; it should hold train-images-idx3-ubyte.gz`,
		);
		mkdirSync(at("empty"));
		await expect(load({ dir: at("empty") })).rejects.toThrow(
			`${at("empty")}: there is no train-images-idx3-ubyte.gz (nor train-images-idx3-ubyte) in this folder`,
		);
	});

	test("then the cache, then the system's data sets", async () => {
		writeFiles(at("system", "dots"), files);
		expect((await load()).source).toBe(`Dots from ${at("system", "dots")} (package dataset-dots)`);
		writeFiles(at("cache", "dots"), files);
		expect((await load()).source).toBe(`Dots from the cache folder ${at("cache", "dots")}`);
		expect(server.requests).toEqual([]);
	});

	test("then the server, once", async () => {
		serveAll();
		const seen = new Set<string>();
		const set = await load({ onProgress: ({ file }) => seen.add(file) });
		expect(set.source).toBe(`Dots, downloaded from ${server.url} to ${at("cache", "dots")}`);
		expect([...seen]).toEqual(["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]);
		expect(readdirSync(at("cache", "dots")).sort()).toEqual([
			"train-images-idx3-ubyte.gz",
			"train-labels-idx1-ubyte.gz",
		]);
		expect((await load()).source).toContain("from the cache folder");
		expect(server.requests).toHaveLength(2);
		expect((await load({ split: "test" })).length).toBe(10);
	});

	test("then the sample, and it says why", async () => {
		writeFiles(at("sample", "dots"), sample);
		const set = await load();
		expect(set.length).toBe(4);
		expect(set.source).toBe(
			"the sample of Dots that comes with evenkeel, 4 of its 20 train images: the whole set is not on this machine " +
				`and could not be downloaded (${server.url}train-images-idx3-ubyte.gz: the server answered 404 Not Found)`,
		);
		const asked = server.requests.length;
		expect((await load({ split: "test" })).source).toContain("2 of its 10 test images");
		expect(server.requests).toHaveLength(asked);
		expect((await load({ download: false })).source).toMatch(/and downloading it is switched off$/);
	});

	test("a server that refuses, or is silent, is not waited for", async () => {
		writeFiles(at("sample", "dots"), sample);
		server.instead = () => {};
		const begun = Date.now();
		expect((await load()).source).toContain("the server did not answer for 0.5 s)");
		expect((await load({ split: "test" })).source).toContain("the server did not answer");
		expect(Date.now() - begun).toBeLessThan(3000);
		await server.close();
		spec = { ...spec, url: `${server.url}elsewhere/` };
		expect((await load()).source).toMatch(/could not be downloaded \(http.*: connection refused\)$/);
	});

	test("a cache that cannot be written falls back too", async () => {
		serveAll();
		writeFiles(at("sample", "dots"), sample);
		writeFileSync(at("cache"), "in the way");
		expect((await load()).source).toMatch(/could not be downloaded \(.*it cannot be written \(E/);
	});

	test("without a sample that is an error", async () => {
		spec = { ...spec, sample: undefined };
		await expect(load()).rejects.toThrow(
			/^Dots is not on this machine and could not be downloaded \(.*404 Not Found\); put .*\.gz into a folder and name it/,
		);
	});

	test("an address in place of a folder", async () => {
		serveAll();
		expect((await load({ dir: server.url })).source).toBe(`Dots from ${server.url}`);
		await expect(load({ dir: `${server.url}none` })).rejects.toThrow(
			`${server.url}none/train-images-idx3-ubyte.gz: the server answered 404 Not Found; is the address right?`,
		);
	});
});

describe("what was read", () => {
	test("images as bytes, labels, classes, statistics; no scope frees them", async () => {
		writeFileSync(join(writeFiles(at("mine"), {}), "train-images-idx3-ubyte"), files["train-images-idx3-ubyte"]);
		writeFiles(at("mine"), { "train-labels-idx1-ubyte": files["train-labels-idx1-ubyte"] });
		const set = await load({ dir: at("mine") });
		scope(() => {});
		expect(set.images.shape).toEqual([20, 1, 3, 4]);
		expect([...set.images.dataSync().subarray(0, 3)]).toEqual([0, 7, 14]);
		expect([...set.labels.dataSync().subarray(0, 3)]).toEqual([0, 1, 0]);
		expect([set.classes, set.mean, set.std, set.labels.dtype]).toEqual([classes, [0.4], [0.3], "int32"]);
		set.dispose();
	});

	test("a wrong hash is an error, in the cache too", async () => {
		writeFiles(at("sample", "dots"), sample);
		writeFiles(at("cache", "dots"), makeFiles({ train: 20, test: 10 }, 1));
		const path = join(at("cache", "dots"), "train-images-idx3-ubyte.gz");
		const found = createHash("sha256")
			.update(gunzipSync(readFileSync(path)))
			.digest("hex");
		await expect(load()).rejects.toThrow(
			`${path}: this is not Dots's train-images-idx3-ubyte: the SHA-256 of its decompressed bytes is ${found}, ` +
				`expected ${spec.hashes["train-images-idx3-ubyte"]}; delete it, so that it is downloaded again`,
		);
	});

	test("a download with a wrong hash is an error and leaves nothing", async () => {
		writeFiles(at("sample", "dots"), sample);
		serveAll(makeFiles({ train: 20, test: 10 }, 1));
		await expect(load()).rejects.toThrow(/this is not Dots's train-images-idx3-ubyte: the SHA-256 .*; try again later/);
		expect(readdirSync(at("cache", "dots"))).toEqual([]);
	});

	test("a damaged sample is an error", async () => {
		writeFiles(at("sample", "dots"), files);
		await expect(load()).rejects.toThrow("install evenkeel again");
	});

	test.each([
		[
			"images for labels",
			{ "train-labels-idx1-ubyte": files["train-images-idx3-ubyte"] },
			"expected labels, uint8 [N], found uint8 [20, 3, 4]",
		],
		[
			"labels for images",
			{ "train-images-idx3-ubyte": files["train-labels-idx1-ubyte"] },
			"expected images, uint8 [N, H, W], found uint8 [20]",
		],
		["other labels", { "train-labels-idx1-ubyte": files["t10k-labels-idx1-ubyte"] }, "has 20 images and"],
		[
			"label",
			{ "train-labels-idx1-ubyte": encodeIdx([20], new Uint8Array(20).fill(11, 7)) },
			"train-labels-idx1-ubyte.gz: label 11 at index 7 is none of the 2 classes",
		],
		[
			"truncated",
			{ "train-images-idx3-ubyte": files["train-images-idx3-ubyte"].slice(0, -9) },
			"which takes 256 bytes, found 247 (9 missing)",
		],
	])("%s", async (_, wrong, message) => {
		writeFiles(at("mine"), files);
		writeFiles(at("mine"), wrong);
		await expect(load({ dir: at("mine") })).rejects.toThrow(message);
		await expect(imageFolder(at("mine"), { split: "train", classes: 2 })).rejects.toThrow(message);
	});

	test("an unknown split", async () => {
		await expect(load({ split: "valid" as "test" })).rejects.toThrow(
			'there is no split "valid"; there are "train" and "test"',
		);
	});
});

describe("imageFolder", () => {
	test("takes any images, and computes their statistics from the training images", async () => {
		writeFiles(at("mine"), files);
		const set = await imageFolder(at("mine"), { split: "test", classes });
		const values = Array.from(files["train-images-idx3-ubyte"].subarray(16), (v) => v / 255);
		const mean = values.reduce((a, b) => a + b) / values.length;
		const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
		expect(set.mean).toEqual([expect.closeTo(mean, 12)]);
		expect(set.std).toEqual([expect.closeTo(Math.sqrt(variance), 12)]);
		expect(set.classes).toEqual(classes);
		expect(set.source).toBe(`10 test images from ${at("mine")}`);
		expect((await imageFolder(at("mine"), { split: "test" })).classes).toEqual(["0", "1"]);
	});

	test("has as many classes as the training labels take, and the test images no others", async () => {
		const labels = encodeIdx(
			[10],
			Uint8Array.from({ length: 10 }, (_, i) => i * 3),
		);
		const more = { ...makeFiles({ train: 10, test: 10 }), "train-labels-idx1-ubyte": labels };
		writeFiles(at("mine"), more);
		for (const split of ["train", "test"] as const) {
			expect((await imageFolder(at("mine"), { split })).classes).toHaveLength(28);
		}
		writeFiles(at("mine"), { ...more, "t10k-labels-idx1-ubyte": encodeIdx([10], new Uint8Array(10).fill(28)) });
		await expect(imageFolder(at("mine"), { split: "test" })).rejects.toThrow(
			/t10k-labels-idx1-ubyte.*: label 28 at index 0 is none of the 28 classes/,
		);
	});

	test("refuses test images of another size", async () => {
		writeFiles(at("mine"), { ...files, "t10k-images-idx3-ubyte": encodeIdx([10, 2, 6], new Uint8Array(120)) });
		await expect(imageFolder(at("mine"), { split: "test" })).rejects.toThrow("are 1 x 2 x 6, those of");
	});
});

describe("Fashion-MNIST itself", () => {
	const debian = "/usr/share/datasets/fashion-mnist";
	const sampleDir = join(import.meta.dirname, "../../sample/fashion-mnist");

	test("the sample in the package is balanced, and is what it was", async () => {
		for (const [split, each] of [
			["train", 600],
			["test", 100],
		] as const) {
			const places = { cache: at("cache"), system: at("system") };
			const set = await loadImageSet(fashionMnistSpec, { split, download: false }, places);
			expect(set.images.shape).toEqual([10 * each, 1, 28, 28]);
			const counts = new Array(10).fill(0);
			for (const label of set.labels.dataSync()) counts[label]++;
			expect(counts).toEqual(new Array(10).fill(each));
			set.dispose();
		}
	});

	test.skipIf(!existsSync(debian))("its images are the published ones, in their order", () => {
		for (const { images } of Object.values(fileNames)) {
			const read = (dir: string) => gunzipSync(readFileSync(join(dir, `${images}.gz`))).subarray(16);
			const [few, all] = [read(sampleDir), read(debian)];
			let row = 0;
			for (let start = 0; start < few.length; start += 784, row++) {
				const image = few.subarray(start, start + 784);
				while (row * 784 < all.length && image.compare(all, row * 784, (row + 1) * 784) !== 0) row++;
			}
			expect(row).toBeLessThanOrEqual(all.length / 784);
		}
	});

	test.skipIf(!existsSync(debian))("Debian's package, and a folder recognized by its hashes", async () => {
		const set = await fashionMnist({ split: "test", dir: debian });
		expect(set.images.shape).toEqual([10_000, 1, 28, 28]);
		const folder = await imageFolder(debian, { split: "test" });
		expect(folder.source).toBe(`Fashion-MNIST from ${debian}`);
		expect([folder.classes, folder.mean]).toEqual([set.classes, set.mean]);
		set.dispose();
		folder.dispose();
	});

	test.skipIf(!existsSync(debian))("its mean and deviation are those in the description", async () => {
		mkdirSync(at("mine"));
		for (const name of names) copyFileSync(join(debian, `${name}.gz`), at("mine", `${name}.gz`));
		// One label changed: no longer recognized, so the statistics are computed.
		const labels = gunzipSync(readFileSync(join(debian, "train-labels-idx1-ubyte.gz")));
		labels[8] = (labels[8] + 1) % 10;
		writeFileSync(at("mine", "train-labels-idx1-ubyte.gz"), gzipSync(labels));
		const set = await imageFolder(at("mine"), { split: "train" });
		expect(set.source).toBe(`60,000 train images from ${at("mine")}`);
		expect(set.mean[0]).toBeCloseTo(fashionMnistSpec.mean[0], 12);
		expect(set.std[0]).toBeCloseTo(fashionMnistSpec.std[0], 12);
		set.dispose();
	});

	test("MNIST has no sample: without a download it is an error", async () => {
		const places = { cache: at("cache"), system: at("system") };
		await expect(loadImageSet(mnistSpec, { split: "train", download: false }, places)).rejects.toThrow(
			"MNIST is not on this machine and downloading it is switched off; put train-images-idx3-ubyte.gz and",
		);
	});
});

describe("the cache folder", () => {
	test.each([
		["linux", {}, "/home/u/.cache/evenkeel"],
		["linux", { XDG_CACHE_HOME: "/x" }, "/x/evenkeel"],
		["linux", { XDG_CACHE_HOME: "relative" }, "/home/u/.cache/evenkeel"],
		["linux", { XDG_CACHE_HOME: "/x", EVENKEEL_CACHE: "/own" }, "/own"],
		["darwin", { XDG_CACHE_HOME: "/x" }, "/home/u/Library/Caches/evenkeel"],
		["win32", { LOCALAPPDATA: "C:\\L" }, "C:\\L\\evenkeel\\Cache"],
		["win32", {}, "\\home\\u\\AppData\\Local\\evenkeel\\Cache"],
	])("on %s with %o", (platform, env, folder) => {
		expect(cacheFolder({ platform, env, home: "/home/u" })).toBe(folder);
	});
});
