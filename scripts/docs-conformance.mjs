// Writes docs/conformance.md: runs the test that measures it, and lets it write what it finds.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "unit", "test/conformance/table.test.ts"];
const env = { ...process.env, EVENKEEL_WRITE_DOCS: "1" };
for (const args of [["scripts/build-kernels.mjs"], vitest]) {
	const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env });
	if (status !== 0) process.exit(status ?? 1);
}
