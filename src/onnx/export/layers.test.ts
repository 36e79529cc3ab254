// Every layer as ONNX: what ONNX Runtime computes of it, and what it is read back as, is what the layer computes.

import { beforeAll, describe, expect, test } from "vitest";
import { expectExported, randomized } from "../../../test/support/onnx-export.ts";
import { init } from "../../backend/init.ts";
import * as nn from "../../nn/index.ts";
import type { Module } from "../../nn/module.ts";
import { buildNetwork, normNames, presets } from "../../presets/index.ts";
import { manualSeed } from "../../random/generator.ts";

beforeAll(async () => {
	await init({ threads: 1 });
	manualSeed(1);
});

const image = [6, 8, 9];
const layers: [name: string, make: () => Module, shape: readonly number[]][] = [
	["Conv1d", () => new nn.Conv1d(6, 4, 3, { stride: 2, padding: 1, groups: 2 }), [6, 11]],
	["Conv1d each side", () => new nn.Conv1d(6, 4, 4, { padding: [[2, 1]], dilation: 2 }), [6, 11]],
	["Conv2d", () => new nn.Conv2d(6, 4, [3, 2], { stride: [2, 1], padding: [1, 0] }), image],
	["Conv2d same", () => new nn.Conv2d(6, 4, 4, { padding: "same", bias: false }), image],
	["Conv2d depthwise", () => new nn.Conv2d(6, 12, 3, { groups: 6, dilation: [1, 2], padding: 2 }), image],
	["Conv2d standardized", () => new nn.Conv2d(6, 4, 3, { weightStandardization: true }), image],
	["ConvTranspose1d", () => new nn.ConvTranspose1d(6, 4, 4, { stride: 2, padding: 1 }), [6, 11]],
	[
		"ConvTranspose2d",
		() => new nn.ConvTranspose2d(6, 4, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
		image,
	],
	[
		"ConvTranspose2d each side",
		() =>
			new nn.ConvTranspose2d(6, 4, 3, {
				padding: [
					[1, 0],
					[0, 2],
				],
				dilation: 2,
			}),
		image,
	],
	["Linear", () => new nn.Linear(6, 5), [6]],
	["Linear without bias", () => new nn.Linear(6, 5, { bias: false }), [6]],
	["Linear of sequences", () => new nn.Linear(6, 5), [3, 4, 6]],
	["BatchNorm1d", () => new nn.BatchNorm1d(6), [6]],
	["BatchNorm1d of sequences", () => new nn.BatchNorm1d(6, { affine: false }), [6, 5]],
	["BatchNorm2d", () => new nn.BatchNorm2d(6, { bias: false, eps: 1e-3 }), image],
	["BatchNorm2d channels last", () => new nn.BatchNorm2d(6, { channelAxis: -1 }), [8, 9, 6]],
	["BatchNorm2d without running statistics", () => new nn.BatchNorm2d(6, { trackRunningStats: false }), image],
	["BatchNorm3d", () => new nn.BatchNorm3d(3), [3, 2, 4, 5]],
	["LazyBatchNorm2d", () => new nn.LazyBatchNorm2d(), image],
	["frozen BatchNorm2d", () => new nn.BatchNorm2d(6).freeze(), image],
	["FrozenAffine", () => new nn.FrozenAffine(6), image],
	["BatchRenorm2d", () => new nn.BatchRenorm2d(6), image],
	["SyncBatchNorm", () => new nn.SyncBatchNorm(6), image],
	["InstanceNorm1d", () => new nn.InstanceNorm1d(6), [6, 7]],
	["InstanceNorm2d", () => new nn.InstanceNorm2d(6, { affine: true }), image],
	["InstanceNorm2d with running statistics", () => new nn.InstanceNorm2d(6, { trackRunningStats: true }), image],
	["InstanceNorm3d", () => new nn.InstanceNorm3d(3), [3, 2, 4, 5]],
	["GroupNorm", () => new nn.GroupNorm(3, 6), image],
	["GroupNorm of vectors", () => new nn.GroupNorm(2, 6), [6]],
	["GroupNorm, one group", () => new nn.GroupNorm(1, 6), image],
	["GroupNorm, one group, no affine", () => new nn.GroupNorm(1, 6, { affine: false }), image],
	["GroupNorm, a group a channel", () => new nn.GroupNorm(6, 6, { affine: false }), image],
	["LayerNorm", () => new nn.LayerNorm(9), image],
	["LayerNorm of images", () => new nn.LayerNorm([6, 8, 9], { bias: false }), image],
	["LayerNorm without affine", () => new nn.LayerNorm([8, 9], { affine: false }), image],
	["RMSNorm", () => new nn.RMSNorm([8, 9]), image],
	["RMSNorm without affine", () => new nn.RMSNorm(6, { affine: false, eps: 1e-3 }), [6]],
	["FilterResponseNorm", () => new nn.FilterResponseNorm(6), image],
	["FilterResponseNorm without threshold", () => new nn.FilterResponseNorm(6, { tlu: false }), image],
	["SwitchableNorm1d", () => new nn.SwitchableNorm1d(6), [6]],
	["SwitchableNorm2d", () => new nn.SwitchableNorm2d(6), image],
	["SwitchableNorm3d", () => new nn.SwitchableNorm3d(3, { affine: false }), [3, 2, 4, 5]],
	["ReLU", () => new nn.ReLU(), image],
	["LeakyReLU", () => new nn.LeakyReLU(0.2), image],
	["Sigmoid", () => new nn.Sigmoid(), image],
	["Tanh", () => new nn.Tanh(), image],
	["GELU", () => new nn.GELU(), image],
	["GELU by tanh", () => new nn.GELU({ approximate: "tanh" }), image],
	["SiLU", () => new nn.SiLU(), image],
	["Softmax", () => new nn.Softmax(), image],
	["Softmax of channels", () => new nn.Softmax({ axis: 1 }), image],
	["LogSoftmax", () => new nn.LogSoftmax({ axis: 2 }), image],
	["AvgPool2d", () => new nn.AvgPool2d(2), image],
	["AvgPool2d padded", () => new nn.AvgPool2d([3, 2], { stride: 2, padding: 1 }), image],
	["AvgPool2d, padding not counted", () => new nn.AvgPool2d(3, { padding: 1, countIncludePad: false }), image],
	["AvgPool2d rounded up", () => new nn.AvgPool2d(2, { stride: 2, ceilMode: true }), image],
	["AvgPool2d rounded up, padded", () => new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true }), [6, 8, 8]],
	["MaxPool2d", () => new nn.MaxPool2d(3, { stride: [1, 2], padding: 1 }), image],
	["MaxPool2d dilated", () => new nn.MaxPool2d(2, { stride: 1, dilation: 2 }), image],
	["MaxPool2d rounded up", () => new nn.MaxPool2d(2, { ceilMode: true }), image],
	["MaxPool2d rounded up, padded", () => new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), [6, 8, 8]],
	["AdaptiveAvgPool2d 1", () => new nn.AdaptiveAvgPool2d(1), image],
	["AdaptiveAvgPool2d even", () => new nn.AdaptiveAvgPool2d([4, 3]), image],
	["AdaptiveAvgPool2d uneven", () => new nn.AdaptiveAvgPool2d([3, 4]), image],
	["Dropout in evaluation", () => new nn.Sequential(new nn.Dropout(), new nn.ReLU()), image],
	["Flatten", () => new nn.Flatten(), image],
	["Flatten some", () => new nn.Flatten({ startAxis: 2 }), image],
	["Flatten with the batch", () => new nn.Flatten({ startAxis: 0, endAxis: 1 }), image],
	["Identity", () => new nn.Identity(), image],
];

