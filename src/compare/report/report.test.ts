import { describe, expect, test } from "vitest";
import { resultsOf } from "../../../test/support/compare-results.ts";
import { claimsPage } from "../docs.ts";
import { parseSpec } from "../spec.ts";
import { tabulate } from "../table.ts";
import { judge } from "../verdict.ts";
import { chartOf } from "./charts.ts";
import { compareReport } from "./report.ts";

const claim = (id: string, says: string, expected: string) => ({
	...{ id, says, source: "text <1>", metric: "testAccuracy", expect: expected },
	...{ a: { norm: "batch" }, b: { norm: "none" } },
});
const spec = parseSpec(
	{
		name: "small",
		title: 'Norms & "rates" <script>alert(1)</script>',
		description: "One | two.",
		base: { preset: "lenet" },
		grid: { norm: ["none", "batch"], lr: [0.1, 1] },
		seeds: 2,
		charts: [{ x: "lr" }, { x: "epoch", y: "loss" }, { x: "norm" }, { x: "lr", y: "covariateShift" }],
		claims: [claim("a", "Better <b>by far</b>.", "higher"), claim("b", "Worse | so.", "lower")],
	},
	"spec",
);
const results = [
	...[0.1, 1].flatMap((lr) => resultsOf({ norm: "none", lr }, [0.5, 0.52])),
	...[0.1, 1].flatMap((lr) => resultsOf({ norm: "batch", lr }, [0.9, 0.91])),
];
const data = { trainExamples: 60_000, testExamples: 10_000, sources: ["the <cache>"], hash: "0" };
const html = compareReport({
	...{ spec, seeds: 2, data, results, table: tabulate(results, spec.target) },
	judgements: spec.claims.map((entry) => judge(entry, results, spec.target)),
	command: "evenkeel compare small",
});

describe("the report", () => {
	test("is one file: no scripts, no links, nothing to fetch", () => {
		expect(html).toMatch(/^<!doctype html>/);
		expect(html).not.toMatch(/<script|<link|<img|@import|url\(|\bsrc=|\bhref=/i);
		expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:/);
	});

	test("escapes every name", () => {
		expect(html).toContain("Norms &amp; &quot;rates&quot; &lt;script&gt;alert(1)&lt;/script&gt;");
		expect(html).toContain("Better &lt;b&gt;by far&lt;/b&gt;.");
		for (const raw of ["<script>", "<b>", "<cache>", "text <1>"]) expect(html).not.toContain(raw);
	});

	test("is light and dark, and has charts for narrow pages", () => {
		expect(html).toContain("prefers-color-scheme: dark");
		expect(html.match(/<div class="narrow"><svg[^>]* width="340"/g)).toHaveLength(3);
	});

	test("says the verdicts with their evidence", () => {
		expect(html).toMatch(/class="claim yes"><p class="verdict">shown/);
		expect(html).toMatch(/class="claim no"><p class="verdict">the opposite is shown/);
		expect(html).toContain("Test accuracy: 90.5% ± 0.7 against 51.0% ± 1.4, +39.5 points (95% interval");
	});

	test("every number of its pictures is finite", () => {
		expect(html).not.toMatch(/NaN|Infinity|undefined/);
	});
});

describe("charts", () => {
	test("along an option: means with their spread and runs, one series a value of the others", () => {
		const chart = chartOf(spec.charts[0], results, spec.target);
		expect(chart?.data).toMatchObject({ x: { labels: ["0.1", "1"] }, connected: true, kind: "fraction" });
		expect(chart?.data.series.map(({ name }) => name)).toEqual(["no norm", "batch norm"]);
		const { values, ...point } = chart?.data.series[1].points[0] ?? {};
		expect(point).toEqual({ at: 0, mean: expect.closeTo(0.905), spread: expect.closeTo(0.00707, 4) });
		expect(values).toEqual([0.9, 0.91]);
	});

	test("over epochs, and along an option whose values have no order", () => {
		expect(chartOf(spec.charts[1], results, spec.target)?.data).toMatchObject({ x: { epochs: 2 }, kind: "number" });
		expect(chartOf(spec.charts[2], results, spec.target)?.data.connected).toBe(false);
	});

	test("of what was not measured there is none", () => {
		expect(chartOf(spec.charts[3], results, spec.target)).toBeNull();
	});
});

describe("the page of claims", () => {
	const page = claimsPage([
		{ spec, seeds: 2, outcome: { data, results } },
		{ spec: { ...spec, name: "other" }, seeds: 2, outcome: null },
	]);

	test("says what it was made from, and what has not been run", () => {
		expect(page).toContain("Made from 8 runs on 60,000 training and 10,000 test images: the comparisons `small`.");
		expect(page).toContain("Not run to their end yet, and therefore without an answer: `other`.");
		expect(page).toContain("evenkeel compare small    # 8 runs");
	});

	test("has each claim's sentence, figure and verdict, and its own signs escaped", () => {
		expect(page).toContain("### Shown: 1 of 2\n\n- Better \\<b\\>by far\\</b\\>.");
		expect(page).toMatch(
			/\| Worse \\\| so\. \(text \\<1\\>\) \| Test accuracy: 90\.5% ± 0\.7 against .* \| \*\*the opposite is shown\*\* \|/,
		);
		expect(page).toContain("| Worse \\| so. (text \\<1\\>) | not run | |");
	});
});
