import { describe, expect, test } from "vitest";
import { Series } from "./series.ts";

function filled(count: number, value: (i: number) => number): Series {
	const series = new Series();
	for (let i = 0; i < count; i++) series.push(value(i));
	return series;
}

describe("a series", () => {
	test("keeps each step while there is room", () => {
		const series = filled(1000, (i) => i);
		expect([series.length, series.stride]).toEqual([1000, 1]);
		expect([series.stepOf(0), series.mean(0), series.stepOf(999), series.mean(999)]).toEqual([1, 0, 1000, 999]);
	});

	test("stays as short however long it gets, and means and extremes stay true", () => {
		const count = 100_003;
		const series = filled(count, (i) => (i === 40_000 ? 5000 : i % 10));
		expect(series.length).toBeLessThanOrEqual(1024);
		expect(series.stride).toBe(128);
		expect(series.stepOf(1)).toBe(128 + 64.5);
		const peak = Math.floor(40_000 / 128);
		expect([series.least(peak), series.most(peak)]).toEqual([0, 5000]);
		expect(series.mean(1)).toBeCloseTo(4.5, 1);
	});

	test("gaps stay gaps", () => {
		const series = filled(3000, (i) => (i < 1500 ? 1 : Number.NaN));
		expect(series.mean(0)).toBe(1);
		expect(series.mean(series.length - 1)).toBeNull();
		expect(series.recent(20)).toBeNull();
	});

	test("the recent mean is over the last steps", () => {
		expect(filled(100, (i) => i).recent(10)).toBe(94.5);
		expect(new Series().recent(10)).toBeNull();
	});
});
