import { beforeAll, describe, expect, test } from "vitest";
import { init as initBackend } from "../backend/init.ts";
import { Generator } from "../random/generator.ts";
import * as init from "./init.ts";
import { Parameter } from "./parameter.ts";

beforeAll(async () => {
	await initBackend({ threads: 1 });
});

function moments(values: ArrayLike<number>) {
	const list = Array.from(values);
	const mean = list.reduce((a, b) => a + b, 0) / list.length;
	const std = Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length);
	return { mean, std, max: Math.max(...list.map(Math.abs)) };
}

const weight = () => new Parameter([64, 32, 5, 5]);
const random = () => ({ generator: new Generator(1) });
const fanIn = 32 * 25;
const fanOut = 64 * 25;

describe("standard deviation and bound follow the fans", () => {
	test.each<[string, (w: Parameter) => Parameter, number, boolean]>([
		["xavierUniform", (w) => init.xavierUniform(w, random()), Math.sqrt(2 / (fanIn + fanOut)), true],
		[
			"xavierNormal, gain 2",
			(w) => init.xavierNormal(w, { gain: 2, ...random() }),
			2 * Math.sqrt(2 / (fanIn + fanOut)),
			false,
		],
		["heUniform", (w) => init.heUniform(w, random()), Math.sqrt(2 / fanIn), true],
		["heNormal, fanOut", (w) => init.heNormal(w, { mode: "fanOut", ...random() }), Math.sqrt(2 / fanOut), false],
		[
			"heNormal, leakyRelu",
			(w) => init.heNormal(w, { nonlinearity: "leakyRelu", slope: 0.2, ...random() }),
			Math.sqrt(2 / 1.04 / fanIn),
			false,
		],
		[
			"pytorchDefault",
			(w) => {
				init.pytorchDefault(w, null, undefined, random());
				return w;
			},
			Math.sqrt(1 / 3 / fanIn),
			true,
		],
	])("%s", (_, fill, std, bounded) => {
		const found = moments(fill(weight()).dataSync());
		expect(found.std / std).toBeCloseTo(1, 1);
		expect(Math.abs(found.mean) / std).toBeLessThan(0.02);
		if (bounded) expect(found.max).toBeLessThanOrEqual(std * Math.sqrt(3) * (1 + 1e-6));
	});
});

test("the same seed gives the same numbers", () => {
	const [a, b] = [init.heNormal(weight(), random()), init.heNormal(weight(), random())];
	expect(a.dataSync()).toEqual(b.dataSync());
});

test("bad input", () => {
	expect(() => init.heNormal(new Parameter([3]))).toThrow(/at least two axes/);
	expect(() => init.calculateGain("swish" as "relu")).toThrow(/unknown nonlinearity "swish"/);
});
