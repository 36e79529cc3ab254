// Five projects. `unit` runs on src/ as it stands: unit tests beside the code, and the conformance cases.
// `built` and `browser` run on dist/, so `npm run build` comes first; `npm test` sees to that. `mpi` runs several
// processes, on src/ and dist/. `lab` runs the web lab in a browser, on a build of its own.

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { labAlias } from "./lab/alias.ts";

const built = ["test/end-to-end/**/*.test.ts", "test/packaging/**/*.test.ts"];
const browser = ["test/browser/**/*.test.ts"];
const mpi = ["test/mpi/**/*.test.ts"];
const lab = ["lab/**/*.browser.test.ts"];
/** With LAB_SCREENSHOTS set, `lab` takes pictures for the documentation instead: see lab/test/pictures.ts. */
const labRuns = process.env.LAB_SCREENSHOTS ? ["lab/test/pictures.ts"] : lab;

const shared = { pool: "forks", testTimeout: 60_000, hookTimeout: 60_000 } as const;
/**
 * Flags for V8, such as `--no-liftoff --no-wasm-lazy-compilation`: kernels are then compiled in full before they first run, as
 * they otherwise are after many runs only.
 */
const execArgv = process.env.EVENKEEL_TEST_FLAGS?.split(" ") ?? [];
/** These start processes of their own, each with threads: one file at a time. */
const oneByOne = { ...shared, fileParallelism: false, testTimeout: 240_000, hookTimeout: 240_000 } as const;

export default defineConfig({
	test: {
		projects: [
			{
				// The lab takes evenkeel from its sources, as its own build does.
				resolve: { alias: labAlias },
				test: {
					...shared,
					// On two cores as well: most of these tests are one thread's work.
					maxWorkers: Math.max(2, availableParallelism() - 1),
					execArgv,
					name: "unit",
					include: ["src/**/*.test.ts", "test/**/*.test.ts", "lab/src/**/*.test.ts"],
					exclude: [...built, ...browser, ...mpi, ...lab],
				},
			},
			{ test: { ...oneByOne, name: "built", include: built } },
			{ test: { ...oneByOne, name: "browser", include: browser } },
			{ test: { ...oneByOne, name: "mpi", include: mpi } },
			{
				test: {
					...oneByOne,
					// Two pages at a time: each waits a good deal, for its own worker and for what it draws.
					fileParallelism: true,
					maxWorkers: 2,
					name: "lab",
					include: labRuns,
					globalSetup: "lab/test/support/build.ts",
					// What a page is to show may take it a while on a busy machine.
					expect: { poll: { timeout: 30_000 } },
				},
			},
		],
	},
});
