/// <reference types="vite/client" />
// Every op against PyTorch on every backend. Nothing is registered by hand: a folder under src/ops
// that has a cases.json and a conformance.ts is tested; one that has only one of the two fails, and
// so does an op.ts that exports a function without a case.

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

const opModules = import.meta.glob<Record<string, unknown>>("../../src/ops/*/**/op.ts", { eager: true });

/** What op.ts files export besides ops that have a counterpart in PyTorch, and why it has no cases here. */
const withoutCases: Record<string, string> = {
	countCorrect: "counts right answers: no function of PyTorch's, no gradient",
	dropout: "random: the mask is the generator's own",
	lastAxes: "arithmetic on shapes",
	sgdStep: "changes parameters in place: src/optim has its vectors",
	adamStep: "changes parameters in place: src/optim has its vectors",
	gradientNorm: "reads gradients of parameters: src/optim has its vectors",
	scaleGradients: "changes gradients in place: src/optim has its vectors",
};

const backends: Record<string, () => Promise<Backend>> = {
	reference: async () => referenceBackend,
	"wasm, relaxed simd, two threads": async () => {
		const backend = await WasmBackend.load({ build: "relaxed" });
		await backend.setThreads(2);
		return backend;
	},
	"wasm, wide": () => WasmBackend.load({ build: "wide" }),
	// What runs where the other does not: older engines, pages that are not cross-origin isolated.
	"wasm, plain simd, unshared memory": () => WasmBackend.load({ build: "simd", shared: false }),
};

const folderOf = (path: string) => path.slice("../../src/ops/".length, path.lastIndexOf("/"));
const cases = new Map<string, CaseFile>(
	Object.entries(caseTexts).map(([path, text]) => [folderOf(path), JSON.parse(text)]),
);
const runners = new Map(Object.entries(runnerModules).map(([path, module]) => [folderOf(path), module.runners]));
const exported = Object.entries(opModules).flatMap(([path, module]) =>
	Object.keys(module)
		.filter((name) => typeof module[name] === "function")
		.map((name) => ({ name, folder: folderOf(path) })),
);
const folders = [...new Set([...cases.keys(), ...runners.keys()])].sort();

test("there is something to test", () => {
	expect(folders.length).toBeGreaterThan(0);
});

test("every op that is exported has cases, or stands in the list of those that cannot", () => {
	const untested = exported.filter(({ name, folder }) => !(name in (runners.get(folder) ?? {})));
	expect(untested.map(({ name }) => name).sort()).toEqual(Object.keys(withoutCases).sort());
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

	const smooth = file.cases.filter(({ skipGradcheck, grads }) => grads && !skipGradcheck);
	// An op without gradients has nothing to compare, and vitest refuses an empty suite.
	if (smooth.length === 0) return;
	describe("finite differences", () => {
		beforeAll(() => setCurrentBackend(referenceBackend));
		for (const testCase of smooth) {
			test(`${testCase.op}: ${testCase.name}`, () => {
				gradcheckCase(testCase, run[testCase.op]);
			});
		}
	});
});
