import { expect, test } from "vitest";
import { readTable } from "../engine/data/table.ts";
import { reasonOf } from "./reasons.ts";

function messageOf(work: () => unknown): string {
	try {
		work();
	} catch (error) {
		return error instanceof Error ? error.message : "";
	}
	return "";
}

const rows = (count: number, row: (i: number) => string): string =>
	Array.from({ length: count }, (_, i) => row(i)).join("\n");

test.each([
	["a word among the numbers", rows(40, (i) => (i === 20 ? "1,x,a" : `1,2,${"ab"[i % 2]}`))],
	["too few rows", "1,2,a\n3,4,b"],
	["a row of one value", rows(40, (i) => (i === 20 ? "1" : `1,2,${"ab"[i % 2]}`))],
	["a row of other length", rows(40, (i) => (i === 20 ? "1,2,3,a" : `1,2,${"ab"[i % 2]}`))],
	["nothing at all", ""],
	["one class", rows(40, () => "1,2,a")],
])("a table with %s is refused in Chinese too, and in English as evenkeel says it", (_, text) => {
	const message = messageOf(() => readTable(text, "t.csv", 1));
	expect(message).not.toBe("");
	const reason = reasonOf(message);
	expect(reason?.en).toBe(message);
	expect(reason?.zh).toMatch(/^t\.csv：.*[。]$/);
});

test("a batch of one is told by the layer's name on the page", () => {
	const message =
		'BatchNorm1d "1": training needs more than one value a channel, got shape [1, 16]: the variance of a single value is 0.';
	const reason = reasonOf(message, (path) => (path === "1" ? "norm1" : ""));
	expect(reason?.en).toMatch(/^norm1 has one value a channel/);
	expect(reason?.zh).toMatch(/^norm1 的每个通道只有一个值/);
});

test("what did not come is told with what to do; what is not known stays as it is", () => {
	expect(reasonOf("TypeError: Failed to fetch")?.zh).toContain("开始");
	expect(reasonOf("http://x/data/a.gz: the server answered 404 Not Found")?.zh).toContain("404 Not Found");
	expect(reasonOf('GroupNorm "1": a group holds a single value (shape [1, 10], 10 groups)')?.zh).toContain("减少组数");
	expect(reasonOf("7 pictures are too few to learn from")?.zh).toContain("7");
	expect(
		reasonOf("this folder has pictures in 1 folder; expected 2 to 100 subfolders, one a class, with PNG")?.zh,
	).toContain("2 到 100 个");
	expect(reasonOf("something else")).toBeNull();
});
