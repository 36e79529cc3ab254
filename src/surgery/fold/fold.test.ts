// fold on networks: what comes out is what came out before, or the norm stays and the report says why.

import { beforeAll, describe, expect, test } from "vitest";
import { normal, outputs, shaken } from "../../../test/support/networks.ts";
import "../../autograd/backward.ts";
import { withBackend } from "../../backend/backend.ts";
import { init } from "../../backend/init.ts";
import * as nn from "../../nn/index.ts";
import { relu } from "../../ops/activation/op.ts";
import { add } from "../../ops/elementwise/op.ts";
import { reshape } from "../../ops/shape/op.ts";
import { presetNamed, presets } from "../../presets/index.ts";
import { manualSeed } from "../../random/generator.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { differenceOf } from "./difference.ts";
import { fold } from "./fold.ts";

beforeAll(async () => {
	await init({ threads: 1 });
	manualSeed(1);
});

/** Folds `net` and checks its outputs on another input than the example. Returns the report, shortened. */
function folded(net: nn.Module, shape: readonly number[], options: { keepNames?: boolean } = {}) {
	shaken(net);
	const other = normal(shape, 9);
	const expected = outputs(net, other);
	const report = fold(net, normal(shape), options);
	expect(differenceOf(outputs(net, other), expected).relative).toBeLessThan(1e-5);
	expect(report.difference.relative).toBeLessThan(1e-5);
	expect(net.training).toBe(false);
	return {
		report,
		how: report.folded.map(({ norm, into, how }) => `${norm} ${how} ${into.join(" and ")}`),
		left: report.left.map(({ norm, reason }) => `${norm}: ${reason}`),
	};
}

const norms = (net: nn.Module) =>
	net.modules().filter((module) => module instanceof nn.BatchNorm2d || module instanceof nn.BatchNorm1d);
const bn = (channels: number) => new nn.BatchNorm2d(channels);

describe("a norm behind a layer", () => {
	const make: Record<string, [() => nn.Module, readonly number[]]> = {
		"Conv2d without a bias": [() => new nn.Sequential(new nn.Conv2d(3, 5, 3, { bias: false }), bn(5)), [2, 3, 6, 7]],
		"Conv2d, padded, strided, dilated": [
			() => new nn.Sequential(new nn.Conv2d(3, 5, 3, { padding: 2, stride: 2, dilation: 2 }), bn(5), new nn.ReLU()),
			[2, 3, 9, 9],
		],
		"Conv2d in groups": [() => new nn.Sequential(new nn.Conv2d(6, 9, [1, 3], { groups: 3 }), bn(9)), [2, 6, 4, 5]],
		"a depthwise Conv2d": [() => new nn.Sequential(new nn.Conv2d(4, 4, 3, { groups: 4 }), bn(4)), [2, 4, 5, 5]],
		Conv1d: [() => new nn.Sequential(new nn.Conv1d(3, 4, 3), new nn.BatchNorm1d(4)), [2, 3, 8]],
		ConvTranspose1d: [
			() => new nn.Sequential(new nn.ConvTranspose1d(4, 6, 3, { stride: 2, groups: 2 }), new nn.BatchNorm1d(6)),
			[2, 4, 5],
		],
		ConvTranspose2d: [
			() =>
				new nn.Sequential(
					new nn.ConvTranspose2d(3, 5, 3, { stride: 2, padding: 1, outputPadding: 1, bias: false }),
					bn(5),
				),
			[2, 3, 4, 5],
		],
		"ConvTranspose2d in groups": [
			() => new nn.Sequential(new nn.ConvTranspose2d(6, 4, [2, 3], { stride: 2, groups: 2 }), bn(4)),
			[2, 6, 4, 5],
		],
		Linear: [() => new nn.Sequential(new nn.Linear(4, 6), new nn.BatchNorm1d(6)), [5, 4]],
		"Linear on more axes, channels last": [
			() => new nn.Sequential(new nn.Linear(4, 6), new nn.BatchNorm1d(6, { channelAxis: -1 })),
			[5, 3, 4],
		],
		"a norm without scale and shift": [
			() => new nn.Sequential(new nn.Conv2d(3, 5, 3), new nn.BatchNorm2d(5, { affine: false, eps: 0.1 })),
			[2, 3, 6, 6],
		],
		"batch renormalization": [() => new nn.Sequential(new nn.Conv2d(3, 5, 3), new nn.BatchRenorm2d(5)), [2, 3, 6, 6]],
		"a frozen affine layer": [
			() => new nn.Sequential(new nn.Conv2d(3, 5, 3), new nn.FrozenAffine(5, { eps: 0.01 }), new nn.ReLU()),
			[2, 3, 6, 6],
		],
		"Identity and Dropout between": [
			() => new nn.Sequential(new nn.Conv2d(3, 5, 3), new nn.Identity(), new nn.Dropout(0.5), bn(5)),
			[2, 3, 6, 6],
		],
		"an average between": [() => new nn.Sequential(new nn.Conv2d(3, 5, 3), new nn.AvgPool2d(2), bn(5)), [2, 3, 6, 6]],
		"a linear layer whose output becomes images": [() => new Generates(), [3, 4]],
	};
	test.each(Object.entries(make))("%s", (_, [build, shape]) => {
		const net = build();
		const { how, left } = folded(net, shape);
		expect(left).toEqual([]);
		expect(how).toHaveLength(1);
		expect(how[0]).toMatch(/ before (Conv|Linear)/);
		expect(net.modules().some((module) => /Norm|Affine/.test(module.constructor.name))).toBe(false);
	});
});

