// Builds the lab once for all tests in a browser, into a temporary folder, from the sources as they stand.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
	interface ProvidedContext {
		/** The folder with the built page. */
		labFolder: string;
	}
}

/** vitest's global setup: returns what clears up. */
export async function setup(project: TestProject): Promise<() => void> {
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-lab-"));
	await build({
		configFile: fileURLToPath(new URL("../../vite.config.ts", import.meta.url)),
		logLevel: "warn",
		build: { outDir: folder },
	});
	project.provide("labFolder", folder);
	return () => rmSync(folder, { recursive: true, force: true });
}
