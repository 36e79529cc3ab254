// The package is src/ compiled file by file: dist/ mirrors it, so that `new URL("./worker.mjs", import.meta.url)`
// finds the worker next to the pool and an import of one layer loads that layer only. What can be imported is
// read from package.json, so an entry is added there and nowhere else. Types: scripts/build-types.mjs.

import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { defineConfig } from "tsdown";

const { exports, bin } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8"));

const built: string[] = [...Object.values<{ default?: string }>(exports), ...Object.values<string>(bin)]
	.map((target) => (typeof target === "string" ? target : (target.default ?? "")))
	.filter((file) => file.endsWith(".mjs"));

const root = import.meta.dirname;
const sources = built.map((file) => join(root, file.replace("dist/", "src/").replace(/\.mjs$/, ".ts")));

/** What others see as a namespace: what `export * as nn from "./nn/index.ts"` names, and the main entry, which the command line passes on. */
const namespaces = new Set([join(root, "src/index.ts")]);
for (const file of sources) {
	for (const [, target] of readFileSync(file, "utf8").matchAll(/^export \* as \w+ from "(.+)";$/gm)) {
		namespaces.add(join(dirname(file), target));
	}
}

/**
 * Leaves imports of these modules as they stand. Rolldown would make an object of each, which it exports under a name of its own
 * (`nn_exports`), which is not the module itself, and from which no bundler drops what is not used.
 */
const realNamespaces = {
	name: "real-namespaces",
	resolveId(source: string, importer: string | undefined) {
		if (!importer || !source.startsWith(".")) return null;
		const file = join(dirname(importer), source);
		return namespaces.has(file) ? { id: file.replace(/\.ts$/, ".mjs"), external: "relative" as const } : null;
	},
};

export default defineConfig({
	plugins: [realNamespaces],
	entry: [
		...new Set([...sources, ...namespaces].map((file) => relative(root, file))),
		// Reached through a URL, which the bundler does not follow.
		"src/backend/wasm/worker.mjs",
		"src/mpi/watch/thread.mjs",
		// Started as a process of its own.
		"src/cli/compare/cell-process.ts",
	],
	root: "src",
	outDir: "dist",
	format: "esm",
	platform: "node",
	target: "es2022",
	unbundle: true,
	fixedExtension: true,
	hash: false,
	dts: false,
	logLevel: "warn",
});
