import { describe, expect, test } from "vitest";
import cases from "./cases.json" with { type: "json" };
import { defaultGenerator, Generator, manualSeed } from "./generator.ts";
import { normalQuantile, portableLog } from "./normal-quantile.ts";
import { philox } from "./philox.ts";

const draw = <T>(n: number, next: () => T): T[] => Array.from({ length: n }, next);

describe("philox", () => {
	// Random123, kat_vectors: philox 4x32 10.
	test.each([
		[
			[0, 0, 0, 0],
			[0, 0],
			[0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
		],
		[
			[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
			[0xffffffff, 0xffffffff],
			[0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
		],
		[
			[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
			[0xa4093822, 0x299f31d0],
			[0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
		],
	])("known answer for counter %j", ([c0, c1, c2, c3], [k0, k1], expected) => {
		const out = new Uint32Array(4);
		philox(c0, c1, c2, c3, k0, k1, out);
		expect([...out]).toEqual(expected);
	});
});

describe("Generator against the script's numbers", () => {
	test.each(cases.words)("uint32, seed $seed", ({ seed, values }) => {
		const random = new Generator(seed);
		expect(draw(values.length, () => random.uint32())).toEqual(values);
	});

	test.each(cases.uniform)("uniform, seed $seed", ({ seed, values }) => {
		const random = new Generator(seed);
		expect(draw(values.length, () => random.uniform())).toEqual(values);
	});

	test.each(cases.uniform24)("fillUniform, seed $seed", ({ seed, values }) => {
		const expected = values.map((v) => v / 2 ** 24);
		expect([...new Generator(seed).fillUniform(new Float32Array(6))]).toEqual(expected);
		expect([...new Generator(seed).fillUniform(new Float64Array(6), -1, 3)]).toEqual(expected.map((u) => -1 + 4 * u));
	});

	test.each(cases.normal)("normal, seed $seed", ({ seed, values }) => {
		const random = new Generator(seed);
		for (const z of values) expect(Math.abs(random.normal() - z)).toBeLessThan(4e-15);
	});

	test.each(cases.ints)("int($n), seed $seed", ({ seed, n, values }) => {
		const random = new Generator(seed);
		expect(draw(values.length, () => random.int(n))).toEqual(values);
	});
});

test("the quantile in the center, the flanks and the tails", () => {
	for (const { p, z } of cases.quantiles) {
		expect(Math.abs(normalQuantile(p) - z)).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(z)) * 4);
	}
});

test("portableLog agrees with Math.log", () => {
	const random = new Generator(5);
	for (let i = 0; i < 2000; i++) {
		const x = random.uniform() * 2 ** -random.int(60) + 2 ** -80;
		expect(Math.abs(portableLog(x) / Math.log(x) - 1)).toBeLessThan(5e-16);
	}
});

test("normal numbers have the moments of the normal distribution", () => {
	const z = new Generator(1).fillNormal(new Float64Array(200_000), 3, 2);
	const mean = z.reduce((a, b) => a + b, 0) / z.length;
	const moment = (k: number) => z.reduce((a, b) => a + ((b - mean) / 2) ** k, 0) / z.length;
	expect(mean).toBeCloseTo(3, 1);
	expect(moment(2)).toBeCloseTo(1, 1);
	expect(moment(3)).toBeCloseTo(0, 1);
	expect(moment(4)).toBeCloseTo(3, 1);
});

test("fillNormal gives what normal gives one by one", () => {
	const one = new Generator(9);
	const filled = new Generator(9).fillNormal(new Float64Array(5), 1, 0.5);
	expect([...filled]).toEqual(draw(5, () => one.normal(1, 0.5)));
});

test("a permutation holds each number once and differs by seed", () => {
	const order = new Generator(3).permutation(1000);
	expect(order).toBeInstanceOf(Int32Array);
	expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
	expect([...order]).not.toEqual([...new Generator(4).permutation(1000)]);
	expect(new Generator(3).permutation(0).length).toBe(0);
});

test("all six orders of three are equally likely", () => {
	const random = new Generator(11);
	const counts = new Map<string, number>();
	for (let i = 0; i < 6000; i++) {
		const order = random.permutation(3).join("");
		counts.set(order, (counts.get(order) ?? 0) + 1);
	}
	expect(counts.size).toBe(6);
	for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
});

test("a state taken anywhere goes on from there, through JSON", () => {
	const random = new Generator(42).fork("weights");
	draw(7, () => random.uint32());
	const state = JSON.parse(JSON.stringify(random.state()));
	const expected = draw(10, () => random.normal());
	const resumed = new Generator().setState(state);
	expect(draw(10, () => resumed.normal())).toEqual(expected);
});

test("forks differ by label and parent, and not by how much was drawn", () => {
	const random = new Generator(42);
	const first = random.fork("a").uint32();
	draw(5, () => random.uint32());
	expect(random.fork("a").uint32()).toBe(first);
	const others = [
		random.fork("b"),
		random.fork(1),
		random.fork("a").fork("a"),
		new Generator(43).fork("a"),
		new Generator(42),
	];
	expect(new Set([first, ...others.map((other) => other.uint32())]).size).toBe(6);
	expect(random.fork(1).uint32()).toBe(random.fork("1").uint32());
});

test("blocks for a kernel are the words that uint32 would give, and are skipped", () => {
	const random = new Generator(2 ** 35 + 1).fork("dropout");
	random.uint32();
	const { key, stream, block } = random.takeBlocks(3);
	expect(block).toBe(1);
	const words = new Uint32Array(4);
	const other = new Generator(2 ** 35 + 1).fork("dropout");
	draw(4, () => other.uint32());
	for (let i = 0; i < 3; i++) {
		philox(block + i, 0, stream[0], stream[1], key[0], key[1], words);
		expect([...words]).toEqual(draw(4, () => other.uint32()));
	}
	expect(random.state()).toEqual(other.state());
});

test("manualSeed starts the default generator anew", () => {
	manualSeed(7);
	const a = defaultGenerator().uint32();
	manualSeed(7);
	expect(defaultGenerator().uint32()).toBe(a);
	expect(new Generator(7).uint32()).toBe(a);
	manualSeed(0);
});

test("bad arguments are named", () => {
	expect(() => new Generator(-1)).toThrow("the seed must be a whole number from 0 to 2^53 - 1, got -1");
	expect(() => new Generator(0.5)).toThrow("got 0.5");
	expect(() => new Generator(0).int(0)).toThrow("expected a whole number from 1 to 2^32, got 0");
	expect(() => new Generator(0).permutation(-3)).toThrow("got -3");
	expect(() => new Generator(0).setState({ seed: 1, stream: [0, -1], counter: 0 })).toThrow("the stream must be");
	expect(() => new Generator(0).setState({ seed: 1, stream: [0, 0], counter: Number.NaN })).toThrow(
		"the counter must be",
	);
});
