// `npm test`: every check there is, in order, up to the first that fails. The last line counts the tests.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const reports = mkdtempSync(join(tmpdir(), "evenkeel-test-"));
const bins = {
	tsc: "typescript/bin/tsc",
	biome: "@biomejs/biome/bin/biome",
	depcruise: "dependency-cruiser/bin/dependency-cruise.mjs",
	vitest: "vitest/vitest.mjs",
};

const steps = [
	{ name: "kernels", run: () => node("scripts/build-kernels.mjs") },
	{
		name: "types, lint and one-way imports",
		run: () =>
			together(
				[bin("tsc"), "-p", "."],
				[bin("tsc"), "-p", "lab"],
				[bin("biome"), "check", "--error-on-warnings", "."],
				[bin("depcruise"), "--config", ".dependency-cruiser.cjs", "src"],
			),
	},
	{ name: "unit and conformance tests", run: () => tests("unit") },
	{ name: "build", run: () => node("scripts/build.mjs") },
	{ name: "end-to-end and packaging tests", run: () => tests("built") },
	{ name: "several processes over MPI", run: () => tests("mpi") },
	{ name: "browser tests", run: () => tests("browser") },
	{ name: "the lab in a browser", run: () => tests("lab") },
];

let passed = 0;
let failed = 0;
let skipped = 0;
for (const step of steps) {
	process.stdout.write(`\n== ${step.name}\n`);
	const started = performance.now();
	const ok = await step.run();
	process.stdout.write(
		`== ${step.name}: ${ok ? "ok" : "FAILED"}, ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
	);
	if (ok) continue;
	// A step that fails without a failed test (types, lint, a crash) counts as one.
	if (failed === 0) failed = 1;
	break;
}
rmSync(reports, { recursive: true, force: true });
if (skipped > 0) process.stdout.write(`\n${skipped} tests were skipped: see above\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

/** @param {keyof typeof bins} name */
function bin(name) {
	return join("node_modules", bins[name]);
}

/** Runs a Node script; true if it succeeds. @param {string[]} args */
function node(...args) {
	return spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

/** Runs Node scripts at the same time and prints what each has to say, one after the other. @param {string[][]} scripts */
async function together(...scripts) {
	const runs = scripts.map((args) => {
		const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
		let output = "";
		for (const stream of [child.stdout, child.stderr])
			stream.setEncoding("utf8").on("data", (text) => (output += text));
		return new Promise((resolve) => {
			child.on("close", (code) => {
				process.stdout.write(output);
				resolve(code === 0);
			});
		});
	});
	return !(await Promise.all(runs)).includes(false);
}

/** Runs a vitest project and adds up its tests. @param {string} project */
function tests(project) {
	const report = join(reports, `${project}.json`);
	const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
	const ok = node(bin("vitest"), "run", "--project", project, ...reporters);
	try {
		const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
		passed += numPassedTests;
		failed += numFailedTests;
		skipped += numPendingTests;
	} catch {
		return false;
	}
	return ok;
}
