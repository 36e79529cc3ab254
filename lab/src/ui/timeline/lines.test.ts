import { expect, test } from "vitest";
import { History } from "./history.ts";
import { hasAny, strokeRow } from "./lines.ts";

/** What a context was told, as words. */
function drawn(history: History, row: number): string[] {
	const told: string[] = [];
	const note = (...words: (string | number)[]): void => void told.push(words.join(" "));
	const context = {
		beginPath: () => note("beginPath"),
		lineTo: (x: number, y: number) => note("lineTo", x, y),
		arc: (x: number, y: number) => note("arc", x, y),
		fill: () => note("fill"),
		stroke: () => note("stroke"),
		fillStyle: "",
		strokeStyle: "red",
	};
	strokeRow({ context, x: (step) => step, y: (v) => v }, history, row);
	return told;
}

test("a single sample is a dot, several are a line that runs on to the last step", () => {
	const history = new History(2);
	history.push(3, [5, Number.NaN]);
	expect(drawn(history, 0)).toEqual(["beginPath", "arc 3 5", "fill"]);
	history.push(4, [6, Number.NaN]);
	expect(drawn(history, 0)).toEqual(["beginPath", "lineTo 3 5", "lineTo 4 6", "lineTo 4 6", "stroke"]);
});

test("rows without numbers have nothing to draw", () => {
	const history = new History(2);
	expect(hasAny(null, [0])).toBe(false);
	history.push(3, [5, Number.NaN]);
	expect(hasAny(history, [1])).toBe(false);
	expect(hasAny(history, [0, 1])).toBe(true);
});