/** A linear layer, then images of 2 channels from its 18 outputs: each channel is 9 of them. */
class Generates extends nn.Module {
	fc = new nn.Linear(4, 18);
	bn = bn(2);
	override forward(x: Tensor): Tensor {
		return relu(this.bn.forward(reshape(this.fc.forward(x), [-1, 2, 3, 3])));
	}
}

describe("a norm in front of a layer", () => {
	test.each<[string, () => nn.Module, readonly number[]]>([
		["Conv2d", () => new nn.Sequential(new nn.ReLU(), bn(3), new nn.Conv2d(3, 5, 3, { bias: false })), [2, 3, 6, 6]],
		[
			"Conv2d in groups",
			() => new nn.Sequential(bn(6), new nn.Conv2d(6, 9, 3, { groups: 3, stride: 2 })),
			[2, 6, 7, 7],
		],
		["Linear", () => new nn.Sequential(new nn.BatchNorm1d(4), new nn.Linear(4, 3)), [5, 4]],
		[
			"Linear behind an average, a Dropout and Flatten",
			() => new nn.Sequential(bn(3), new nn.AvgPool2d(2), new nn.Dropout(), new nn.Flatten(), new nn.Linear(27, 4)),
			[2, 3, 6, 6],
		],
		[
			"a transposed convolution of one pixel",
			() => new nn.Sequential(bn(3), new nn.ConvTranspose2d(3, 4, 1)),
			[2, 3, 4, 4],
		],
		["two layers", () => new Forks(), [2, 3, 6, 6]],
	])("%s", (_, build, shape) => {
		const net = build();
		const { how, left } = folded(net, shape);
		expect(left).toEqual([]);
		expect(how[0]).toMatch(/ behind (Conv|Linear)/);
		expect(norms(net)).toEqual([]);
	});

	test("without a shift, zeros around the input stay right: padding does no harm", () => {
		for (const next of [new nn.Conv2d(3, 5, 3, { padding: 1 }), new nn.ConvTranspose2d(3, 5, 3, { stride: 2 })]) {
			const net = shaken(new nn.Sequential(new nn.ReLU(), bn(3), next));
			const norm = net.at(1) as nn.BatchNorm2d;
			norm.bias?.view().fill(0);
			norm.runningMean?.view().fill(0);
			const expected = outputs(net, normal([2, 3, 5, 5], 8));
			expect(fold(net, normal([2, 3, 5, 5])).left).toEqual([]);
			expect(differenceOf(outputs(net, normal([2, 3, 5, 5], 8)), expected).relative).toBeLessThan(1e-6);
		}
	});
});

/** What its norm returns is read by two convolutions, one of them through an average. */
class Forks extends nn.Module {
	bn = bn(3);
	a = new nn.Conv2d(3, 4, 1);
	pool = new nn.AdaptiveAvgPool2d(3);
	b = new nn.Conv2d(3, 4, 1, { stride: 2 });
	override forward(x: Tensor): Tensor {
		const y = this.bn.forward(relu(x));
		return add(this.b.forward(y), this.a.forward(this.pool.forward(y)));
	}
}

