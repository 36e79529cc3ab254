// A published set of images: where to look for it, in which order, and how to be sure that what
// was found is it.

import { currentBackend } from "../backend/backend.ts";
import { EvenkeelError } from "../errors.ts";
import { needNodeModule, nodeModule } from "../node.ts";
import { cacheFolder } from "./cache-folder.ts";
import { ImageDataset } from "./dataset.ts";
import { DownloadError, type DownloadProgress, download } from "./download.ts";
import { gunzip } from "./gzip.ts";
import {
	checkSplit,
	type FileName,
	type FileReader,
	fileNames,
	findFile,
	folderReader,
	hashOf,
	hasSplit,
	type RawSplit,
	readerFor,
	readSplit,
	type Split,
	splitTensors,
	urlReader,
} from "./image-files.ts";

/** What is known of a published set. */
export interface ImageSetSpec {
	/** Names its folder in the cache, among the system's data sets and among the samples. */
	id: string;
	/** For people. */
	title: string;
	/** Where the four files lie, compressed. */
	url: string;
	algorithm: "sha256" | "md5";
	/** The hash of each file, decompressed. */
	hashes: Readonly<Record<FileName, string>>;
	/** Images in the whole set. */
	sizes: Readonly<Record<Split, number>>;
	classes: readonly string[];
	/** Of the whole training set, one a channel, in units of [0, 1]. */
	mean: readonly number[];
	std: readonly number[];
	/** The sample of it that comes with this package, if there is one. */
	sample?: Pick<ImageSetSpec, "hashes" | "sizes">;
}

export interface ImageSetOptions {
	/** Which images: `"train"` or `"test"`. */
	split: Split;
	/** A folder with the files, compressed or not, or the address of one; nowhere else is looked then. */
	dir?: string;
	/** Whether to download the files if they are not on this machine. Default true. */
	download?: boolean;
	/** Called as a download goes on. */
	onProgress?: (progress: DownloadProgress) => void;
}

/** Where to look. */
export interface Places {
	cache: string;
	system: string;
	/** The package's folder of samples, looked for when it is needed; null where there is none. */
	sample: () => string | null;
	/** Milliseconds to wait for the server's first answer. */
	timeout?: number;
}

/** What files must be, and what to do about one that is not. */
interface Expected {
	hashes: ImageSetSpec["hashes"];
	remedy: string;
}

interface Found extends Expected {
	read: FileReader;
	/** One sentence, for {@link ImageDataset.source}. */
	source: string;
}

/**
 * Finds and reads `split` of a published set: in `dir` if given; else in the user's cache folder; else in the
 * system's folder of data sets; else from its server, into the cache; else from the sample in this package.
 */
export async function loadImageSet(
	spec: ImageSetSpec,
	options: ImageSetOptions,
	places: Partial<Places> = {},
): Promise<ImageDataset> {
	currentBackend();
	checkSplit(options.split);
	const found = await find(spec, options, places);
	const raw = await readSplit(found.read, options.split, spec.classes.length);
	const unchecked = await verify(spec, raw, found);
	const { images, labels } = splitTensors(raw);
	const { classes, mean, std } = spec;
	return new ImageDataset({ images, labels, classes, mean, std, source: found.source + unchecked });
}

async function find(spec: ImageSetSpec, options: ImageSetOptions, overrides: Partial<Places>): Promise<Found> {
	const { title, hashes } = spec;
	const { split, dir } = options;
	const remedy = "fetch it again, or read images of your own with data.imageFolder()";
	if (dir !== undefined) return { read: readerFor(dir), source: `${title} from ${dir}`, hashes, remedy };
	if (!nodeModule("node:fs")) return { read: urlReader(spec.url), source: `${title} from ${spec.url}`, hashes, remedy };

	const { join } = needNodeModule("node:path", title);
	const places = { ...defaultPlaces(), ...overrides };
	const cache = join(places.cache, spec.id);
	if (hasSplit(cache, split)) {
		return { ...cached(cache, hashes), source: `${title} from the cache folder ${cache}` };
	}
	const system = join(places.system, spec.id);
	if (hasSplit(system, split)) {
		const source = `${title} from ${system} (package dataset-${spec.id})`;
		return { read: folderReader(system), source, hashes, remedy: `install the package dataset-${spec.id} again` };
	}
	const failure = await fetchSplit(spec, options, cache, places.timeout);
	if (failure === null)
		return { ...cached(cache, hashes), source: `${title}, downloaded from ${spec.url} to ${cache}` };
	return sampleOf(spec, options, places.sample, failure);
}

