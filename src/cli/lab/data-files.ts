// The files that the lab fetches below data/: Fashion-MNIST's sample, the whole set if it is on this machine, and which of
// the two there is.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../data/cache-folder.ts";
import { fileNames, findFile, hasSplit } from "../../data/image-files.ts";

/** A file to send. */
export interface LabFile {
	readonly type: string;
	read(): Buffer;
}

const names: readonly string[] = Object.values(fileNames).flatMap(({ images, labels }) => [images, labels]);

/** What `path` (`data/fashion-mnist/sample/train-images-idx3-ubyte.gz`) names; null if it is nothing of ours, or not there. */
export function labDataFile(path: string): LabFile | null {
	if (path === "data/available.json") {
		const available = { full: fullFolder() !== null };
		return { type: "application/json", read: () => Buffer.from(JSON.stringify(available)) };
	}
	const [, set, file] = /^data\/fashion-mnist\/(sample|full)\/([a-z0-9-]+)\.gz$/.exec(path) ?? [];
	const name = names.find((known) => known === file);
	const folder = set === "sample" ? sampleFolder() : set === "full" ? fullFolder() : null;
	const found = name && folder ? findFile(folder, name as Parameters<typeof findFile>[1]) : null;
	return found ? { type: "application/gzip", read: () => readFileSync(found) } : null;
}

/** The folder of the sample in this package. */
export function sampleFolder(): string | null {
	return packageFolder("sample/fashion-mnist");
}

/** The folder of the whole set: in the cache, or the system's. */
function fullFolder(): string | null {
	const places = [join(cacheFolder(), "fashion-mnist"), "/usr/share/datasets/fashion-mnist"];
	return places.find((folder) => hasSplit(folder, "train") && hasSplit(folder, "test")) ?? null;
}

/** A folder of this package, from the sources or from dist/. */
export function packageFolder(path: string): string | null {
	for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
		if (existsSync(join(folder, "package.json"))) {
			const found = join(folder, path);
			return existsSync(found) ? found : null;
		}
	}
	return null;
}
