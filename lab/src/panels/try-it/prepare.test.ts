import { describe, expect, test } from "vitest";
import { type Picture, prepare, SIDE } from "./prepare.ts";

/** A picture of one gray, with a rectangle of another. */
function rectangle(width: number, height: number, paper: number, ink: number, box: readonly number[]): Picture {
	const [left, top, wide, tall] = box;
	const data = new Uint8ClampedArray(4 * width * height).fill(255);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const inside = x >= left && x < left + wide && y >= top && y < top + tall;
			data.fill(inside ? ink : paper, 4 * (y * width + x), 4 * (y * width + x) + 3);
		}
	}
	return { width, height, data };
}

const at = (pixels: Uint8Array, row: number, column: number) => pixels[row * SIDE + column];

describe("prepare", () => {
	test("a tall thing, dark on bright and off center, becomes bright on black, 28 tall and in the middle", () => {
		const { pixels, inverted, box } = prepare(rectangle(200, 100, 230, 40, [20, 10, 28, 56]));
		expect(inverted).toBe(true);
		expect(box).toEqual({ left: 20, top: 10, width: 28, height: 56 });
		for (const row of [0, 14, 27]) {
			expect([6, 7, 20, 21].map((column) => at(pixels, row, column))).toEqual([0, 255, 255, 0]);
		}
	});

	test("bright on dark is not inverted, and weak contrast is stretched", () => {
		const { pixels, inverted } = prepare(rectangle(56, 56, 60, 90, [0, 14, 56, 28]));
		expect(inverted).toBe(false);
		expect([at(pixels, 6, 0), at(pixels, 7, 0), at(pixels, 20, 27), at(pixels, 21, 27)]).toEqual([0, 255, 255, 0]);
	});

	test("a picture that is right already stays: a test picture's values come out as they went in", () => {
		const values = Array.from({ length: SIDE * SIDE }, (_, i) => {
			const [row, column] = [Math.floor(i / SIDE), i % SIDE];
			return column < 4 || column > 23 ? 0 : 40 + ((row * 7 + column * 11) % 216);
		});
		values[4] = 255;
		const data = values.flatMap((value) => [value, value, value, 255]);
		const { pixels } = prepare({ width: SIDE, height: SIDE, data });
		expect(Math.max(...pixels.map((value, i) => Math.abs(value - values[i])))).toBeLessThanOrEqual(2);
	});

	test("shrinking averages over areas, also where they are no whole pixels", () => {
		// Stripes one pixel wide over 42: each of 28 pixels covers one and a half.
		const picture = rectangle(42, 42, 0, 0, [0, 0, 0, 0]);
		const data = Uint8ClampedArray.from(picture.data);
		for (let i = 0; i < 42 * 42; i++) if ((i % 42) % 3 !== 2 && i % 42 < 41) data.fill(255, 4 * i, 4 * i + 3);
		const { pixels, inverted } = prepare({ ...picture, data });
		expect(inverted).toBe(true);
		expect(pixels.some((value) => value > 60 && value < 200)).toBe(true);
	});

	test("transparent counts as paper; one color alone is nothing", () => {
		const clear = { width: 5, height: 3, data: new Uint8ClampedArray(60) };
		expect(prepare(clear)).toEqual({ pixels: new Uint8Array(SIDE * SIDE), inverted: true, box: null });
		expect(prepare(rectangle(9, 9, 80, 80, [0, 0, 9, 9])).box).toBeNull();
		const dot = rectangle(300, 300, 255, 0, [150, 150, 2, 2]);
		expect(prepare(dot).box).toEqual({ left: 150, top: 150, width: 2, height: 2 });
	});
});
