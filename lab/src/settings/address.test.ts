import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normNames } from "../../../src/presets/norms.ts";
import { presets } from "../presets/presets.ts";
import { readAddress, writeAddress } from "./address.ts";
import {
	activations,
	dataKinds,
	defaults,
	networks,
	norms,
	optimizers,
	places,
	ranges,
	reconcile,
	type Settings,
	type TwinSettings,
} from "./settings.ts";

const within = ({ least, most, whole }: { least: number; most: number; whole: boolean }): fc.Arbitrary<number> =>
	whole ? fc.integer({ min: least, max: most }) : fc.double({ min: least, max: most, noNaN: true });

const twins: fc.Arbitrary<TwinSettings> = fc.record({
	on: fc.boolean(),
	norm: fc.constantFrom(...norms),
	place: fc.constantFrom(...places),
	activation: fc.constantFrom(...activations),
	groups: within(ranges.groups),
	depth: within(ranges.depth),
	width: within(ranges.width),
	optimizer: fc.constantFrom(...optimizers),
	lr: within(ranges.lr),
	batchSize: within(ranges.batchSize),
	scale: within(ranges.scale),
	dropout: within(ranges.dropout),
});

const anySettings: fc.Arbitrary<Settings> = fc
	.record({
		// Files are not part of an address.
		data: fc.record({
			kind: fc.constantFrom(...dataKinds.filter((kind) => kind !== "csv" && kind !== "images")),
			noise: within(ranges.noise),
		}),
		network: fc.constantFrom(...networks),
		seed: within(ranges.seed),
		steps: within(ranges.steps),
		a: twins,
		b: fc.oneof(twins, fc.constant(defaults.b)),
	})
	.map(reconcile);

describe("settings in the address", () => {
	test("come back as they were", () => {
		fc.assert(
			fc.property(anySettings, (settings) => {
				const { settings: read, problems } = readAddress(`?${writeAddress(settings)}`);
				expect(read).toEqual(settings);
				expect(problems).toEqual([]);
			}),
		);
	});

	test("what is the same for both twins is written once, and defaults are not written", () => {
		expect(writeAddress(defaults)).toBe("");
		const both = { ...defaults, a: { ...defaults.a, lr: 0.25 }, b: { ...defaults.b, lr: 0.25 } };
		expect(writeAddress(both)).toBe("v=1&lr=0.25");
		expect(writeAddress({ ...both, a: { ...both.a, norm: "group" } })).toBe("v=1&a.norm=group&lr=0.25");
	});

	test("a preset is its name", () => {
		for (const { id, settings } of presets) {
			// The first is what the page begins with.
			expect(writeAddress(settings)).toBe(id === "rate" ? "" : `v=1&preset=${id}`);
			expect(readAddress(`preset=${id}`)).toEqual({ settings, problems: [] });
		}
	});

	test("settings go over the preset's, and those of one twin over those of both", () => {
		const { settings } = readAddress("?b.lr=0.5&preset=deep&lr=0.2&steps=7");
		expect(settings).toMatchObject({ network: "mlp", steps: 7, a: { lr: 0.2, depth: 16 }, b: { lr: 0.5, depth: 16 } });
	});

	test.each([
		["lr=abc", { given: "lr=abc", used: "1", expected: "0.000001–100", reason: "value" }],
		["b.norm=bach", { given: "b.norm=bach", used: "none", expected: norms.join(", "), reason: "value" }],
		["steps=1.5", { given: "steps=1.5", used: "480", expected: "0–1000000", reason: "value" }],
		["a.drop=0.95", { given: "a.drop=0.95", used: "0", expected: "0–0.9", reason: "value" }],
		["steps=0x10", { given: "steps=0x10", used: "480", expected: "0–1000000", reason: "value" }],
		["threads=abc", { given: "threads=abc", used: "auto", expected: "1–64", reason: "value" }],
		["threads=1000", { given: "threads=1000", used: "auto", expected: "1–64", reason: "value" }],
		["speed=9", { given: "speed=9", used: "", expected: "", reason: "unknown" }],
		["c.lr=1", { given: "c.lr=1", used: "", expected: "", reason: "unknown" }],
		["preset=x", { given: "preset=x", used: "", expected: presets.map(({ id }) => id).join(", "), reason: "value" }],
		["v=2&seed=5", { given: "v=2", used: "1", expected: "1", reason: "version" }],
		["data=csv", { given: "data=csv", used: "fashion", expected: "", reason: "files" }],
		["data=xor", { given: "net=lenet", used: "mlp", expected: "mlp", reason: "fit" }],
		["on=0", { given: "b.on=0", used: "1", expected: "1", reason: "fit" }],
	])("%s is named and replaced", (search, problem) => {
		expect(readAddress(search).problems).toEqual([problem]);
	});

	test("a bad value leaves the others as they are", () => {
		const { settings } = readAddress("?lr=abc&seed=5&lang=zh&threads=1");
		expect(settings).toEqual({ ...defaults, seed: 5 });
	});
});

test("the norms are those that evenkeel knows by these names", () => {
	expect(norms.filter((name) => !normNames.includes(name))).toEqual([]);
});
