import { describe, expect, test } from "vitest";
import { planCell } from "./cell.ts";
import { comparisonNamed, comparisonNames } from "./presets/index.ts";
import { cellsOf, matches, parseSpec, varyingOptions } from "./spec.ts";

const small = { name: "small", base: { preset: "lenet" }, grid: { norm: ["none", "batch"], lr: [0.1, 1] }, seeds: 2 };

test("a grid is every combination, each with every seed, in order", () => {
	const cells = cellsOf(parseSpec(small, "spec"));
	expect(cells).toHaveLength(8);
	expect(cells[0]).toEqual({ preset: "lenet", norm: "none", lr: 0.1, seed: 0 });
	expect(cells.at(-1)).toEqual({ preset: "lenet", norm: "batch", lr: 1, seed: 1 });
	expect(varyingOptions(cells)).toEqual(["norm", "lr"]);
	expect(cellsOf(parseSpec(small, "spec"), 3)).toHaveLength(12);
});

test("several grids are put together, and what two of them have is run once", () => {
	const grid = [{ norm: ["none", "batch"] }, { norm: "batch", momentum: [0.1, 0.9] }, { norm: "none" }];
	const cells = cellsOf(parseSpec({ ...small, grid, seeds: 1 }, "spec"));
	expect(cells.map(({ norm, momentum }) => [norm, momentum])).toEqual([
		["none", undefined],
		["batch", undefined],
		["batch", 0.1],
		["batch", 0.9],
	]);
});

test("defaults", () => {
	expect(parseSpec(small, "spec")).toMatchObject({ title: "small", data: "fashion-mnist", target: 0.85, claims: [] });
});

describe("what is wrong is named, with its key and value", () => {
	test.each([
		[{ name: "a b" }, 'spec.name: expected letters, digits and dashes, got "a b"'],
		[{ grid: undefined }, "spec.grid: it is missing; give options with lists of values"],
		[{ grid: { norm: ["bathc"] } }, "spec.grid.norm: expected one of batch, none, group"],
		[
			{ grid: { "batch-size": [2] } },
			'spec.grid: there is no option "batch-size", did you mean batchSize?; there are preset',
		],
		[{ grid: { lr: [] } }, "spec.grid.lr: expected at least one value, got an empty list"],
		[{ grid: { lr: ["fast"] } }, 'spec.grid.lr: expected a number of at least 0, got "fast"'],
		[{ grid: { lr: [Number.NaN] } }, "spec.grid.lr: expected a number of at least 0, got null"],
		[{ grid: { batchSize: [0.5] } }, "spec.grid.batchSize: expected a whole number of at least 1, got 0.5"],
		[{ grid: { seed: [1, 2] } }, "spec.grid.seed: seeds are not part of a grid; give their number, seeds: 2"],
		[{ base: { dropout: 1 } }, "spec.base.dropout: expected a number of at least 0 and below 1, got 1"],
		[{ base: {} }, "spec.base.preset: it is missing; name a network, such as preset: lenet"],
		[{ seeds: 0 }, "spec.seeds: expected a whole number from 1 to 1000, got 0"],
		[{ target: 85 }, "spec.target: expected a number from 0 to 1, got 85"],
		[{ measure: ["time"] }, 'spec.measure[0]: expected one of dynamics, got "time"'],
		[{ charts: [{ x: "epoch", y: "gap" }] }, "spec.charts[0].y: expected one of testAccuracy, trainAccuracy"],
		[{ charts: [{ x: "lrs" }] }, 'spec.charts[0].x: expected an option or epoch, got "lrs"'],
		[{ extra: 1 }, 'spec: there is no key "extra"; there are name, title'],
		[{ grid: { seed: 3 } }, "spec.grid.seed: seeds are not part of a grid"],
		[
			{ seeds: 1000, grid: { lr: Array.from({ length: 11 }, (_, i) => i) } },
			"spec.grid: it makes 11000 runs, and 10000",
		],
	])("%j", (changes, message) => {
		expect(() => parseSpec({ ...small, ...changes }, "spec")).toThrow(message);
	});

	test("a claim whose runs are not in the grid", () => {
		const claim = { id: "x", says: "…", metric: "loss", a: { norm: "group" }, b: { norm: "none" }, expect: "lower" };
		expect(() => parseSpec({ ...small, claims: [claim] }, "spec")).toThrow(
			'spec.claims[0].a: no run has {"norm":"group"}; name values that the grid has',
		);
	});

	test("no object at all", () => {
		expect(() => parseSpec([1], "spec")).toThrow("spec: expected keys and values, got [1]");
	});
});

test("a learning rate for one batch size is scaled to others", () => {
	const plan = (batchSize: number) => planCell({ preset: "lenet", lr: 0.4, lrBatch: 256, batchSize, seed: 0 });
	expect([plan(256).lr, plan(64).lr, plan(2).lr]).toEqual([0.4, 0.1, 0.003125]);
	expect(planCell({ preset: "lenet", seed: 0 })).toMatchObject({ epochs: 10, batchSize: 256, lr: 1 });
});

describe.each(comparisonNames)("the comparison %s", (name) => {
	const spec = comparisonNamed(name);

	test("is called as it is listed, with claims and charts", () => {
		expect(spec.name).toBe(name);
		expect(spec.seeds).toBeGreaterThanOrEqual(3);
		expect(spec.claims.length).toBeGreaterThan(0);
		expect(spec.charts.length).toBeGreaterThan(0);
	});

	test("its claims compare runs that differ, and have names of their own", () => {
		const cells = cellsOf(spec);
		for (const { a, b } of spec.claims) {
			const both = cells.filter((cell) => matches(cell, a) && matches(cell, b));
			expect(both).toEqual([]);
		}
		const ids = spec.claims.map(({ id }) => id);
		expect(new Set(ids).size).toBe(ids.length);
	});
});

test("no claim's name is used twice", () => {
	const ids = comparisonNames.flatMap((name) => comparisonNamed(name).claims.map(({ id }) => id));
	expect(new Set(ids).size).toBe(ids.length);
});
