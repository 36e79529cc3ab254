import { describe, expect, test } from "vitest";
import { resultOf, resultsOf } from "../../test/support/compare-results.ts";
import { figureOf, formatDifference, formatValue } from "./metrics.ts";
import { hasDiverged } from "./result.ts";
import { resultsCsv, resultsJsonl, tableTexts, tabulate } from "./table.ts";

const results = [
	...resultsOf({ norm: "none", lr: 1 }, [0.5, 0.7]),
	...resultsOf({ norm: "batch", lr: 1 }, [0.9, 0.92]),
	resultOf({ norm: "batch", lr: 3, seed: 0 }, 0.9),
	resultOf({ norm: "batch", lr: 3, seed: 1 }, 0.9, {
		problem: "the loss is NaN",
		epochs: [],
		cleanTrainAccuracy: null,
	}),
];

test("a row a combination: mean, deviation, best, share that diverged, epochs to the target", () => {
	const { header, rows } = tableTexts(tabulate(results, 0.85));
	expect(header).toEqual(["norm", "lr", "runs", "test accuracy", "±", "best", "diverged", "epochs to 85%"]);
	expect(rows).toEqual([
		["none", "1", "2", "60.0%", "14.1%", "70.0%", "0%", "never"],
		["batch", "1", "2", "91.0%", "1.4%", "92.0%", "0%", "2.0"],
		["batch", "3", "2", "50.0%", "56.6%", "90.0%", "50%", "≥2.5"],
	]);
});

test("CSV: options, figures and weights of every run, exact, and quoted where need be", () => {
	const [header, ...lines] = resultsCsv(results, 0.85).trim().split("\n");
	expect(header).toMatch(/^preset,norm,lr,seed,testAccuracy,bestTestAccuracy,.*,weights$/);
	expect(lines).toHaveLength(6);
	expect(lines[0]).toMatch(/^lenet,none,1,0,0\.5,0\.5,/);
	const odd = resultsCsv([resultOf({ activation: 'a,"b"' }, 0.5)], 0.85);
	expect(odd).toContain('lenet,"a,""b""",0,');
});

test("JSON lines hold everything", () => {
	const lines = resultsJsonl(results).trim().split("\n");
	expect(lines.map((line) => JSON.parse(line))).toEqual(results);
});

describe("figures of a run", () => {
	test("a run that broke off counts as guessing", () => {
		const broken = results[5];
		expect(figureOf("testAccuracy", broken, 0.85)).toBe(0.1);
		expect(figureOf("loss", broken, 0.85)).toBeCloseTo(Math.log(10));
		expect(figureOf("diverged", broken, 0.85)).toBe(1);
		expect(figureOf("epochsTo", broken, 0.85)).toBe(3);
		expect(figureOf("gap", broken, 0.85)).toBeNull();
	});

	test("the gap, the best epoch, the wandering", () => {
		const epoch = (number: number, testAccuracy: number) => ({
			...{ epoch: number, loss: 1, trainAccuracy: 0.9, testLoss: 1, testAccuracy },
		});
		const run = resultOf({}, 0, { epochs: [epoch(1, 0.8), epoch(2, 0.6), epoch(3, 0.7)], cleanTrainAccuracy: 0.95 });
		expect(figureOf("gap", run, 0.85)).toBeCloseTo(0.25);
		expect(figureOf("bestTestAccuracy", run, 0.85)).toBe(0.8);
		expect(figureOf("wander", run, 0.85)).toBeCloseTo(0.15);
	});

	test("stalled is not diverged: a loss of guessing, and one that is 10% above it", () => {
		const ending = (loss: number | null) =>
			resultOf({}, 0.1, { epochs: [{ epoch: 1, loss, trainAccuracy: 0.1, testLoss: 1, testAccuracy: 0.1 }] });
		expect([2.31, 2.5, 2.54, null].map((loss) => hasDiverged(ending(loss)))).toEqual([false, false, true, true]);
	});
});

test("how figures and differences are written", () => {
	expect(formatValue("testAccuracy", 0.8768)).toBe("87.7%");
	expect(formatValue("loss", 1.2345)).toBe("1.234");
	expect(formatValue("smoothness", 0.00001)).toBe("1.0e-5");
	expect(formatValue("gap", null)).toBe("-");
	expect(formatDifference("testAccuracy", -0.012)).toBe("−1.2 points");
	expect(formatDifference("epochsTo", 3)).toBe("+3.0");
});
