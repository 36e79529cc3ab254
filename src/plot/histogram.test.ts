import { describe, expect, test } from "vitest";
import { escapeHtml } from "./escape.ts";
import { histogramSvg } from "./histogram.ts";

/** The numbers of an attribute, element by element. */
function numbers(svg: string, element: string, attribute: string): number[] {
	return [...svg.matchAll(new RegExp(`<${element} [^>]*?\\b${attribute}="([^"]*)"`, "g"))].map(([, value]) =>
		Number(value),
	);
}

describe("histogramSvg", () => {
	test("a bar for each part that holds something, the tallest as high as there is room", () => {
		const svg = histogramSvg({ from: 0, to: 4, counts: [1, 0, 4, 400] }, { label: "four", width: 80, height: 20 });
		const [heights, tops, lefts] = ["height", "y", "x"].map((name) => numbers(svg, "rect", name));
		expect(heights).toEqual([1.5, 1.5, 18]);
		expect(tops.map((top, i) => top + heights[i])).toEqual([19, 19, 19]);
		expect(lefts).toEqual([0.5, 40.5, 60.5]);
		expect(svg).not.toContain('class="zero"');
	});

	test("a line at zero, where the range holds it", () => {
		const svg = histogramSvg({ from: -1, to: 3, counts: [1, 1, 1, 1] }, { label: "", width: 80 });
		expect(svg).toContain('<path class="zero" d="M20 0');
	});

	test("numbers that are all alike stand in the middle", () => {
		const svg = histogramSvg({ from: 2, to: 2, counts: [9] }, { label: "", width: 120 });
		expect(numbers(svg, "rect", "x")).toEqual([55.5]);
	});

	test("nothing to show", () => {
		expect(histogramSvg({ from: 0, to: 0, counts: [] }, { label: "none" })).not.toContain("<rect");
	});

	test("the label is its text alternative, whatever is in it", () => {
		const svg = histogramSvg({ from: 0, to: 1, counts: [1, 1] }, { label: '"><script>alert(1)</script>' });
		expect(svg).toContain('role="img" aria-label="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
		expect(svg).not.toContain("<script");
	});
});

test("escapeHtml takes markup, entities, quotes and control characters literally", () => {
	expect(escapeHtml("<a href='x' b=\"y\">&amp;\u001b[0m\n")).toBe(
		"&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;amp;\uFFFD[0m\uFFFD",
	);
});
