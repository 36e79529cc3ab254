import { describe, expect, test } from "vitest";
import { resultOf, resultsOf } from "../../test/support/compare-results.ts";
import { parseClaim } from "./claim.ts";
import { judge, verdictOf } from "./verdict.ts";

const claimOf = (changes: Record<string, unknown> = {}) =>
	parseClaim(
		{
			...{ id: "x", says: "Batch norm is better.", metric: "testAccuracy", expect: "higher" },
			...{ a: { norm: "batch" }, b: { norm: "none" } },
			...changes,
		},
		"claim",
	);

const verdict = (claim: ReturnType<typeof claimOf>, a: number[], b: number[]) =>
	judge(claim, [...resultsOf({ norm: "batch" }, a), ...resultsOf({ norm: "none" }, b)], 0.85).verdict;

describe("a direction", () => {
	test.each([
		["higher", [0.9, 0.91, 0.92], [0.8, 0.81, 0.82], "shown"],
		["higher", [0.8, 0.81, 0.82], [0.9, 0.91, 0.92], "the opposite is shown"],
		["higher", [0.7, 0.8, 0.9], [0.75, 0.8, 0.84], "not shown"],
		["lower", [0.8, 0.81, 0.82], [0.9, 0.91, 0.92], "shown"],
		["lower", [0.9, 0.91, 0.92], [0.8, 0.81, 0.82], "the opposite is shown"],
		// The means are far apart, and the spread covers it.
		["higher", [0.2, 0.9, 0.9], [0.1, 0.5, 0.6], "not shown"],
	])("%s: %j against %j is %s", (expected, a, b, answer) => {
		expect(verdict(claimOf({ expect: expected }), a, b)).toBe(answer);
	});

	test("one seed shows nothing, however far apart", () => {
		const claim = claimOf();
		const judged = judge(claim, [...resultsOf({ norm: "batch" }, [0.9]), ...resultsOf({ norm: "none" }, [0.1])], 0.85);
		expect(judged.verdict).toBe("not shown");
		expect(judged.evidence).toBe(
			"test accuracy: 90.0% ± 0.0 against 10.0% ± 0.0, +80.0 points (no interval from one seed: run more)",
		);
	});

	test("a margin must be passed by the whole interval", () => {
		const difference = { effect: 0.02, low: 0.01, high: 0.03 };
		expect(verdictOf({ expect: "higher", margin: 0.005 }, difference)).toBe("shown");
		expect(verdictOf({ expect: "higher", margin: 0.015 }, difference)).toBe("not shown");
		expect(verdictOf({ expect: "lower", margin: 0.005 }, difference)).toBe("the opposite is shown");
	});
});

test.each([
	[-0.004, 0.006, "shown"],
	[-0.02, 0.006, "not shown"],
	[0.011, 0.02, "the opposite is shown"],
	[-0.02, -0.011, "the opposite is shown"],
	[-Infinity, Infinity, "not shown"],
])("the same within 0.01: an interval from %f to %f is %s", (low, high, answer) => {
	expect(verdictOf({ expect: "same", margin: 0.01 }, { effect: (low + high) / 2, low, high })).toBe(answer);
});

describe("reductions over an option", () => {
	const sweep = (norm: string, byRate: Record<number, number[]>) =>
		Object.entries(byRate).flatMap(([lr, accuracies]) => resultsOf({ norm, lr: Number(lr) }, accuracies));
	const results = [
		...sweep("batch", { 0.1: [0.8, 0.81], 1: [0.9, 0.91], 10: [0.7, 0.72] }),
		...sweep("none", { 0.1: [0.8, 0.82], 1: [0.6, 0.1], 10: [0.1, 0.1] }),
	];
	const judged = (changes: Record<string, unknown>) => judge(claimOf({ over: "lr", ...changes }), results, 0.85);

	test("best: each side at the value that is best on average", () => {
		const { a, b } = judged({ reduce: "best" });
		expect([a.mean, b.mean]).toEqual([expect.closeTo(0.905, 10), expect.closeTo(0.81, 10)]);
	});

	test("best of a figure that is better when lower", () => {
		expect(judged({ reduce: "best", metric: "testLoss" }).a.mean).toBeCloseTo(1 - 0.905 / 2, 10);
	});

	test("range: how much it matters, seed by seed", () => {
		const { a, b, verdict: answer } = judged({ reduce: "range", expect: "lower" });
		expect([a.mean, b.mean]).toEqual([expect.closeTo((0.2 + 0.19) / 2, 10), expect.closeTo((0.7 + 0.72) / 2, 10)]);
		expect(answer).toBe("shown");
	});

	test("change: from one value to another", () => {
		expect(judged({ reduce: "change", from: 1, to: 10 }).a.mean).toBeCloseTo((0.7 + 0.72 - 0.9 - 0.91) / 2, 10);
	});

	test("largest: the largest value that works, a decade below the smallest if none does", () => {
		const { a, b, evidence } = judged({ reduce: "largest", threshold: 0.65 });
		expect([a.mean, b.mean]).toEqual([1, -1]);
		expect(evidence).toBe(
			"largest learning rate with a test accuracy of 65.0% or more: 10 against 0.1, a factor of 100 (the same for each of 2 seeds)",
		);
		expect(judged({ reduce: "largest", threshold: 0.95 }).a.mean).toBe(-2);
	});

	test("works: the share of values that do", () => {
		const { a, b } = judged({ reduce: "works", threshold: 0.75 });
		expect([a.mean, b.mean]).toEqual([expect.closeTo(2 / 3, 10), expect.closeTo(1 / 3, 10)]);
	});
});

test("a run that broke off counts as guessing; one without the figure does not count", () => {
	const broken = resultOf({ norm: "batch", seed: 0 }, 0.9, { problem: "the loss is NaN", epochs: [] });
	const fine = resultOf({ norm: "batch", seed: 1 }, 0.9);
	expect(judge(claimOf(), [broken, fine, ...resultsOf({ norm: "none" }, [0.5, 0.5])], 0.85).a.mean).toBeCloseTo(0.5);
	const measured = judge(claimOf({ metric: "covariateShift" }), [fine, ...resultsOf({ norm: "none" }, [0.5])], 0.85);
	expect(measured).toMatchObject({ verdict: "not shown", evidence: "there are no runs to tell" });
});

describe("what a claim must be", () => {
	test.each([
		[{ metric: "speed" }, "claim.metric: expected one of testAccuracy, bestTestAccuracy"],
		[{ expect: "better" }, 'claim.expect: expected one of higher, lower, same, got "better"'],
		[{ expect: "same" }, "claim.margin: with expect: same, give the largest difference that counts as none"],
		[{ reduce: "best" }, "claim.over: expected a text, got nothing"],
		[{ reduce: "works", over: "lr" }, "claim.threshold: it is missing; reduce: works needs it"],
		[{ a: { norm: "bath" } }, "claim.a.norm: expected one of batch, none"],
		[{ who: "me" }, 'claim: there is no key "who"; there are id, says, source'],
	])("%j", (changes, message) => {
		expect(() => claimOf(changes)).toThrow(message);
	});
});
