import { describe, expect, test } from "vitest";
import { explainBatchNorm } from "../../../../src/ops/norm/batch-norm/explain.ts";
import { type Expression, indexAt, inputsOf, keyOf, type Place, placeOf, placesOfChannel } from "./expression.ts";
import { editableValue, formatValue, nudge, parseValue } from "./format.ts";
import { changes, compute, type Name, sliceOf, table, withNumber } from "./quantities.ts";
import { spell } from "./spell.ts";
import { expressionOf, stages } from "./stages.ts";
import { stageStrings } from "./strings.ts";

type Values = ReturnType<typeof compute>;

/** What a formula gives, by the numbers of the steps before. */
function evaluate(expression: Expression, place: Place, values: Values): number {
	const of = (part: Expression, at = place): number => evaluate(part, at, values);
	switch (expression.type) {
		case "ref":
			return values[expression.name][indexAt(expression.name, place, values.c)];
		case "number":
			return expression.value;
		case "add":
			return of(expression.left) + of(expression.right);
		case "subtract":
			return of(expression.left) - of(expression.right);
		case "multiply":
			return of(expression.left) * of(expression.right);
		case "divide":
			return of(expression.left) / of(expression.right);
		case "negate":
			return -of(expression.of);
		case "root":
			return Math.sqrt(of(expression.of));
		case "square":
			return of(expression.of) ** 2;
		case "sum":
			return placesOfChannel(place, values).reduce((total, at) => total + of(expression.of, at), 0);
	}
}

const small = sliceOf(table, 5, 2);

describe("the formulas", () => {
	const values = compute(table);
	const computed = stages.flatMap(({ assignments }) => assignments);

	test.each(computed)("$name: the formula that is shown gives the number that is shown", ({ name, expression }) => {
		for (const [index, value] of values[name].entries()) {
			expect(evaluate(expression, placeOf({ name, index }, values.c), values)).toBeCloseTo(value, 12);
		}
	});

	test("every stage of explainBatchNorm is walked, once", () => {
		const all = explainBatchNorm([[1], [2]], null, null, { dy: [[1], [0]] });
		const running: Name[] = ["newRunningMean", "newRunningVar"];
		expect(computed.map(({ name }) => name).sort()).toEqual([...Object.keys(all), ...running].sort());
	});

	test("every step has a title and a reason in both languages", () => {
		expect(Object.keys(stageStrings).sort()).toEqual(stages.map(({ id }) => id).sort());
	});
});

test("what the last steps on the way back say of sums is so", () => {
	// Channels apart from each other by far: ε plays no part.
	const values = compute({ ...table, eps: 1e-12 });
	const { n, c, dx, dx1, dxmu2, xhat, dmu, dbeta, gamma, ivar } = values;
	const column = (numbers: readonly number[], channel: number): number[] =>
		Array.from({ length: n }, (_, row) => numbers[row * c + channel]);
	const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
	for (let channel = 0; channel < c; channel++) {
		const left = -gamma[channel] * ivar[channel] * dbeta[channel];
		expect(Math.abs(left)).toBeGreaterThan(1e-3);
		expect(dmu[channel]).toBeCloseTo(left, 9);
		expect(sum(column(dx1, channel))).toBeCloseTo(-left, 9);
		expect(sum(column(dxmu2, channel))).toBeCloseTo(0, 9);
		expect(sum(column(dx, channel))).toBeCloseTo(0, 9);
		const normalized = column(xhat, channel);
		expect(sum(column(dx, channel).map((value, row) => value * normalized[row]))).toBeCloseTo(0, 9);
	}
	const { dx1: both, dx: last } = stageStrings;
	for (const language of ["en", "zh"] as const) {
		expect(both.why[language]).toContain("−γ·r·Σ∂y");
		expect(last.why[language]).toContain("ε");
	}
});

test("a mean is made of its channel, a deviation of two numbers", () => {
	const values = compute(small);
	const inputs = (name: Name, index: number): string[] => {
		const expression = expressionOf(name);
		return expression ? inputsOf(expression, placeOf({ name, index }, values.c), values).map(keyOf) : [];
	};
	expect(inputs("mu", 1)).toEqual(["x:1", "x:3", "x:5", "x:7", "x:9", "m:0"]);
	expect(inputs("xmu", 4)).toEqual(["x:4", "mu:0"]);
	expect(inputs("dgamma", 0)).toHaveLength(10);
});

test("arithmetic is written out with the numbers", () => {
	const values = compute(small);
	const line = (name: Name, index: number): string => {
		const expression = expressionOf(name);
		return expression ? spell({ name, index }, expression, values) : "";
	};
	expect(line("mu", 0)).toBe("μ = (1 + 2 + 4 + 5 + 3) / 5 = 3");
	expect(line("xmu", 0)).toBe("u = 1 − 3 = −2");
	expect(line("sq", 0)).toBe("q = (−2)² = 4");
});

test("a changed x changes its channel, and no other", () => {
	const before = compute(small);
	const changed = changes(before, compute(withNumber(small, "x", 0, 9)));
	expect(changed.has("x:0")).toBe(true);
	expect(changed.has("mu:0")).toBe(true);
	expect(changed.has("out:8")).toBe(true);
	expect(changed.has("mu:1")).toBe(false);
	expect(changed.has("out:9")).toBe(false);
	expect(changes(before, before).size).toBe(0);
});

test("beta reaches the output, and nothing on the way back", () => {
	const names = [...changes(compute(small), compute(withNumber(small, "beta", 1, 5)))].map((key) => key.split(":")[0]);
	expect(new Set(names)).toEqual(new Set(["beta", "out"]));
});

test("the running averages take the unbiased variance", () => {
	const { newRunningMean, newRunningVar } = compute({ ...small, x: [1, 0, 3, 0, 5, 0, 7, 0, 9, 1], momentum: 0.5 });
	expect(newRunningMean[0]).toBe(2.5);
	expect(newRunningVar[0]).toBeCloseTo(0.5 + 0.5 * 10, 12);
});

test("a slice takes its channels from where it is told", () => {
	const { x, gamma, n, c } = sliceOf(table, 2, 2, 1);
	expect([n, c, ...x, ...gamma]).toEqual([2, 2, 10, 0.5, 30, -0.5, 2, 0.5]);
	expect(sliceOf(table, 8, 2, 99).gamma).toEqual([2, 0.5]);
});

describe("numbers", () => {
	test.each([
		[0, "0"],
		[-0.00001234, "−1.23×10⁻⁵"],
		[1 / 3, "0.3333"],
		[-12345.6, "−12350"],
		[1e7, "1×10⁷"],
	])("%d is written %s", (value, text) => expect(formatValue(value)).toBe(text));

	test.each([
		["1.5", 1.5],
		["−2", -2],
		["0,5", 0.5],
		["1e-5", 1e-5],
		[".5", 0.5],
		["", null],
		["-", null],
		["1e999", null],
		["two", null],
	])("%j is read as %j", (text, value) => expect(parseValue(text)).toBe(value));

	test("what a field shows can be typed back", () => {
		for (const value of [1e-5, 1234567, -0.25]) expect(parseValue(editableValue(value))).toBeCloseTo(value, -3);
		expect(nudge(2.5, 1)).toBe(2.6);
		expect(nudge(1e-5, -1)).toBe(9e-6);
		expect(nudge(0, 1)).toBe(0.1);
	});
});
