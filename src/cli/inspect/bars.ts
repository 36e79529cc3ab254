// A histogram as one line of characters.

import { coarser, type Histogram } from "../../surgery/inspection/distribution.ts";

/** From nothing to all: blocks of eight heights. */
const blocks = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/** How many characters a histogram takes. */
const WIDTH = 12;

/** A character a bar, at most twelve. What is not empty is at least the lowest block; alike numbers are one in the middle. */
export function barsOf(histogram: Histogram): string {
	const { counts } = coarser(histogram, WIDTH);
	const most = Math.max(1, ...counts);
	const bars = counts.map((count) => blocks[Math.ceil((8 * count) / most)]).join("");
	return counts.length === 1 ? " ".repeat(WIDTH >> 1) + bars : bars;
}

/** Blocks and other signs as the ASCII characters that come closest, one for one. */
const ascii: Readonly<Record<string, string>> = {
	...{ "▁": ".", "▂": ":", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "%", "█": "#" },
	...{ "─": "-", "→": ">", "…": "~", "·": ",", "–": "-", µ: "u", "×": "x", "’": "'" },
};

/** `text` in ASCII alone, as wide as before; what has no likeness becomes `?`. */
export function toAscii(text: string): string {
	// Without the first 128 characters, which stay: they include those that color is made of.
	return text.replace(/[\u0080-\u{10FFFF}]/gu, (character) => ascii[character] ?? "?");
}
