// `npm test`: every check there is, in order, up to the first that fails. The last line counts the tests.

import { spawn } from "node:child_process";
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
		name: "types, lint and one-way imports, and the build",
		run: () =>
			together(
				() => node(bin("tsc"), "-p", "."),
				() => node(bin("tsc"), "-p", "lab"),
				() => node(bin("biome"), "check", "--error-on-warnings", "."),
				() => node(bin("depcruise"), "--config", ".dependency-cruiser.cjs", "src"),
				() => node("scripts/build.mjs"),
			),
	},
	{ name: "unit and conformance tests", run: () => tests("unit") },
	{
		// Both wait a good deal, for pages and for processes.
		name: "end-to-end, packaging and MPI tests, and beside them those in a browser, the lab's first",
		run: () =>
			together(
				() => inOrder("built", "mpi"),
				() => inOrder("lab", "browser"),
			),
	},
];

/** Whether what runs now has others beside it, and so says what it has to say at its end. */
let beside = false;
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

/** Runs a Node script; true if it succeeds. @param {string[]} args @returns {Promise<boolean>} */
function node(...args) {
	const output = beside ? "pipe" : "inherit";
	const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", output, output] });
	let said = "";
	for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => (said += text));
	return new Promise((resolve) => {
		child.on("close", (code) => {
			process.stdout.write(said);
			resolve(code === 0);
		});
	});
}

/** Runs all at the same time; true if all succeed. @param {(() => Promise<boolean>)[]} runs */
async function together(...runs) {
	beside = true;
	const results = await Promise.all(runs.map((run) => run()));
	beside = false;
	return !results.includes(false);
}

/** Runs vitest projects one after the other, up to the first that fails. @param {string[]} projects */
async function inOrder(...projects) {
	for (const project of projects) if (!(await tests(project))) return false;
	return true;
}

/** Runs a vitest project and adds up its tests. @param {string} project */
async function tests(project) {
	const report = join(reports, `${project}.json`);
	const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
	const started = performance.now();
	const ok = await node(bin("vitest"), "run", "--project", project, ...reporters);
	if (beside) process.stdout.write(`== ${project}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
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
