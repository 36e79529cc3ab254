// Every example runs, on a few hundred images.

import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const examples = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".mjs"));

test.each(examples)("%s", async (file) => {
	const { stdout } = await promisify(execFile)(process.execPath, [join("examples", file), "500", "1"], { cwd: root });
	expect(stdout).not.toContain("NaN");
	if (/^\d/.test(file)) {
		// The examples of the algorithm itself take no images.
		expect(stdout).toMatch(/mean/);
		return;
	}
	expect(stdout).toMatch(/epoch 1: loss \d\.\d{3}, train accuracy 0\.\d{3}, test accuracy 0\.\d{3}/);
});
