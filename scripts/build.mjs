// Builds dist/: the kernels, the modules, the lab, their types. `--if-needed` does nothing, and says nothing,
// when dist/ is newer than every source.

import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** What the last step writes. */
const last = "dist/index.d.mts";

const ifNeeded = process.argv.includes("--if-needed");
if (ifNeeded && isFresh()) process.exit(0);
step("scripts/build-kernels.mjs");
step("node_modules/tsdown/dist/run.mjs");
step("scripts/build-lab.mjs");
step("scripts/build-types.mjs");

/** Runs a Node script of the build; its failure is ours. @param {string} script */
function step(script) {
	// stdout belongs to whatever runs after the build. When quiet, only a failure is shown.
	const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script)], {
		cwd: root,
		encoding: "utf8",
		stdio: ["ignore", ifNeeded ? "pipe" : 2, ifNeeded ? "pipe" : 2],
	});
	if (status === 0) return;
	process.stderr.write(`${stdout ?? ""}${stderr ?? ""}`);
	process.exit(status ?? 1);
}

function isFresh() {
	const sources = ["package.json", "tsconfig.json", "tsconfig.build.json", "tsdown.config.ts", "lab/vite.config.ts"];
	sources.push("lab/index.html");
	for (const folder of ["src", "scripts", "lab/src"]) {
		for (const file of readdirSync(join(root, folder), { recursive: true }).map(String)) {
			if (/\.(tsx?|mjs|css)$/.test(file) && !file.endsWith(".test.ts")) sources.push(join(folder, file));
		}
	}
	try {
		const built = statSync(join(root, last)).mtimeMs;
		return sources.every((file) => statSync(join(root, file)).mtimeMs <= built);
	} catch {
		return false;
	}
}