describe.each([13, 17, 21, 22])("opset %i", (opset) => {
	test.each(layers)("%s", async (_, make, shape) => {
		const net = make();
		net.eval();
		await expectExported(randomized(net), [shape], { opset });
	});
});

test("every layer is looked at", () => {
	const seen = new Set(
		layers.flatMap(([, make]) =>
			make()
				.modules()
				.map((module) => module.constructor.name),
		),
	);
	const abstract = new Set(["Module", "ModuleList"]);
	const all = Object.entries(nn).flatMap(([name, value]) =>
		typeof value === "function" && value.prototype instanceof nn.Module && !abstract.has(name) ? [name] : [],
	);
	const same = {
		BatchRenorm1d: "BatchRenorm2d",
		BatchRenorm3d: "BatchRenorm2d",
		LazyBatchNorm1d: "LazyBatchNorm2d",
		LazyBatchNorm3d: "LazyBatchNorm2d",
	};
	expect(all.filter((name) => !seen.has(name) && !(name in same))).toEqual([]);
	expect(all.length).toBeGreaterThan(35);
});

describe.each(presets.map((preset) => [preset.name, preset] as const))("preset %s", (_, preset) => {
	test.each(normNames)("with norm %s", async (norm) => {
		const net = randomized(buildNetwork(preset, { norm }));
		await expectExported(net, [preset.inputShape], { batches: [1, 3] });
	});

	test.each([13, 21])("opset %i", async (opset) => {
		await expectExported(randomized(buildNetwork(preset, { norm: preset.norm ?? "batch" })), [preset.inputShape], {
			opset,
		});
	});
});
