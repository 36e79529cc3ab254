// What the benchmarks say about what they measured: the arithmetic behind their tables, and the tables themselves.

import { describe, expect, test } from "vitest";
import { putInPlace } from "../../bench/report.mjs";
import { backwardCost, forwardCost, partsOf } from "../../bench/roofline/cost.mjs";
import { copyRate } from "../../bench/roofline/machine-limits.mjs";
import { median, quantile, spread, summarize } from "../../bench/statistics.mjs";
import { figure, markdownTable, withSpread } from "../../bench/table.mjs";

describe("statistics", () => {
	test("the median and quantiles lie between values by proportion, and leave the values as they are", () => {
		const values = [4, 1, 3, 2];
		expect(median(values)).toBe(2.5);
		expect(quantile(values, 0.25)).toBe(1.75);
		expect(quantile([7], 0.9)).toBe(7);
		expect(values).toEqual([4, 1, 3, 2]);
		expect(() => median([])).toThrow("no values");
	});

	test("the spread is half the distance of the quartiles, as a share of the median", () => {
		expect(spread(summarize([8, 9, 10, 11, 12]))).toBeCloseTo(0.1);
	});
});

describe("tables", () => {
	test("columns are as wide as their widest cell, figures stand to the right", () => {
		expect(
			markdownTable(
				["op", "ms"],
				[
					["conv", "1.25"],
					["a", "10"],
				],
			),
		).toBe("| op   |   ms |\n| ---- | ---: |\n| conv | 1.25 |\n| a    |   10 |");
	});

	test("figures have three significant digits", () => {
		expect([0.01234, 1.5, 12.34, 123.4, 23456, 0].map(figure)).toEqual([
			"0.0123",
			"1.50",
			"12.3",
			"123",
			"23,456",
			"0.00",
		]);
		expect(withSpread(summarize([8, 9, 10, 11, 12]))).toBe("10.0 ±10%");
		expect(withSpread(summarize([8]))).toBe("8.00");
	});

	test("a table goes to its place on a page, again and again", () => {
		const page = "a\n<!-- bench: x -->\nold\n<!-- /bench -->\nb\n<!-- bench: y -->\n<!-- /bench -->\n";
		const once = putInPlace(page, "x", "new");
		expect(once).toBe("a\n<!-- bench: x -->\n\nnew\n<!-- /bench -->\nb\n<!-- bench: y -->\n<!-- /bench -->\n");
		expect(putInPlace(once, "x", "new")).toBe(once);
		expect(() => putInPlace(page, "z", "new")).toThrow('no place for the table "z"');
	});
});

describe("what an op costs at least", () => {
	const conv = [[256, 6, 12, 12], [16, 6, 5, 5], [16], [256, 16, 8, 8]];

	test("a convolution: two operations a multiply-add; backward two products, or one without the input's gradient", () => {
		const flops = 2 * 256 * 16 * 64 * 6 * 25;
		expect(forwardCost("conv", conv).flops).toBe(flops);
		expect(backwardCost("conv", conv, true).flops).toBe(2 * flops);
		expect(backwardCost("conv", conv, false).flops).toBe(flops);
		const [x, w, b, y] = [256 * 6 * 144, 16 * 150, 16, 256 * 16 * 64];
		expect(backwardCost("conv", conv, false).bytes).toBe(4 * (x + y + 2 * w + 2 * b));
	});

	test("a step's parts: backward runs from the end, and the first layer needs no gradient of its input", () => {
		const span = (kind: "forward" | "backward", name: string, shapes?: number[][]) => ({
			...{ kind, name, shapes, inOp: false, ms: 1 },
		});
		const first = [[8, 4], [2, 4], [2], [8, 2]];
		const second = [[8, 2], [3, 2], [3], [8, 3]];
		const parts = partsOf([
			span("forward", "linear", first),
			span("forward", "linear", second),
			span("backward", "linear"),
			span("backward", "linear"),
			{ kind: "kernel", name: "optimizer_sgd", shapes: undefined, inOp: false, ms: 1 },
		]);
		expect(parts.map(({ cost }) => cost?.flops)).toEqual([
			2 * 8 * 2 * 4,
			2 * 8 * 3 * 2,
			4 * 8 * 3 * 2,
			2 * 8 * 2 * 4,
			0,
		]);
		expect(parts[4].cost?.bytes).toBe(3 * 4 * (8 + 2 + 6 + 3));
	});

	test("the speed of copying lies between the sizes measured", () => {
		const limits = {
			flops: 1,
			wideFlops: 1,
			copying: [
				{ bytes: 1, perSecond: 100 },
				{ bytes: 4, perSecond: 50 },
			],
		};
		expect([0.5, 1, 2, 4, 100].map((bytes) => copyRate(limits, bytes))).toEqual([100, 100, 75, 50, 50]);
	});
});
