import picocolors from "picocolors";
import { describe, expect, test } from "vitest";
import { recordTerminal } from "../../../test/support/terminal.ts";
import { formatBytes, formatCount, formatDuration, formatMetric, formatPercent, numberFormat } from "./format.ts";
import { epochLine, ProgressDisplay, type ProgressState, progressBar, progressLine } from "./progress.ts";
import { formatTable, visibleWidth } from "./table.ts";

const plain = picocolors.createColors(false);
const colorful = picocolors.createColors(true);

describe("numbers", () => {
	test("counts, shares, sizes", () => {
		expect(formatCount(61706)).toBe("61,706");
		expect([0.9012, 1, null, undefined, Number.NaN].map((v) => formatPercent(v))).toEqual([
			"90.1%",
			"100.0%",
			"-",
			"-",
			"-",
		]);
		expect([512, 26_400, 10_600_000, 999_960].map(formatBytes)).toEqual(["512 B", "26.4 kB", "10.6 MB", "1.0 MB"]);
	});

	test("durations never show sixty of anything", () => {
		expect([0.04, 9.94, 9.96, 59.4, 59.6, 185, 3599.7, 7620, Number.POSITIVE_INFINITY].map(formatDuration)).toEqual([
			"0.0 s",
			"9.9 s",
			"10 s",
			"59 s",
			"1 min 00 s",
			"3 min 05 s",
			"1 h 00 min",
			"2 h 07 min",
			"-",
		]);
	});

	test("metrics", () => {
		expect([0.26812, 0, 2.3e7, 3e-8, Number.NaN, null].map((v) => formatMetric(v))).toEqual([
			"0.2681",
			"0.0000",
			"2.300e+7",
			"3.000e-8",
			"NaN",
			"-",
		]);
	});

	test("a column is written one way, and rounded zeros have no sign", () => {
		const format = numberFormat([1, -1e-9], 3);
		expect([1, -1e-9, -2.5].map(format)).toEqual(["1.000", "0.000", "-2.500"]);
		expect([3e-7, -1e-9].map(numberFormat([3e-7, -1e-9], 2))).toEqual(["3.00e-7", "-1.00e-9"]);
		expect(numberFormat([5e6], 1)(5e6)).toBe("5.0e+6");
	});
});

describe("tables", () => {
	test("align, rule and footer", () => {
		const text = formatTable(
			[
				["conv1", "156"],
				["linear", "30,840"],
			],
			{
				header: ["layer", "parameters"],
				align: ["left", "right"],
				footer: ["", "30,996"],
				indent: 1,
			},
		);
		expect(text).toBe(
			[
				" layer   parameters",
				" ──────  ──────────",
				" conv1          156",
				" linear      30,840",
				" ──────  ──────────",
				"             30,996",
				"",
			].join("\n"),
		);
	});

	test("color takes no room", () => {
		const [first, second] = formatTable([
			[colorful.red("ab"), "1"],
			["abcd", "2"],
		]).split("\n");
		expect(visibleWidth(first)).toBe(visibleWidth(second));
		expect(visibleWidth(colorful.bold("sé"))).toBe(2);
	});
});

describe("progress", () => {
	const state: ProgressState = {
		epoch: 3,
		epochs: 10,
		done: 47,
		total: 100,
		loss: 0.41234,
		accuracy: 0.852,
		examplesPerSecond: 24310,
		secondsLeft: 12,
	};

	test("the line at its full width", () => {
		expect(progressLine(state, 120, plain)).toBe(
			`epoch  3/10 ${"━".repeat(11)}╸${"─".repeat(12)}  47%  loss 0.4123  acc 85.2%  24,310 examples/s  12 s left`,
		);
	});

	test.each([10, 17, 20, 30, 40, 60, 79, 200])("never wider than the %i columns there are", (width) => {
		for (const colors of [plain, colorful]) {
			expect(visibleWidth(progressLine(state, width, colors))).toBeLessThanOrEqual(width);
		}
	});

	test("a narrower one drops figures, the least important first", () => {
		expect(progressLine(state, 58, plain)).toBe(
			`epoch  3/10 ${"━".repeat(8)}${"─".repeat(9)}  47%  loss 0.4123  12 s left`,
		);
	});

	test("the bar", () => {
		expect([0, 0.25, 0.5, 1, 7, Number.NaN].map((f) => progressBar(f, 2, plain))).toEqual([
			"──",
			"╸─",
			"━─",
			"━━",
			"━━",
			"──",
		]);
	});

	test("an empty epoch and missing figures", () => {
		expect(progressLine({ epoch: 1, epochs: 1, done: 0, total: 0, loss: null }, 60, plain)).toBe(
			`epoch 1/1 ${"─".repeat(24)}   0%`,
		);
		expect(epochLine({ epoch: 1, epochs: 20, seconds: 2.51, loss: 0.5, testAccuracy: 0.8 }, plain)).toBe(
			"epoch  1/20  loss 0.5000  test 80.0%   2.5 s",
		);
	});

	test("on a TTY one line is redrawn, ten times a second at most", () => {
		const { terminal, err, out } = recordTerminal({ isTTY: true, columns: 60, env: { NO_COLOR: "1" } });
		let now = 0;
		const display = new ProgressDisplay(terminal, () => now);
		for (now = 0; now < 1000; now += 10) display.update(state);
		expect(err().match(/\r/g)).toHaveLength(10);
		expect(err()).not.toContain("\n");
		display.epochDone({ epoch: 3, epochs: 10, seconds: 1 });
		expect(err().endsWith("\r\u001b[Kepoch  3/10   1.0 s\n")).toBe(true);
		display.clear();
		expect(err().endsWith("\n")).toBe(true);
		expect(out()).toBe("");
	});

	test("elsewhere there is a line an epoch and nothing else", () => {
		const { terminal, err } = recordTerminal();
		const display = new ProgressDisplay(terminal);
		display.update(state);
		display.epochDone({ epoch: 3, epochs: 10, seconds: 1 });
		display.clear();
		expect(err()).toBe("epoch  3/10   1.0 s\n");
	});
});
