// Expected numbers: numpy 1.24, `numpy.random.seed(seed); numpy.random.rand(n)`; the 32-bit words of seed 5489 are
// also those of the authors' own C program.

import { expect, test } from "vitest";
import { MersenneTwister } from "./mt19937.ts";

test("the numbers of numpy.random.seed(42)", () => {
	const numbers = new MersenneTwister(42).rand(1000);
	expect([...numbers.subarray(0, 5)]).toEqual([
		0.3745401188473625, 0.9507143064099162, 0.7319939418114051, 0.5986584841970366, 0.15601864044243652,
	]);
	expect([...numbers.subarray(45, 50)]).toEqual([
		0.662522284353982, 0.31171107608941095, 0.5200680211778108, 0.5467102793432796, 0.18485445552552704,
	]);
	// 624 words are 312 numbers: these straddle the first two refills, and the last lies beyond the third.
	expect(numbers[311]).toBe(0.07845638134226596);
	expect(numbers[312]).toBe(0.02535074341545751);
	expect(numbers[999]).toBe(0.44600577295795574);
});

test("the smallest and the largest seed", () => {
	expect([...new MersenneTwister(0).rand(3)]).toEqual([0.5488135039273248, 0.7151893663724195, 0.6027633760716439]);
	expect([...new MersenneTwister(4294967295).rand(3)]).toEqual([
		0.0976320289940138, 0.9123828453026218, 0.78903530185164,
	]);
});

test("32-bit words", () => {
	const generator = new MersenneTwister(5489);
	expect([generator.uint32(), generator.uint32(), generator.uint32()]).toEqual([3499211612, 581869302, 3890346734]);
});

test.each([-1, 0.5, 4294967296, Number.NaN])("seed %d is refused", (seed) => {
	expect(() => new MersenneTwister(seed)).toThrow(`whole number from 0 to 4294967295, got ${seed}`);
});