describe("norms behind norms", () => {
	test("with a layer before them, all go into it", () => {
		const net = new nn.Sequential(new nn.Conv2d(3, 4, 3), bn(4), bn(4), new nn.BatchNorm2d(4, { affine: false }));
		const { how, report } = folded(net, [2, 3, 5, 5]);
		expect(how).toHaveLength(3);
		expect(report.layers).toEqual({ before: 4, after: 1 });
	});

	test("without one, the first takes the second; one without parameters gets some", () => {
		const net = new nn.Sequential(new nn.BatchNorm2d(3, { affine: false }), bn(3), new nn.ReLU());
		const { how, left } = folded(net, [2, 3, 5, 5]);
		expect(how).toEqual(['BatchNorm2d "1" norm BatchNorm2d "0"']);
		expect(left).toEqual([expect.stringContaining("it reads the network's input")]);
		const frozen = folded(new nn.Sequential(new nn.FrozenAffine(3), bn(3), new nn.ReLU()), [2, 3, 5, 5]);
		expect(frozen.left[1]).toMatch(
			/BatchNorm2d "1": before it: FrozenAffine "0" makes its input, whose numbers are fixed/,
		);
	});
});

describe("whole networks", () => {
	test.each(presets.map(({ name }) => name))(
		"preset %s folds to none, and to the names of one built without norms",
		(name) => {
			const preset = presetNamed(name);
			const net = preset.build({ norm: "batch" });
			const { left } = folded(net, [3, ...preset.inputShape]);
			expect(left).toEqual([]);
			expect(norms(net)).toEqual([]);
			const plain = preset.build({ norm: "none" });
			plain.loadStateDict(net.stateDict());
			const x = normal([3, ...preset.inputShape], 5);
			expect(outputs(plain, x)).toEqual(outputs(net, x));
		},
	);

	test("names stay where that is asked for", () => {
		const net = new nn.Sequential(new nn.Conv2d(3, 4, 3), bn(4), new nn.ReLU(), new nn.Conv2d(4, 2, 3));
		folded(net, [2, 3, 6, 6], { keepNames: true });
		expect(Object.keys(net.stateDict())).toEqual(["0.weight", "0.bias", "3.weight", "3.bias"]);
		expect(net.at(1)).toBeInstanceOf(nn.Identity);
	});

	test("a list whose items somebody calls by their numbers keeps them", () => {
		class ByNumber extends nn.Module {
			layers = new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3), new nn.Sigmoid());
			override forward(x: Tensor): Tensor {
				return [0, 1, 2].reduce((y, at) => this.layers.at(at)?.forward(y) ?? y, x);
			}
		}
		const net = new ByNumber();
		expect(folded(net, [1, 3, 5, 5]).left).toEqual([]);
		expect(net.layers.at(1)).toBeInstanceOf(nn.Identity);
	});

	test("weights that two layers share: the other keeps what it had", () => {
		const [a, b] = [new nn.Conv2d(3, 3, 3, { padding: 1 }), new nn.Conv2d(3, 3, 3, { padding: 1 })];
		b.weight = a.weight;
		const net = new nn.Sequential(a, bn(3), new nn.ReLU(), b);
		const { left } = folded(net, [2, 3, 5, 5]);
		expect(left).toEqual([]);
		expect(b.weight).not.toBe(a.weight);
	});

	test("one Sequential that is called twice is not folded", () => {
		class Twice extends nn.Module {
			body = new nn.Sequential(new nn.Conv2d(3, 3, 3, { padding: 1 }), bn(3));
			override forward(x: Tensor): Tensor {
				return this.body.forward(relu(this.body.forward(x)));
			}
		}
		expect(folded(new Twice(), [1, 3, 4, 4]).left).toEqual(['BatchNorm2d "body.1": it is called 2 times']);
	});

	test("frozen norms fold, and parameters that are not trained stay so", () => {
		const net = new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3).freeze());
		for (const parameter of net.parameters()) parameter.setRequiresGrad(false);
		folded(net, [1, 3, 5, 5]);
		expect(net.parameters().map(({ requiresGrad }) => requiresGrad)).toEqual([false, false]);
	});

	test("several inputs", () => {
		class Two extends nn.Module {
			a = new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4));
			b = new nn.Linear(2, 4);
			override forward(x: Tensor, z: Tensor): Tensor {
				return add(this.a.forward(x), this.b.forward(z));
			}
		}
		expect(fold(shaken(new Two()), [normal([2, 3]), normal([2, 2])]).left).toEqual([]);
	});

	test("on the reference backend too", async () => {
		const { referenceBackend } = await import("../../backend/reference/reference-backend.ts");
		withBackend(referenceBackend, () => {
			const net = new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3));
			folded(net, [1, 3, 5, 5]);
			expect(net.parameters().map(({ backend }) => backend.name)).toEqual(["reference", "reference"]);
		});
	});
});
