// Builds the web lab.
//
//     node scripts/build-lab.mjs                 into dist/lab, for the package: `evenkeel lab` serves the data beside it
//     node scripts/build-lab.mjs --static DIR    into DIR with the sample of Fashion-MNIST: any web host can serve it,
//                                                under any path

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [, , flag, given] = process.argv;
if (flag !== undefined && (flag !== "--static" || !given)) {
	process.stderr.write("build-lab: usage: node scripts/build-lab.mjs [--static DIR]\n");
	process.exit(2);
}
const folder = given === undefined ? join(root, "dist/lab") : resolve(given);

await build({ configFile: join(root, "lab/vite.config.ts"), logLevel: "warn", build: { outDir: folder } });
if (given !== undefined) {
	const sample = join(folder, "data/fashion-mnist/sample");
	mkdirSync(sample, { recursive: true });
	cpSync(join(root, "sample/fashion-mnist"), sample, { recursive: true });
	writeFileSync(join(folder, "data/available.json"), JSON.stringify({ full: false }));
	// A page gets the headers that let it share memory from its server; some hosts read them from this file.
	writeFileSync(
		join(folder, "_headers"),
		"/*\n  Cross-Origin-Opener-Policy: same-origin\n  Cross-Origin-Embedder-Policy: require-corp\n",
	);
	process.stderr.write(`the lab is in ${folder}\n`);
}
