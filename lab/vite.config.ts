// The lab's build: the page, the engine's worker (which starts evenkeel's own workers), nothing from other hosts.
// evenkeel is taken from its sources, so that what is shown is what is in this tree.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { labData } from "./vite-lab-data.ts";

const source = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

export default defineConfig({
	root: fileURLToPath(new URL(".", import.meta.url)),
	// Relative, so that the build can be served from any folder.
	base: "./",
	resolve: {
		alias: [
			{ find: /^evenkeel$/, replacement: source("index.ts") },
			{ find: /^evenkeel\/(.+)$/, replacement: source("$1/index.ts") },
		],
	},
	oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
	plugins: [labData()],
	build: { outDir: "dist", target: "es2022", emptyOutDir: true, assetsInlineLimit: 0, reportCompressedSize: false },
	// Layers are shown by the names of their classes.
	worker: { format: "es", rolldownOptions: { output: { keepNames: true } } },
	server: {
		headers: {
			"Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Embedder-Policy": "require-corp",
		},
	},
});
