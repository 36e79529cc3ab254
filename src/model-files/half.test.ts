import { expect, test } from "vitest";
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "./half.ts";

test.each([
	["half", halfToFloat, floatToHalf, 0x7c00],
	["bfloat16", bfloatToFloat, floatToBfloat, 0x7f80],
] as const)(
	"%s: every value comes back, and halfway between two goes to the even one",
	(_, decode, encode, infinity) => {
		for (let bits = 0; bits < 65536; bits++) {
			const value = decode(bits);
			const none = (bits & 0x7fff) > infinity;
			if (Number.isNaN(value) !== none) throw new Error(`${bits} is ${value}`);
			if (none ? !Number.isNaN(decode(encode(value))) : encode(value) !== bits) throw new Error(`${bits} is ${value}`);
			if ((bits & 0x7fff) >= infinity - 1) continue;
			const next = decode(bits + 1);
			const even = bits % 2 === 0 ? bits : bits + 1;
			if (encode((value + next) / 2) !== even) throw new Error(`between ${value} and ${next}`);
			if (encode(value + (next - value) * 0.51) !== bits + 1) throw new Error(`near ${next}`);
			if (encode(value + (next - value) * 0.49) !== bits) throw new Error(`near ${value}`);
		}
	},
);

test("known values", () => {
	expect([0x3c00, 0xc000, 0x7bff, 1, 0x8000, 0x7c00].map(halfToFloat)).toEqual([1, -2, 65504, 2 ** -24, -0, Infinity]);
	expect([65519, 65520, -1e9, 2 ** -26, 1 / 3].map(floatToHalf)).toEqual([0x7bff, 0x7c00, 0xfc00, 0, 0x3555]);
	expect([0x3f80, 0xc040].map(bfloatToFloat)).toEqual([1, -3]);
	expect([1 / 3, 3.4e38].map(floatToBfloat)).toEqual([0x3eab, 0x7f80]);
});
