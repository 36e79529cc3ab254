import { beforeAll, describe, expect, test } from "vitest";
import "../autograd/backward.ts";
import { init } from "../backend/init.ts";
import { planRun } from "../cli/train/plan.ts";
import type { Module } from "../nn/module.ts";
import { tensor } from "../ops/creation.ts";
import { crossEntropy } from "../ops/loss/op.ts";
import { Generator, manualSeed } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import { buildNetwork, normDescriptions, normNames, normOf, presetNamed } from "./index.ts";

beforeAll(async () => {
	await init({ threads: 2 });
});

/** Sixteen images of four classes, each class with its own quarter lit. */
function quarters(): { images: Float32Array; labels: number[] } {
	const images = new Generator(1).fillNormal(new Float32Array(16 * 784), 0, 0.2);
	const labels = Array.from({ length: 16 }, (_, i) => i % 4);
	for (let i = 0; i < images.length; i++) {
		const [example, row, column] = [Math.floor(i / 784), Math.floor((i % 784) / 28), i % 28];
		if (labels[example] === 2 * Number(row >= 14) + Number(column >= 14)) images[i] += 1;
	}
	return { images, labels };
}

describe.each(["lenet", "resnet-mini"])("%s", (name) => {
	test.each(normNames)("learns with norm %s", (norm) => {
		manualSeed(0);
		const preset = presetNamed(name);
		const net = buildNetwork(preset, { norm });
		const optimizer = preset.optimizer(net, 0.05);
		const { images, labels } = quarters();
		const losses = Array.from({ length: 15 }, () =>
			scope(() => {
				const output = net.forward(tensor(images, [16, 1, 28, 28]));
				const loss = crossEntropy(output, tensor(labels, [16], { dtype: "int32" }));
				optimizer.zeroGrad();
				loss.backward();
				optimizer.step();
				return loss.item();
			}),
		);
		expect(losses.at(-1)).toBeLessThan(0.99 * losses[0]);
	});
});

const kind = (modules: Module[]) => modules.map((module) => module.constructor.name);

test("what stands in where a norm does not fit", () => {
	expect(kind(normOf({ norm: "instance" }).features(84))).toEqual(["LayerNorm"]);
	expect(kind(normOf({ norm: "frn" }).features(84))).toEqual(["RMSNorm"]);
	expect(normOf({ norm: "layer" }).channels(16)[0]).toMatchObject({ numGroups: 1, numChannels: 16 });
	expect(normOf({ norm: "none" }).channels(16)).toEqual([]);
	expect(normDescriptions.map(([name]) => name)).toEqual(normNames);
});

test("groups, and fewer where they do not divide the channels", () => {
	expect(normOf({ norm: "group", groups: 8 }).channels(16)[0]).toMatchObject({ numGroups: 8 });
	expect(normOf({ norm: "group" }).channels(6)[0]).toMatchObject({ numGroups: 3 });
	expect(normOf({ norm: "group", groups: 32 }).channels(16)[0]).toMatchObject({ numGroups: 16 });
	expect(() => normOf({ norm: "group", groups: 0 })).toThrow("groups must be a whole number of at least 1, got 0");
});

test("--groups goes with --norm group", async () => {
	const flags = { threads: 1, checkpointEvery: 50, download: false } as const;
	const plan = await planRun("lenet", { ...flags, norm: "group", groups: 2 });
	expect(plan).toMatchObject({ norm: "group", groups: 2, settings: { groups: 2 } });
	expect((await planRun("lenet", { ...flags, norm: "group" })).settings).not.toHaveProperty("groups");
	await expect(planRun("lenet", { ...flags, groups: 2 })).rejects.toThrow("--groups 2: the normalization is none");
});
