// What `evenkeel` and `evenkeel/nn` stand for in the lab: the sources, so that what is shown is what is in this tree.

import { fileURLToPath } from "node:url";

const source = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** Aliases for Vite and vitest. */
export const labAlias = [
	{ find: /^evenkeel$/, replacement: source("index.ts") },
	{ find: /^evenkeel\/([a-z-]+)$/, replacement: source("$1/index.ts") },
];
