// The rule that imports point one way (.dependency-cruiser.cjs), shown to fire: a small src/ in which most imports
// break it, cruised with the rule of this repository.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What is wrong in a project of `files`: `importing file -> imported file: rule`. */
function violations(files: Record<string, string>): string[] {
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-imports-"));
	try {
		const all = { "package.json": '{ "type": "module", "dependencies": {} }', "tsconfig.json": "{}", ...files };
		for (const [file, text] of Object.entries(all)) {
			mkdirSync(dirname(join(folder, file)), { recursive: true });
			writeFileSync(join(folder, file), text);
		}
		const bin = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
		const config = join(root, ".dependency-cruiser.cjs");
		const { stdout, stderr } = spawnSync(process.execPath, [bin, "--config", config, "--output-type", "json", "src"], {
			cwd: folder,
			encoding: "utf8",
		});
		expect(stderr).not.toMatch(/error/i);
		const { summary }: { summary: { violations: { from: string; to: string; rule: { name: string } }[] } } =
			JSON.parse(stdout);
		return summary.violations.map(({ from, to, rule }) => `${from} -> ${to}: ${rule.name}`).sort();
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/** Each breaks the rule that is named third, unless it imports a type. */
const forbidden = [
	["src/tensor/tensor.ts", "src/ops/op.ts", "one-way: tensor"],
	["src/autograd/tape.ts", "src/ops/op.ts", "one-way: autograd/tape"],
	["src/ops/conv/op.ts", "src/autograd/backward.ts", "one-way: ops"],
	["src/nn/linear.ts", "src/index.ts", "one-way: nn"],
	["src/data/idx.ts", "src/model-files/npy.ts", "one-way: data"],
	["src/model-files/safetensors.ts", "src/nn/module.ts", "one-way: model-files"],
	["src/train/trainer.ts", "src/cli/main.ts", "one-way: train"],
] as const;

/** `from` importing `name` of `to`, as a source text. */
function importing(from: string, to: string, clause: string): string {
	return `import ${clause} from "${"../".repeat(from.split("/").length - 1)}${to}";\n`;
}

const value = "export const x = 1;\nexport type X = number;\n";
const targets = Object.fromEntries(forbidden.map(([, to]) => [to, value]));

test("an import that points up or sideways is refused", () => {
	const importers = forbidden.map(([from, to]) => [from, `${importing(from, to, "{ x }")}export const y = x;\n`]);
	const found = violations({ ...targets, ...Object.fromEntries(importers) });
	expect(found).toEqual(forbidden.map(([from, to, rule]) => `${from} -> ${to}: ${rule}`).sort());
});

test("an import that points down, or is of a type only, is not", () => {
	const importers = forbidden.map(([from, to]) => [
		from,
		`${importing(from, to, "type { X }")}export const y: X = 1;\n`,
	]);
	const found = violations({
		...targets,
		...Object.fromEntries(importers),
		"src/errors.ts": value,
		"src/backend/backend.ts": 'export { x } from "../errors.ts";\n',
		"src/ops/linear/op.ts": 'export { x } from "../../autograd/tape.ts";\n',
		"src/autograd/gradcheck.ts": 'export { x } from "../ops/op.ts";\n',
		"src/cli/train.ts":
			'import { readFileSync } from "node:fs";\nexport { x } from "../index.ts";\nreadFileSync("x");\n',
	});
	expect(found).toEqual([]);
});

test("cycles, files without a layer, and Node's modules in the library are refused", () => {
	const found = violations({
		"src/errors.ts": value,
		"src/nn/a.ts": 'import { b } from "./b.ts";\nexport const a = b;\n',
		"src/nn/b.ts": 'import { a } from "./a.ts";\nexport const b = a;\n',
		"src/misc/c.ts": 'export { x } from "../errors.ts";\n',
		"src/data/d.ts": 'import "node:fs";\n',
	});
	expect(found).toEqual([
		"src/data/d.ts -> fs: runs in browsers",
		"src/misc/c.ts -> src/errors.ts: every file has a layer",
		"src/nn/a.ts -> src/nn/b.ts: no cycles",
	]);
});
