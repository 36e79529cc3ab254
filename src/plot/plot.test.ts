import { describe, expect, test } from "vitest";
import { linearScale, tickFormat, wholeScale } from "./scale.ts";
import { type PlotPoint, trainingPlot } from "./training-plot.ts";

const run: PlotPoint[] = [0.9, 0.5, 0.4, 0.3].map((loss, i) => ({
	epoch: i + 1,
	loss,
	trainAccuracy: 0.7 + 0.05 * i,
	testAccuracy: 0.7 + 0.04 * i,
}));

/** The numbers in every coordinate of the picture. */
function coordinates(svg: string): number[] {
	const attributes = [...svg.matchAll(/ (?:x|y|x1|x2|y1|y2|cx|cy|d|width|height)="([^"]*)"/g)].map(
		([, value]) => value,
	);
	return attributes.flatMap((value) =>
		value
			.split(/[ML ]/)
			.filter((part) => part !== "")
			.map(Number),
	);
}

function endLabels(svg: string): { text: string; y: number }[] {
	const found = svg.matchAll(/<text class="end[^"]*" x="[^"]*" y="([^"]*)">(.*?)<\/text>/g);
	return [...found].map(([, y, text]) => ({ y: Number(y), text: text.replace(/<[^>]*>/g, "") }));
}

describe("trainingPlot", () => {
	const histories: Record<string, PlotPoint[]> = {
		"nothing yet": [],
		"one epoch": run.slice(0, 1),
		"a few epochs": run,
		"a resumed run": run.map((point) => ({ ...point, epoch: point.epoch + 40 })),
		"all figures missing": [{ epoch: 1, loss: Number.NaN, trainAccuracy: null }, { epoch: 2 }],
		"a loss that explodes": [
			...run,
			{ epoch: 5, loss: 1e30, trainAccuracy: 0.1 },
			{ epoch: 6, loss: Number.POSITIVE_INFINITY },
		],
		constant: run.map(({ epoch }) => ({ epoch, loss: 0, trainAccuracy: 0, testAccuracy: 1 })),
		"a thousand epochs": Array.from({ length: 1000 }, (_, i) => ({
			epoch: i + 1,
			loss: 2 / (i + 1),
			trainAccuracy: i / 1000,
		})),
	};

	test.each(Object.entries(histories))("%s: everything lies on the paper", (_, history) => {
		const svg = trainingPlot(history);
		const [, width, height] = svg.match(/viewBox="0 0 (\d+) (\d+)"/) ?? [];
		for (const value of coordinates(svg)) {
			expect(Number.isFinite(value)).toBe(true);
			expect(value).toBeGreaterThanOrEqual(0);
			expect(value).toBeLessThanOrEqual(Math.max(Number(width), Number(height)));
		}
		expect(svg).not.toMatch(/NaN|undefined|Infinity|null/);
		const open = [...svg.matchAll(/<(svg|g|text|tspan|title|desc|style)\b/g)].length;
		expect([...svg.matchAll(/<\/(svg|g|text|tspan|title|desc|style)>/g)]).toHaveLength(open);
	});

	test("the lines end in their names and last values", () => {
		expect(endLabels(trainingPlot(run)).map(({ text }) => text)).toEqual(["0.300", "train 85.0%", "test 82.0%"]);
		const both = run.map((point) => ({ ...point, testLoss: 0.35 }));
		expect(
			endLabels(trainingPlot(both))
				.map(({ text }) => text)
				.slice(0, 2),
		).toEqual(["test 0.350", "train 0.300"]);
	});

	test("labels of lines that end together are pushed apart", () => {
		const [, train, tests] = endLabels(
			trainingPlot(histories.constant.map((point) => ({ ...point, testAccuracy: 0 }))),
		);
		expect(Math.abs(train.y - tests.y)).toBeGreaterThanOrEqual(16.9);
	});

	test("a missing value breaks the line, and a lone one is a dot", () => {
		const losses = [0.9, 0.8, Number.NaN, 0.6, null, 0.4, 0.3];
		const svg = trainingPlot(losses.map((loss, i) => ({ epoch: i + 1, loss })));
		expect(svg.match(/<path class="line/g)).toHaveLength(2);
		expect(svg.match(/<circle/g)).toHaveLength(2);
		expect(svg).not.toContain("Accuracy");
	});

	test("says in words what it shows, and escapes them", () => {
		const svg = trainingPlot(run, { title: "a < b & c", subtitle: "SGD" });
		expect(svg).toContain("<title>a &lt; b &amp; c</title>");
		expect(svg).toContain(
			"<desc>SGD. Loss from 0.900 at epoch 1 to 0.300 at epoch 4. Train accuracy from 70.0% at epoch 1 to 85.0% at epoch 4. " +
				"Test accuracy from 70.0% at epoch 1 to 82.0% at epoch 4.</desc>",
		);
	});

	test("stands alone, in light and in dark", () => {
		const svg = trainingPlot(run);
		expect(svg).toContain("prefers-color-scheme: dark");
		expect(svg.match(/https?:[^"]*/g)).toEqual(["http://www.w3.org/2000/svg"]);
		expect(svg).not.toMatch(/<script|@import|url\(|href/);
		// Inline in a page it must style nothing but itself.
		for (const rule of svg.slice(svg.indexOf("<style>\n") + 8, svg.indexOf("\n</style>")).split("\n")) {
			expect(rule).toMatch(/^(@media [^{]*\{ )?\.evenkeel-plot /);
		}
	});
});

describe("scales", () => {
	test.each([
		[
			[0, 0.9],
			[0, 0.2, 0.4, 0.6, 0.8, 1],
		],
		[
			[0.58, 0.9],
			[0.5, 0.6, 0.7, 0.8, 0.9],
		],
		[
			[0, 2.3],
			[0, 0.5, 1, 1.5, 2, 2.5],
		],
		[
			[7, 7],
			[6, 6.5, 7, 7.5, 8],
		],
		[[], [0, 0.2, 0.4, 0.6, 0.8, 1]],
	])("%j has the ticks %j", (values, ticks) => {
		const scale = linearScale(values, 100, 0, { count: 4 });
		expect(scale.ticks).toEqual(ticks);
		expect(scale.at(scale.low)).toBe(100);
		expect(scale.at(scale.high)).toBe(0);
	});

	test.each([
		[1, 10, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
		[1, 1000, [1, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]],
		[1, 23, [1, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23]],
		[41, 44, [41, 42, 43, 44]],
		[3, 3, [3]],
	])("epochs %i to %i", (first, last, expected) => {
		expect(wholeScale(first, last, 0, 500, 10).ticks).toEqual(expected);
	});

	test("ticks are written alike", () => {
		expect([0, 0.5, 1].map(tickFormat([0, 0.5, 1]))).toEqual(["0.0", "0.5", "1.0"]);
		expect([0, 2e6].map(tickFormat([0, 2e6]))).toEqual(["0", "2e6"]);
	});
});
