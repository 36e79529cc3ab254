// Networks whose norms cannot be exchanged, or not all of them; and those of which one might think so.

import { beforeAll, describe, expect, test } from "vitest";
import { model, node, value, weight } from "../../../test/support/onnx-builder.ts";
import { init } from "../../backend/init.ts";
import * as nn from "../../nn/index.ts";
import { importOnnx } from "../../onnx/index.ts";
import { tensor } from "../../ops/creation.ts";
import { groupNorm } from "../../ops/norm/group-norm/op.ts";
import { Generator } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { convertNorms, type NormTarget } from "../index.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

const run = (net: nn.Module, x: Tensor) => [...scope(() => net.eval().forward(x)).dataSync()];
const norms = (net: nn.Module) =>
	net
		.modules()
		.map((module) => module.constructor.name)
		.filter((name) => /norm|affine/i.test(name));

test("a network that was imported from ONNX", async () => {
	const nodes = [
		node("BatchNormalization", ["x", "w", "b", "m", "v"], ["a"], {}, { name: "bn" }),
		node("Relu", ["a"], ["y"]),
	];
	const initializers = ["w", "b", "m", "v"].map((name, i) => weight(name, [2], [i, 1]));
	const net = await importOnnx(model({ inputs: [value("x", [4, 2, 3, 3])], nodes, initializers }));
	const x = tensor(new Generator(1).fillNormal(new Float32Array(72)), [4, 2, 3, 3]);
	const expected = run(net, x);
	await convertNorms(net, { to: "frozen-affine" });
	expect(run(net, x)).toEqual(expected);
	await convertNorms(net, { to: "group", numGroups: 1 });
	const params = { weight: tensor([0, 1]), bias: tensor([1, 1]) };
	const grouped = groupNorm(x, 1, params).dataSync();
	expect(run(net, x)).toEqual(Array.from(grouped, (value) => Math.max(value, 0)));
});

describe("what cannot be converted", () => {
	test.each<[string, () => nn.Module, NormTarget, RegExp]>([
		[
			"the network itself",
			() => new nn.BatchNorm2d(4),
			"group",
			/BatchNorm2d: it is the network itself; put it into a Sequential/,
		],
		[
			"one feature",
			() => new nn.Sequential(new nn.Linear(2, 1), new nn.BatchNorm1d(1)),
			"group",
			/BatchNorm1d "1": it is given a single value/,
		],
		[
			"one feature to layer norm",
			() => new nn.Sequential(new nn.Linear(2, 1), new nn.BatchNorm1d(1)),
			"layer",
			/a single value/,
		],
		["a lazy layer", () => new nn.Sequential(new nn.LazyBatchNorm2d()), "layer", /run the network once/],
		["a mixture", () => new nn.Sequential(new nn.SwitchableNorm2d(4)), "frozen-affine", /its statistics are a mixture/],
		[
			"no statistics",
			() => new nn.Sequential(new nn.GroupNorm(2, 4)),
			"frozen-affine",
			/no running statistics to hold/,
		],
		[
			"statistics of examples",
			() => new nn.Sequential(new nn.InstanceNorm2d(4, { trackRunningStats: true })),
			"batch",
			/single examples/,
		],
		[
			"a scale an element",
			() => new nn.Sequential(new nn.LayerNorm([4, 3])),
			"batch",
			/a scale an element, not a channel/,
		],
	])("%s", async (_, build, to, message) => {
		const net = build();
		const before = norms(net);
		await expect(convertNorms(net, { to })).rejects.toThrow(message);
		expect(norms(net)).toEqual(before);
	});

	test("a module that holds its layers in a way of its own", async () => {
		class Own extends nn.Module {
			readonly #norm = new nn.BatchNorm2d(2);
			override *namedChildren(): globalThis.Generator<[string, nn.Module]> {
				yield ["norm", this.#norm];
			}
			override forward(x: Tensor): Tensor {
				return this.#norm.forward(x);
			}
		}
		await expect(convertNorms(new Own(), { to: "group" })).rejects.toThrow(
			/BatchNorm2d "norm": Own does not let its layers be exchanged/,
		);
	});

	test("norms without a counterpart are left and reported; a mixture becomes a batch norm that needs statistics", async () => {
		const net = new nn.Sequential(new nn.RMSNorm(4), new nn.SwitchableNorm2d(4, { momentum: 0.3 }));
		const { skipped, converted, needs } = await convertNorms(net, { to: "batch" });
		expect(skipped).toEqual([{ layer: "0", type: "RMSNorm", reason: "there is no counterpart of it" }]);
		expect([converted[0].to, needs, (net.at(1) as nn.BatchNorm2d).momentum]).toEqual([
			"BatchNorm2d",
			"recalibration",
			0.3,
		]);
	});

	test("options that are none", async () => {
		await expect(convertNorms(new nn.Sequential(new nn.BatchNorm2d(4)), { to: "spectral" as "batch" })).rejects.toThrow(
			/to is one of "batch", "sync", "group".* got "spectral"/,
		);
		await expect(
			convertNorms(new nn.Sequential(new nn.BatchNorm2d(4)), { to: "group", numGroups: 1.5 }),
		).rejects.toThrow(/numGroups must be a whole number/);
	});
});
