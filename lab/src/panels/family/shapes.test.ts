import { expect, test } from "vitest";
import { counts, groupsOf, isAveraged, kinds, scaled } from "./shapes.ts";

const block = { n: 3, c: 6, positions: 4 };

test.each(kinds)("%s: as many cells are colored as the sentence says", (kind) => {
	const spot = { n: 1, c: 4, p: 2 };
	let colored = 0;
	for (let n = 0; n < 3; n++) {
		for (let c = 0; c < 6; c++) {
			for (let p = 0; p < 4; p++) if (isAveraged(kind, spot, { n, c, p }, block, 2)) colored++;
		}
	}
	expect(colored).toBe(counts(kind, block, 2).values);
});

test("every value belongs to one mean", () => {
	for (const kind of ["batch", "layer", "instance", "group"] as const) {
		const { values, means } = counts(kind, block, 3);
		expect(values * means, kind).toBe(3 * 6 * 4);
	}
});

test("groups divide the channels, in the drawing too", () => {
	expect(groupsOf(6, 4)).toBe(3);
	expect(scaled({ n: 256, c: 120, positions: 1 }, 4)).toEqual({ block: { n: 5, c: 8, positions: 1 }, groups: 4 });
	expect(scaled({ n: 2, c: 6, positions: 576 }, 4)).toEqual({ block: { n: 2, c: 6, positions: 6 }, groups: 3 });
});
