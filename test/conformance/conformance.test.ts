/// <reference types="vite/client" />
// Every op against PyTorch on every backend. Nothing is registered by hand: a folder under src/ops
// that has a cases.json and a conformance.ts is tested; one that has only one of the two fails.

import { beforeAll, describe, expect, test } from "vitest";
import { type Backend, setCurrentBackend } from "../../src/backend/backend.ts";
import { referenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { WasmBackend } from "../../src/backend/wasm/wasm-backend.ts";
import { type CaseFile, gradcheckCase, type Runner, runCase } from "./runner.ts";

const caseTexts = import.meta.glob<string>("../../src/ops/**/cases.json", {
	eager: true,
	query: "?raw",
	import: "default",
});
const runnerModules = import.meta.glob<{ runners: Record<string, Runner> }>("../../src/ops/**/conformance.ts", {
	eager: true,
});

const backends: Record<string, () => Promise<Backend>> = {
	reference: async () => referenceBackend,
	"wasm, relaxed simd, two threads": async () => {
		const backend = await WasmBackend.load();
		await backend.setThreads(2);
		return backend;
	},
	// What runs where the other does not: older engines, pages that are not cross-origin isolated.
	"wasm, plain simd, unshared memory": () => WasmBackend.load({ relaxed: false, shared: false }),
};

const folderOf = (path: string) => path.slice("../../src/ops/".length, path.lastIndexOf("/"));
const cases = new Map<string, CaseFile>(
	Object.entries(caseTexts).map(([path, text]) => [folderOf(path), JSON.parse(text)]),
);
const runners = new Map(Object.entries(runnerModules).map(([path, module]) => [folderOf(path), module.runners]));
const folders = [...new Set([...cases.keys(), ...runners.keys()])].sort();

test("there is something to test", () => {
	expect(folders.length).toBeGreaterThan(0);
});

describe.each(folders)("%s", (folder) => {
	const file = cases.get(folder);
	const run = runners.get(folder);

	test("has cases, a runner for each op in them, and no runner without a case", () => {
		expect(file, `src/ops/${folder}/cases.json`).toBeDefined();
		expect(run, `src/ops/${folder}/conformance.ts`).toBeDefined();
		const ops = new Set(file?.cases.map(({ op }) => op));
		expect([...ops].sort()).toEqual(Object.keys(run ?? {}).sort());
	});
	if (!file || !run) return;

	describe.each(Object.keys(backends))("%s", (name) => {
		let backend: Backend;
		beforeAll(async () => {
			backend = await backends[name]();
			setCurrentBackend(backend);
		});
		for (const testCase of file.cases) {
			test(`${testCase.op}: ${testCase.name}`, () => {
				runCase(testCase, run[testCase.op], backend);
			});
		}
	});

	describe("finite differences", () => {
		beforeAll(() => setCurrentBackend(referenceBackend));
		for (const testCase of file.cases) {
			if (testCase.skipGradcheck || !testCase.grads) continue;
			test(`${testCase.op}: ${testCase.name}`, () => {
				gradcheckCase(testCase, run[testCase.op]);
			});
		}
	});
});
