import { describe, expect, test } from "vitest";
import { History } from "./history.ts";

describe("history", () => {
	test("keeps every sample while there is room", () => {
		const history = new History(2, 8);
		for (const step of [1, 4, 9]) history.push(step, [step, -step]);
		expect(history.length).toBe(3);
		expect([0, 1, 2].map((i) => [history.stepOf(i), history.value(i, 0), history.value(i, 1)])).toEqual([
			[1, 1, -1],
			[4, 4, -4],
			[9, 9, -9],
		]);
		expect(history.lastStep).toBe(9);
	});

	test("shows at each step the sample before it", () => {
		const history = new History(1, 8);
		expect(history.at(3)).toBe(-1);
		for (const step of [2, 4, 9]) history.push(step, [step]);
		expect([0, 1, 2, 3, 4, 8, 9, 100].map((step) => history.at(step))).toEqual([0, 0, 0, 0, 1, 1, 2, 2]);
	});

	test("leaves out a step that it has", () => {
		const history = new History(1, 8);
		history.push(3, [1]);
		history.push(3, [5]);
		expect(history.length).toBe(1);
		expect(history.value(0, 0)).toBe(1);
	});

	test.each([
		["every step", (i: number) => i + 1],
		["at uneven steps", (i: number) => 7 * i + (i % 5)],
		["ever more slowly", (i: number) => Math.floor(1.0005 ** i * (i + 1))],
	])("ten thousand samples %s fit, evenly spread, as means", (_, stepAt) => {
		const history = new History(1, 64);
		const last = stepAt(9_999);
		for (let i = 0; i < 10_000; i++) history.push(stepAt(i), [3 * stepAt(i)]);
		expect(history.length).toBeLessThanOrEqual(64);
		expect(history.length).toBeGreaterThan(16);
		expect(history.lastStep).toBe(last);
		for (let i = 0; i < history.length; i++) {
			const begin = history.stepOf(i);
			const end = i + 1 < history.length ? history.stepOf(i + 1) : last + 1;
			expect(history.value(i, 0)).toBeGreaterThanOrEqual(3 * begin);
			expect(history.value(i, 0)).toBeLessThan(3 * end);
			expect(end - begin).toBeLessThanOrEqual(last / 16);
		}
	});

	test("what is no number stays none when it is merged", () => {
		const history = new History(2, 4);
		for (let step = 1; step <= 40; step++) history.push(step, [Number.NaN, 1]);
		for (let i = 0; i < history.length; i++) {
			expect(history.value(i, 0)).toBeNaN();
			expect(history.value(i, 1)).toBe(1);
		}
	});
});
