// The lab's build: the page, the engine's worker (which starts evenkeel's own workers), nothing from other hosts.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { labAlias } from "./alias.ts";
import { labData } from "./vite-lab-data.ts";

export default defineConfig({
	root: fileURLToPath(new URL(".", import.meta.url)),
	// Relative, so that the build can be served from any folder.
	base: "./",
	resolve: { alias: labAlias },
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
