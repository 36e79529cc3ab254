// The package is src/ compiled file by file: dist/ mirrors it, so that `new URL("./worker.mjs", import.meta.url)`
// finds the worker next to the pool and an import of one layer loads that layer only. What can be imported is
// read from package.json, so an entry is added there and nowhere else. Types: scripts/build-types.mjs.

import { readFileSync } from "node:fs";
import { defineConfig } from "tsdown";

const { exports, bin } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8"));

const built: string[] = [...Object.values<{ default?: string }>(exports), ...Object.values<string>(bin)]
	.map((target) => (typeof target === "string" ? target : (target.default ?? "")))
	.filter((file) => file.endsWith(".mjs"));

export default defineConfig({
	entry: [
		...built.map((file) => file.replace("dist/", "src/").replace(/\.mjs$/, ".ts")),
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
