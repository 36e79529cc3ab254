import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coarser, distributionOf } from "./distribution.ts";

describe("distributionOf", () => {
	test("range, median, mean, and a bar for each part of the range", () => {
		const { histogram, ...range } = distributionOf([4, 1, 2, 8, 1]);
		expect(range).toEqual({ count: 5, notFinite: 0, min: 1, median: 2, mean: expect.closeTo(3.2), max: 8 });
		expect(histogram).toEqual({ from: 1, to: 8, counts: [2, 1, 0, 1, 0, 0, 0, 1] });
		expect(distributionOf([1, 2, 3, 4]).median).toBe(2.5);
	});

	test("numbers that are all alike are one bar, none are no bar", () => {
		expect(distributionOf([3, 3]).histogram).toEqual({ from: 3, to: 3, counts: [2] });
		expect(distributionOf([])).toMatchObject({ count: 0, min: null, max: null, histogram: { counts: [] } });
	});

	test("no zero has a sign", () => {
		expect(distributionOf([-0])).toMatchObject({ min: 0, median: 0, mean: 0, max: 0, histogram: { from: 0, to: 0 } });
	});

	test("NaN and infinity are counted and left out", () => {
		const values = [Number.NaN, 1, Number.POSITIVE_INFINITY, 3];
		expect(distributionOf(values)).toMatchObject({ count: 4, notFinite: 2, min: 1, max: 3, mean: 2 });
		expect(distributionOf([Number.NaN])).toMatchObject({ count: 1, notFinite: 1, median: null });
	});

	test("every number has a bar, however many, large and close they are", () => {
		fc.assert(
			fc.property(
				fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 900 }),
				(values) => {
					const { min, max, mean, histogram } = distributionOf(values);
					expect(histogram.counts.reduce((a, b) => a + b, 0)).toBe(values.length);
					expect(histogram.counts.length).toBeLessThanOrEqual(24);
					expect([min, max]).toEqual([Math.min(...values), Math.max(...values)].map((v) => v + 0));
					expect(Number.isFinite(mean)).toBe(true);
					for (const bars of [12, 5, 1]) {
						const { counts } = coarser(histogram, bars);
						expect(counts.length).toBeLessThanOrEqual(bars);
						expect(counts.reduce((a, b) => a + b, 0)).toBe(values.length);
					}
				},
			),
			{ numRuns: 300 },
		);
	});
});
