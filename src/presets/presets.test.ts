import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../backend/init.ts";
import { Linear } from "../nn/layers/linear.ts";
import { countParameters, summary } from "../nn/summary.ts";
import { zeros } from "../ops/creation.ts";
import { manualSeed } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import { weightsHash } from "../train/weights-hash.ts";
import { buildNetwork, checkPreset, normNames, normOf, presetNamed, presets } from "./index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

describe.each(presets.map((preset) => [preset.name, preset] as const))("%s", (_, preset) => {
	test.each(normNames)("with norm %s maps images to ten logits", (norm) => {
		const net = buildNetwork(preset, { norm });
		scope(() => {
			const rows = summary(net, zeros([2, ...preset.inputShape]));
			expect(rows.at(-1)?.outputShape).toEqual([2, 10]);
			expect(rows.some(({ type }) => type.startsWith("BatchNorm"))).toBe(norm === "batch");
		});
	});

	test("is a preset, with an optimizer over all its parameters", () => {
		checkPreset(preset, preset.name);
		const net = buildNetwork(preset, { norm: preset.norm ?? "batch" });
		const optimizer = preset.optimizer(net, preset.lr);
		const params = optimizer.paramGroups.flatMap((group) => ("params" in group ? group.params : []));
		expect(params).toHaveLength(net.parameters().length);
	});

	test("has the same weights for the same seed, and others for another", async () => {
		const hashOf = async (seed: number): Promise<string> => {
			manualSeed(seed);
			return weightsHash(buildNetwork(preset, { norm: "batch" }));
		};
		expect(await hashOf(1)).toBe(await hashOf(1));
		expect(await hashOf(1)).not.toBe(await hashOf(2));
	});
});

// By hand: (25 + 1) 6 + (150 + 1) 16 + 257 120 + 121 84 + 85 10, and two numbers a normalized channel.
test.each([
	["lenet", 44_426],
	["lenet-bn", 44_426 + 2 * (6 + 16 + 120 + 84)],
	["mlp-bn", 785 * 512 + 513 * 256 + 257 * 10 + 2 * (512 + 256)],
	["keras-mlp-bn", 785 * 128 + 129 * 10 + 2 * 128],
])("%s learns %i numbers", (name, count) => {
	const preset = presetNamed(name);
	expect(countParameters(buildNetwork(preset, { norm: preset.norm ?? "batch" }))).toBe(count);
});

test("keras-mlp-bn starts as Keras does: Glorot-uniform weights, zero biases", () => {
	const net = buildNetwork(presetNamed("keras-mlp-bn"), { norm: "batch" });
	for (const module of net.modules()) {
		if (!(module instanceof Linear)) continue;
		const bound = Math.sqrt(6 / (module.inFeatures + module.outFeatures));
		const largest = Math.max(...Array.from(module.weight.dataSync(), Math.abs));
		expect(largest / bound).toBeGreaterThan(0.97);
		expect(largest / bound).toBeLessThanOrEqual(1);
		expect(module.bias?.dataSync().every((b) => b === 0)).toBe(true);
	}
});

test("what there is not is named", () => {
	expect(() => presetNamed("alexnet")).toThrow('unknown preset "alexnet"; there are lenet-bn, lenet, mlp-bn');
	expect(() => normOf({ norm: "toString" })).toThrow('unknown normalization "toString"; there are "batch", "none"');
});
