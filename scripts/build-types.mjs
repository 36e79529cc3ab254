// Writes the declarations beside the modules in dist/. TypeScript names them .d.ts and leaves `.ts` in the
// imports; the package ships .mjs, so both are renamed. A bundler of declarations would do that too, but drops
// what `declare module "../tensor/tensor.ts"` adds to Tensor.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");

const tsc = join(root, "node_modules/typescript/bin/tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
	cwd: root,
	stdio: ["ignore", 2, 2],
});
if (status !== 0) process.exit(status ?? 1);

/** `from "./x.ts"`, `import "./x.ts"`, `import("./x.ts")`, `declare module "./x.ts"`. */
const relative = /\b(from |import |import\(|declare module )"(\.{1,2}\/[^"]+)\.ts"/g;

for (const file of readdirSync(dist, { recursive: true }).map(String)) {
	if (!/\.d\.m?ts$/.test(file)) continue;
	const path = join(dist, file);
	const text = readFileSync(path, "utf8").replace(relative, '$1"$2.mjs"');
	writeFileSync(path, text.includes("Disposable") ? `/// <reference lib="esnext.disposable" />\n${text}` : text);
	if (file.endsWith(".d.ts")) renameSync(path, path.replace(/\.d\.ts$/, ".d.mts"));
}
