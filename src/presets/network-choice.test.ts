import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../backend/init.ts";
import { Dropout } from "../nn/layers/dropout.ts";
import type { Module } from "../nn/module.ts";
import { zeros } from "../ops/creation.ts";
import { manualSeed } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import { activationNames, buildNetwork, type NetworkChoice, presetNamed } from "./index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

const built = (name: string, choice: Partial<NetworkChoice> = {}) => {
	manualSeed(0);
	const preset = presetNamed(name);
	return buildNetwork(preset, { norm: preset.norm ?? "batch", ...choice });
};

const kinds = (net: Module) =>
	net
		.modules()
		.slice(1)
		.map((module) => module.constructor.name);

test("the norm's place: before the activation, or after it", () => {
	expect(kinds(built("lenet-bn")).slice(0, 4)).toEqual(["Conv2d", "BatchNorm2d", "Sigmoid", "AvgPool2d"]);
	expect(kinds(built("lenet-bn", { place: "after" })).slice(0, 4)).toEqual([
		...["Conv2d", "Sigmoid", "BatchNorm2d", "AvgPool2d"],
	]);
	expect(kinds(built("keras-mlp-bn"))).toEqual(["Flatten", "Linear", "ReLU", "BatchNorm1d", "Linear"]);
	expect(kinds(built("keras-mlp-bn", { place: "before" }))).toEqual([
		"Flatten",
		"Linear",
		"BatchNorm1d",
		"ReLU",
		"Linear",
	]);
});

test.each(activationNames)("activation %s takes the preset's place, and the network runs", (activation) => {
	const net = built("lenet", { activation });
	expect(kinds(net)).not.toContain(activation === "sigmoid" ? "ReLU" : "Sigmoid");
	scope(() => expect(net.forward(zeros([2, 1, 28, 28])).shape).toEqual([2, 10]));
});

test("dropout stands behind hidden linear layers, and not at all at 0", () => {
	const dropouts = (dropout: number) =>
		built("lenet", { dropout })
			.modules()
			.filter((module) => module instanceof Dropout);
	expect(dropouts(0.3).map(({ p }) => p)).toEqual([0.3, 0.3]);
	expect(dropouts(0)).toEqual([]);
});

test("depth and width of a fully connected network", () => {
	const shapes = (choice: Partial<NetworkChoice>) =>
		built("mlp-bn", choice)
			.parameters()
			.filter(({ ndim }) => ndim === 2)
			.map(({ shape }) => shape);
	expect(shapes({})).toEqual([
		[512, 784],
		[256, 512],
		[10, 256],
	]);
	expect(shapes({ depth: 3 })).toEqual([
		[512, 784],
		[256, 512],
		[256, 256],
		[10, 256],
	]);
	expect(shapes({ depth: 1, width: 32 })).toEqual([
		[32, 784],
		[10, 32],
	]);
});

test("the initial scale multiplies weights alone", () => {
	const [plain, scaled] = [built("lenet-bn"), built("lenet-bn", { initialScale: 3 })].map((net) => net.parameters());
	for (const [i, parameter] of scaled.entries()) {
		const factor = parameter.ndim >= 2 ? 3 : 1;
		const expected = Array.from(plain[i].dataSync(), (value) => Math.fround(value * factor));
		expect(Array.from(parameter.dataSync())).toEqual(expected);
	}
});

test("momentum takes the place of the preset's decay", () => {
	const norm = (choice: Partial<NetworkChoice>) =>
		built("keras-mlp-bn", choice)
			.modules()
			.find((module) => module.constructor.name === "BatchNorm1d");
	expect(norm({})).toMatchObject({ momentum: expect.closeTo(0.01), eps: 1e-3 });
	expect(norm({ momentum: 0.9 })).toMatchObject({ momentum: 0.9, eps: 1e-3 });
	expect(norm({ decay: 0.9 })).toMatchObject({ momentum: expect.closeTo(0.1) });
});

describe("what cannot be chosen is refused", () => {
	test.each([
		[
			"resnet-mini",
			{ depth: 3 },
			"preset resnet-mini: depth 3 cannot be chosen; its network can be varied in norm, groups",
		],
		["lenet", { width: 64 }, "preset lenet: width 64 cannot be chosen"],
		["lenet", { initialScale: 0 }, "preset lenet: initialScale must be a number above 0, got 0"],
		["lenet", { dropout: 1 }, "preset lenet: dropout must be at least 0 and below 1, got 1"],
		["mlp-bn", { depth: 0 }, "preset mlp-bn: depth must be a whole number of at least 1, got 0"],
	])("%s %j", (name, choice, message) => {
		expect(() => built(name, choice)).toThrow(message);
	});
});
