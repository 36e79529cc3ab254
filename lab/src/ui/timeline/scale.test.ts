import { describe, expect, test } from "vitest";
import { evenScale, fitScale, logScale, place, roundStep, ticks } from "./scale.ts";

describe("scales", () => {
	test("places", () => {
		expect(place({ least: -2, most: 2, log: false }, 1)).toBe(0.75);
		expect(place({ least: 1e-4, most: 1, log: true }, 1e-2)).toBeCloseTo(0.5, 12);
		expect(place({ least: 1e-4, most: 1, log: true }, 0)).toBe(0);
		expect(place({ least: 0, most: 1, log: false }, Number.NaN)).toBeNaN();
	});

	test("ticks are round and within", () => {
		expect(ticks({ least: 0, most: 1, log: false }, 4).map((tick) => Math.round(100 * tick))).toEqual([0, 50, 100]);
		expect(ticks({ least: 0, most: 730, log: false }, 4)).toEqual([0, 200, 400, 600]);
		expect(ticks({ least: 1e-6, most: 1, log: true }, 3).map(Math.log10)).toEqual([-6, -4, -2, 0]);
	});

	test("round steps", () => {
		expect([0.9, 1, 1.1, 2.5, 7, 70].map(roundStep)).toEqual([1, 1, 2, 5, 10, 100]);
	});

	test("a logarithmic scale takes whole powers of ten, and no more than asked", () => {
		expect(logScale([0, 0.002, 0.3, Number.NaN], 6)).toEqual({ least: 0.001, most: 1, log: true });
		expect(logScale([1e-30, 0.3], 6)).toEqual({ least: 1e-6, most: 1, log: true });
		expect(logScale([0], 6)).toEqual({ least: 0.1, most: 1, log: true });
		expect(logScale([1], 6)).toEqual({ least: 0.1, most: 1, log: true });
	});

	test("an even scale leaves out rare outliers", () => {
		expect(evenScale([...Array.from({ length: 99 }, () => -0.4), 1000])).toEqual({
			least: -0.5,
			most: 0.5,
			log: false,
		});
		expect(evenScale([])).toEqual({ least: -1, most: 1, log: false });
	});

	test("a fitted scale spans a hundredth of its values at least, with a single one in the middle", () => {
		const { least, most } = fitScale([2.3]);
		expect(most - least).toBeGreaterThan(0.02);
		expect(most - least).toBeLessThan(0.04);
		expect(place({ least, most, log: false }, 2.3)).toBeCloseTo(0.5, 1);
		const near = fitScale([1, 1.000001]);
		expect(near.most - near.least).toBeGreaterThan(0.009);
		expect(fitScale([0, 0])).toEqual({ least: 0, most: 1, log: false });
	});

	test("a fitted scale holds all values, even of one size", () => {
		for (const values of [[1, 1], [0], [-3, 8], [1e-8, 2e-8], [5000, 5001], [-4, -4], [1e-320]]) {
			const { least, most } = fitScale(values);
			expect(least).toBeLessThan(most);
			for (const value of values) {
				expect(value).toBeGreaterThanOrEqual(least);
				expect(value).toBeLessThanOrEqual(most);
			}
		}
	});
});
