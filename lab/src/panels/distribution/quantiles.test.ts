import { expect, test } from "vitest";
import { levels, quantiles } from "./quantiles.ts";

test("of 0 to 10,000 in any order, each quantile is its level's", () => {
	const values = Float32Array.from({ length: 10_001 }, (_, i) => (i * 3571) % 10_001);
	const found = quantiles(values);
	for (const [i, level] of levels.entries()) expect(Math.abs(found[i] / 10_000 - level)).toBeLessThan(0.01);
	expect([found[0], found[8]]).toEqual([0, 10_000]);
});

test("of few values, between neighbors", () => {
	expect([...quantiles([3, 1])].slice(4, 5)).toEqual([2]);
	expect([...quantiles([5])]).toEqual(levels.map(() => 5));
	expect(quantiles([])[4]).toBeNaN();
});
