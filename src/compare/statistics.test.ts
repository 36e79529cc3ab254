import { expect, test } from "vitest";
import { sampleOf, tQuantile, welch } from "./statistics.ts";

test("count, mean and standard deviation over n - 1", () => {
	expect(sampleOf([2, 4, 4, 4, 5, 5, 7, 9])).toMatchObject({ count: 8, mean: 5 });
	expect(sampleOf([2, 4, 4, 4, 5, 5, 7, 9]).deviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
	expect(sampleOf([3])).toEqual({ count: 1, mean: 3, deviation: 0 });
	expect(sampleOf([]).mean).toBeNaN();
});

// From the tables of Student's t.
test.each([
	[0.975, 1, 12.7062],
	[0.975, 2, 4.30265],
	[0.975, 5, 2.57058],
	[0.975, 30, 2.04227],
	[0.95, 10, 1.81246],
	[0.995, 3, 5.84091],
])("the quantile %f of t with %i degrees of freedom is %f", (p, freedom, expected) => {
	expect(tQuantile(p, freedom)).toBeCloseTo(expected, 4);
});

test("Welch's interval of a difference, against one computed by hand", () => {
	// Means 10 and 7, variances 1 and 4, three values each: ν = (5/3)² / ((1/3)² / 2 + (4/3)² / 2) = 50 / 17.
	const { effect, low, high } = welch([9, 10, 11], [5, 7, 9]);
	expect(effect).toBe(3);
	const half = tQuantile(0.975, 50 / 17) * Math.sqrt(5 / 3);
	expect([low, high]).toEqual([expect.closeTo(3 - half, 10), expect.closeTo(3 + half, 10)]);
	expect(low).toBeLessThan(0);
});

test("one value says nothing of its spread, and equal values say there is none", () => {
	expect(welch([1], [2, 3])).toEqual({ effect: -1.5, low: -Infinity, high: Infinity });
	expect(welch([2, 2], [1, 1])).toEqual({ effect: 1, low: 1, high: 1 });
});
