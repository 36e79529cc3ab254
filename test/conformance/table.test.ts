/// <reference types="vite/client" />
// Measures every norm on every backend, and holds docs/conformance.md to it. With EVENKEEL_WRITE_DOCS=1 (as
// `npm run docs:conformance` sets it) the page is written instead.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Backend, setCurrentBackend } from "../../src/backend/backend.ts";
import { referenceBackend } from "../../src/backend/reference/reference-backend.ts";
import { WasmBackend } from "../../src/backend/wasm/wasm-backend.ts";
import { type CaseFile, measureCase, type Runner } from "./runner.ts";
import { bound, columns, groupOf, limits, parsePage, type Row, renderPage, widen } from "./table.ts";

const page = join(import.meta.dirname, "../../docs/conformance.md");

const caseTexts = import.meta.glob<string>("../../src/ops/norm/*/cases.json", {
	eager: true,
	query: "?raw",
	import: "default",
});
const runnerModules = import.meta.glob<{ runners: Record<string, Runner> }>("../../src/ops/norm/*/conformance.ts", {
	eager: true,
});

const formula = (source: string) => `the paper's formula in float64 (${source}); PyTorch has no such function`;
const sources: Readonly<Record<string, string>> = {
	"batch-norm": "`torch.nn.functional.batch_norm` in float64; masks and virtual batches with its formula",
	"sync-batch-norm": "`torch.nn.functional.batch_norm` in float64 on the examples of all ranks",
	"layer-norm": "`torch.nn.functional.layer_norm` in float64",
	"group-norm": "`torch.nn.functional.group_norm` in float64",
	"instance-norm": "`torch.nn.functional.instance_norm` in float64",
	"rms-norm": formula("Zhang and Sennrich 2019; PyTorch 1.13, which made the cases"),
	"switchable-norm": formula("Luo et al. 2018"),
	"batch-renorm": formula("Ioffe 2017"),
	"filter-response-norm": formula("Singh and Krishnan 2019"),
	"weight-standardization": `${formula("Qiao et al. 2019")}; what is normalized is the weight itself`,
};

const backends: Record<string, () => Promise<Backend>> = {
	reference: async () => referenceBackend,
	"wasm, relaxed simd": () => WasmBackend.load({ build: "relaxed" }),
	"wasm, simd": () => WasmBackend.load({ build: "simd", shared: false }),
};

async function measureAll(): Promise<Row[]> {
	const rows = new Map<string, Row>();
	for (const [backend, load] of Object.entries(backends)) {
		setCurrentBackend(await load());
		for (const [path, text] of Object.entries(caseTexts)) {
			const { runners } = runnerModules[path.replace("cases.json", "conformance.ts")];
			const file: CaseFile = JSON.parse(text);
			for (const testCase of file.cases) {
				const norm = dirname(path).split("/").at(-1) ?? "";
				const group = groupOf(testCase.name);
				const key = `${norm}|${group}|${backend}`;
				const row = rows.get(key) ?? { norm, group, cases: 0, backend, errors: columns.map(() => null) };
				rows.set(key, row);
				widen(row, measureCase(testCase, runners[testCase.op]));
			}
		}
	}
	const order = Object.keys(sources);
	return [...rows.values()].sort(
		(a, b) => order.indexOf(a.norm) - order.indexOf(b.norm) || a.group.localeCompare(b.group),
	);
}

describe("docs/conformance.md", () => {
	let measured: Row[];
	let committed: Row[];
	beforeAll(async () => {
		measured = await measureAll();
		if (process.env.EVENKEEL_WRITE_DOCS === "1") {
			mkdirSync(dirname(page), { recursive: true });
			writeFileSync(page, renderPage(measured, sources));
		}
		committed = existsSync(page) ? parsePage(readFileSync(page, "utf8")) : [];
	});

	test("has every norm, every group of cases, every backend, and the number of cases", () => {
		const outline = (rows: Row[]) =>
			rows.map(({ norm, group, backend, cases }) => `${norm}: ${group} (${cases}) ${backend}`);
		expect(outline(committed)).toEqual(outline(measured));
		expect([...new Set(measured.map(({ norm }) => norm))]).toEqual(Object.keys(sources));
	});

	test("claims no less error than there is", () => {
		const tooGood = measured.flatMap((row, i) =>
			row.errors.flatMap((error, column) => {
				const claimed = committed[i]?.errors[column] ?? null;
				if (error === null || (claimed !== null && error <= claimed)) return [];
				return [`${row.norm}: ${row.group} on ${row.backend}, ${columns[column]}: ${error}, claimed ${claimed}`];
			}),
		);
		expect(tooGood, "run npm run docs:conformance and look at what has changed").toEqual([]);
	});

	test("claims nothing beyond the limits", () => {
		for (const { norm, group, backend, errors } of committed) {
			errors.forEach((error, column) => {
				expect(error ?? 0, `${norm}: ${group} on ${backend}, ${columns[column]}`).toBeLessThanOrEqual(limits[column]);
				if (backend === "reference") expect(error ?? 0).toBeLessThanOrEqual(1e-9);
			});
		}
	});
});

test("bounds are rounded up", () => {
	const errors = [0, 3e-17, 1e-7, 1.1e-7, 4.2e-6, 5.1e-6];
	expect(errors.map((error) => bound(error, "reference"))).toEqual(["1e-12", "1e-12", "1e-7", "2e-7", "5e-6", "1e-5"]);
	expect(errors.map((error) => bound(error, "wasm"))).toEqual(["2e-7", "2e-7", "2e-7", "2e-7", "5e-6", "1e-5"]);
});

test("a case's group is its name without shapes and counts", () => {
	expect(groupOf("training [5, 3]")).toBe("training");
	expect(groupOf("[3, 2, 9]")).toBe("shapes");
	expect(groupOf("2 groups of [4, 6]")).toBe("groups");
	expect(groupOf("channels at axis -1 of [3, 4, 5], training True")).toBe("channels at another axis, training");
});
