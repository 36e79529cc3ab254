import { expect, test } from "vitest";
import { format, nextValue } from "./number-steps.ts";

const wide = { least: 0, most: 1e6 };

test("decades: 1, 2, 5, 10, up and down, and from values between", () => {
	const up = [0.001];
	for (let i = 0; i < 6; i++) up.push(nextValue(up[i], 1, "decades", wide));
	expect(up).toEqual([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]);
	expect(nextValue(0.1, -1, "decades", wide)).toBe(0.05);
	expect(nextValue(0.3, 1, "decades", wide)).toBe(0.5);
	expect(nextValue(0.3, -1, "decades", wide)).toBe(0.2);
});

test("doubling, and even distances that do not gather errors", () => {
	expect(nextValue(256, 1, "doubling", wide)).toBe(512);
	expect(nextValue(300, -1, "doubling", wide)).toBe(256);
	let value = 0;
	for (let i = 0; i < 9; i++) value = nextValue(value, 1, 0.1, wide);
	expect(value).toBe(0.9);
	expect(nextValue(0.35, -1, 0.1, wide)).toBe(0.3);
});

test("stays within the range", () => {
	expect(nextValue(0.9, 1, 0.1, { least: 0, most: 0.9 })).toBe(0.9);
	expect(nextValue(1, -1, "doubling", { least: 1, most: 64 })).toBe(1);
	expect(nextValue(0, 1, "decades", wide)).toBe(1);
	expect(format(0.1 + 0.2)).toBe("0.3");
});
