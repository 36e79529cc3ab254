import { expect, test } from "vitest";
import { type SmallFloat, smallFloatValues, toSmallFloat } from "./small-floats.ts";

const names: SmallFloat[] = ["F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"];

test.each(names)("%s: every value comes back, and halfway between two goes to the even one", (name) => {
	const table = smallFloatValues(name);
	for (let bits = 0; bits < 256; bits++) {
		const value = table[bits];
		const back = toSmallFloat(value, name);
		if (Number.isNaN(value)) {
			expect(table[back]).toBeNaN();
			continue;
		}
		expect([back, value]).toEqual([bits, value]);
		const next = table[bits + 1];
		if (!(bits < 127 || name === "F8_E8M0") || !Number.isFinite(next)) continue;
		expect(next).toBeGreaterThan(value);
		const even = bits % 2 === 0 ? bits : bits + 1;
		const found = [(value + next) / 2, value + (next - value) * 0.51, value + (next - value) * 0.49];
		expect(found.map((between) => toSmallFloat(between, name))).toEqual([even, bits + 1, bits]);
		if (name !== "F8_E8M0" && bits > 0) expect(toSmallFloat(-value, name)).toBe(bits | 0x80);
	}
});

test("known values: the largest, the smallest, what is none", () => {
	const values = (name: SmallFloat, ...bits: number[]) => bits.map((one) => smallFloatValues(name)[one]);
	expect(values("F8_E4M3", 0x7e, 0x01, 0x08, 0x38, 0x7f, 0xff)).toEqual([
		...[448, 2 ** -9, 2 ** -6, 1, Number.NaN, Number.NaN],
	]);
	expect(values("F8_E5M2", 0x7b, 0x01, 0x04, 0x3c, 0x7c, 0xfc, 0x7d)).toEqual([
		...[57344, 2 ** -16, 2 ** -14, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
	]);
	expect(values("F8_E4M3FNUZ", 0x7f, 0x01, 0x40, 0x80)).toEqual([240, 2 ** -10, 1, Number.NaN]);
	expect(values("F8_E5M2FNUZ", 0x7f, 0x01, 0x40, 0x80)).toEqual([57344, 2 ** -17, 1, Number.NaN]);
	expect(values("F8_E8M0", 0, 127, 254, 255)).toEqual([2 ** -127, 1, 2 ** 127, Number.NaN]);
});

test("what is too large, negative where there is no sign, and minus zero", () => {
	const infinity = Number.POSITIVE_INFINITY;
	expect([464, 464.1, infinity, -infinity].map((v) => toSmallFloat(v, "F8_E4M3"))).toEqual([0x7e, 0x7f, 0x7f, 0x7f]);
	expect([61439, 61440, -infinity].map((v) => toSmallFloat(v, "F8_E5M2"))).toEqual([0x7b, 0x7c, 0xfc]);
	expect([247, 248, -0, -1e-9].map((v) => toSmallFloat(v, "F8_E4M3FNUZ"))).toEqual([0x7f, 0x80, 0, 0]);
	expect([2 ** 127 * 1.4, 2 ** 128, -1, 0].map((v) => toSmallFloat(v, "F8_E8M0"))).toEqual([254, 255, 255, 0]);
	expect(toSmallFloat(-0, "F8_E4M3")).toBe(0x80);
});