function cached(cache: string, hashes: ImageSetSpec["hashes"]): Omit<Found, "source"> {
	return { read: folderReader(cache), hashes, remedy: "delete it, so that it is downloaded again" };
}

function sampleOf(spec: ImageSetSpec, { split }: ImageSetOptions, place: Places["sample"], failure: string): Found {
	const { join } = needNodeModule("node:path", spec.title);
	const advice = `put ${fileNames[split].images}.gz and ${fileNames[split].labels}.gz into a folder and name it (--data DIR, or { dir })`;
	const samples = spec.sample ? place() : null;
	if (!spec.sample || samples === null) {
		throw new EvenkeelError(`${spec.title} is not on this machine and ${failure}; ${advice}`);
	}
	const dir = join(samples, spec.id);
	const [few, all] = [spec.sample, spec].map(({ sizes }) => sizes[split].toLocaleString("en-US"));
	const source =
		`the sample of ${spec.title} that comes with evenkeel, ${few} of its ${all} ${split} images: ` +
		`the whole set is not on this machine and ${failure}`;
	return { read: folderReader(dir), source, hashes: spec.sample.hashes, remedy: "install evenkeel again" };
}

/** Servers that could not be reached, and until when not to ask them again: the second split need not wait as the first did. */
const unreachable = new Map<string, { until: number; failure: string }>();

/** Downloads what the cache lacks of `split`. Resolves to null, or to why it could not be done. */
async function fetchSplit(
	spec: ImageSetSpec,
	options: ImageSetOptions,
	cache: string,
	timeout: number | undefined,
): Promise<string | null> {
	if (options.download === false) return "downloading it is switched off";
	const known = unreachable.get(spec.url);
	if (known && known.until > Date.now()) return known.failure;
	const { join } = needNodeModule("node:path", spec.title);
	try {
		for (const name of Object.values(fileNames[options.split])) {
			if (findFile(cache, name)) continue;
			const url = `${spec.url}${name}.gz`;
			await download(url, join(cache, `${name}.gz`), {
				timeout,
				onProgress: options.onProgress,
				verify: async (bytes) => {
					const file = { name, path: url, bytes: await gunzip(bytes, url) };
					await checkHash(spec, file, { hashes: spec.hashes, remedy: "try again later, or from another network" });
				},
			});
		}
		return null;
	} catch (error) {
		if (!(error instanceof DownloadError)) throw error;
		const failure = `could not be downloaded (${error.message})`;
		unreachable.set(spec.url, { until: Date.now() + 60_000, failure });
		return failure;
	}
}

/** Throws if a file is not the one expected. Returns what to add to the source if that cannot be told. */
async function verify(spec: ImageSetSpec, raw: RawSplit, expected: Expected): Promise<string> {
	let certain = true;
	for (const file of raw.files) certain = (await checkHash(spec, file, expected)) && certain;
	return certain ? "" : `, not verified (no ${hashTitles[spec.algorithm]} on this platform)`;
}

const hashTitles = { sha256: "SHA-256", md5: "MD5" };

/** True if the hash is right, false if it cannot be computed here; throws if it is wrong. */
async function checkHash(
	spec: ImageSetSpec,
	file: RawSplit["files"][0],
	{ hashes, remedy }: Expected,
): Promise<boolean> {
	const { name, path, bytes } = file;
	const hash = await hashOf(bytes, spec.algorithm);
	if (hash === null) return false;
	if (hash === hashes[name]) return true;
	throw new EvenkeelError(
		`${path}: this is not ${spec.title}'s ${name}: the ${hashTitles[spec.algorithm]} of its decompressed bytes is ${hash}, ` +
			`expected ${hashes[name]}; ${remedy}`,
	);
}

function defaultPlaces(): Places {
	// Debian's data sets lie there; another folder of the same layout can be named.
	const system = globalThis.process.env.EVENKEEL_DATASETS || "/usr/share/datasets";
	return { cache: cacheFolder(), system, sample: sampleFolder };
}

/** The package's folder of samples, seen from src/data or from dist/data; null if it is not there. */
function sampleFolder(): string | null {
	const fs = needNodeModule("node:fs", "data");
	const { fileURLToPath } = needNodeModule("node:url", "data");
	// Not written as `new URL("…", import.meta.url)`: bundlers would take the sample into the page.
	// Bundled as CommonJS, a module has no URL.
	const here: string | undefined = import.meta.url;
	if (!here?.startsWith("file:")) return null;
	const candidates = ["../../sample", "../sample"].map((path) => fileURLToPath(new URL(path, here)));
	return candidates.find((path) => fs.existsSync(path)) ?? null;
}
