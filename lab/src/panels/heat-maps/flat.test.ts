import { expect, test } from "vitest";
import { flatShare } from "./flat.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

test("sigmoid and tanh: the share of outputs", () => {
	// 4 s (1 - s) falls under 1/20 at |x| = 4.36, 1 - tanh² at |x| = 2.18.
	const x = [-9, -4.4, -4.3, 0, 4.3, 4.4];
	expect(flatShare("Sigmoid", x, x.map(sigmoid), 2)).toBe(3 / 6);
	const z = [-2.2, -2.1, 0, 2.1, 2.2, 5];
	expect(flatShare("Tanh", z, z.map(Math.tanh), 3)).toBe(3 / 6);
});

test.each(["ReLU", "LeakyReLU"])("%s: the share of units that no example wakes", (type) => {
	const x = [-1, 2, -3, 0, -1, -1, -5, -7];
	expect(
		flatShare(
			type,
			x,
			x.map((value) => Math.max(0, value)),
			2,
		),
	).toBe(3 / 4);
});

test("GELU and SiLU are flat far below zero only", () => {
	expect(flatShare("GELU", [-4, 3, -0.1, 1], [-4, 3, -0.1, 1], 1)).toBe(1 / 4);
	expect(flatShare("SiLU", [-9, 9, -4, 0], [0, 9, 0, 0], 1)).toBe(1 / 4);
});

test("of what is no activation: no number", () => {
	expect(flatShare("Linear", [1], [1], 1)).toBeNaN();
});
