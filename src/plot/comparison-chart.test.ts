import { describe, expect, test } from "vitest";
import { type ComparisonChartData, comparisonChart, comparisonMark } from "./comparison-chart.ts";

const data: ComparisonChartData = {
	title: "Accuracy & more",
	xLabel: "rate",
	x: { labels: ["0.1", "1", "<10>"] },
	connected: true,
	kind: "fraction",
	series: [
		{ name: "a", points: [0.2, 0.5, 0.9].map((mean, at) => ({ at, mean, spread: 0.3, values: [mean] })) },
		{
			name: "b",
			points: [
				{ at: 1, mean: Number.NaN, spread: 0 },
				{ at: 2, mean: 0.4, spread: 0 },
			],
		},
	],
};
const ticks = (svg: string): string[] => [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, text]) => text);

describe("a chart along places", () => {
	const svg = comparisonChart(data);

	test("has the labels, escaped, and says each mean with its spread", () => {
		expect(svg).toContain("<title>Accuracy &amp; more</title>");
		expect(svg).toContain(">&lt;10&gt;</text>");
		expect(svg).toContain("<title>a, rate 1: 50.0% ± 30.0%</title>");
		expect(svg).not.toMatch(/NaN|undefined|Infinity/);
	});

	test("bars are cut where no run goes: a fraction stays between 0 and 1", () => {
		expect(ticks(svg)).toEqual(["0%", "20%", "40%", "60%", "80%", "100%"]);
		const below = {
			...data,
			kind: "number" as const,
			series: [{ name: "", points: [{ at: 0, mean: -1, spread: 0.5 }] }],
		};
		expect(ticks(comparisonChart(below)).at(0)).toBe("-1.6");
	});

	test("points that are missing leave a gap, and a single one is a mark without a line", () => {
		expect(svg.match(/class="mark"/g)).toHaveLength(4);
		expect(svg.match(/class="line"/g)).toHaveLength(1);
	});

	test("values without an order are not joined", () => {
		expect(comparisonChart({ ...data, connected: false })).not.toContain('class="line"');
	});

	test("on narrow paper labels that would run into each other are left out", () => {
		const labels = Array.from({ length: 9 }, (_, i) => `value ${i}`);
		const shown = (width: number) => comparisonChart({ ...data, x: { labels } }, width).match(/>value \d</g);
		expect(shown(900)).toHaveLength(9);
		expect(shown(340)).toHaveLength(5);
	});
});

test("over epochs: a line within its band", () => {
	const points = [1, 2, 3].map((at) => ({ at, mean: 2 / at, spread: 0.1 }));
	const svg = comparisonChart({ ...data, kind: "number", x: { epochs: 3 }, series: [{ name: "", points }] });
	expect(svg).toContain('class="band"');
	expect(svg).toContain("<title>rate 2: 1 ± 0.1</title>");
	expect(svg).not.toContain('class="bar"');
});

test("six series are told apart by their marks, not by color alone", () => {
	const marks = Array.from({ length: 7 }, (_, i) => comparisonMark(i));
	expect(new Set(marks).size).toBe(6);
	expect(marks[6]).toBe(marks[0]);
});
