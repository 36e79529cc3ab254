// What fold refuses, with the reason; and what goes wrong, which leaves the network as it was.

import { beforeAll, describe, expect, test } from "vitest";
import { normal, outputs, shaken } from "../../../test/support/networks.ts";
import "../../autograd/backward.ts";
import { init } from "../../backend/init.ts";
import * as nn from "../../nn/index.ts";
import { relu } from "../../ops/activation/op.ts";
import { conv2d } from "../../ops/conv/op.ts";
import { tensor } from "../../ops/creation.ts";
import { add } from "../../ops/elementwise/op.ts";
import { linear } from "../../ops/linear/op.ts";
import { reshape } from "../../ops/shape/op.ts";
import { manualSeed } from "../../random/generator.ts";
import { liveTensors, type Tensor } from "../../tensor/tensor.ts";
import { fold } from "./fold.ts";

beforeAll(async () => {
	await init({ threads: 1 });
	manualSeed(1);
});

const bn = (channels: number) => new nn.BatchNorm2d(channels);

/** y = f(conv(x)), with f to be given: what a norm's neighborhood can look like. */
class Around extends nn.Module {
	conv = new nn.Conv2d(3, 3, 3, { padding: 1 });
	bn = bn(3);
	readonly #forward: (net: Around, x: Tensor) => Tensor;
	constructor(forward: (net: Around, x: Tensor) => Tensor) {
		super();
		this.#forward = forward;
	}
	override forward(x: Tensor): Tensor {
		return this.#forward(this, x);
	}
}

/** Holds its layers where nothing can take their places. */
class Keeps extends nn.Module {
	readonly #layers = [new nn.Conv2d(3, 3, 3), bn(3)];
	override *namedChildren(): Generator<[string, nn.Module]> {
		for (const [i, layer] of this.#layers.entries()) yield [String(i), layer];
	}
	override forward(x: Tensor): Tensor {
		return this.#layers.reduce((y, layer) => layer.forward(y), x);
	}
}

describe("refused, with the reason, and the network as it was", () => {
	test.each<[string, () => nn.Module, RegExp]>([
		[
			"a second reader that is a function",
			() =>
				new Around((net, x) => {
					const y = net.conv.forward(x);
					return add(relu(net.bn.forward(y)), y);
				}),
			/the output of Conv2d "conv" is also read by the function add/,
		],
		[
			"a second reader behind detach()",
			() =>
				new Around((net, x) => {
					const y = net.conv.forward(x);
					return add(relu(net.bn.forward(y)), y.detach());
				}),
			/the output of Conv2d "conv" is also read after detach\(\)/,
		],
		[
			"a second reader behind a reshape",
			() =>
				new Around((net, x) => {
					const y = net.conv.forward(x);
					return add(relu(net.bn.forward(y)), reshape(reshape(y, [-1]), y.shape));
				}),
			/also read by the function reshape/,
		],
		[
			"a layer that runs twice",
			() => new Around((net, x) => relu(net.bn.forward(net.conv.forward(relu(net.conv.forward(x)))))),
			/Conv2d "conv" is called more than once/,
		],
		[
			"a norm that runs twice",
			() => new Around((net, x) => relu(net.bn.forward(net.conv.forward(net.bn.forward(x))))),
			/it is called 2 times/,
		],
		[
			"a weight that a function reads",
			() => new Around((net, x) => conv2d(relu(net.bn.forward(net.conv.forward(x))), net.conv.weight)),
			/the weight of Conv2d "conv" is also read by conv, outside of that layer/,
		],
		[
			"what is returned",
			() => {
				let first: Tensor | null = null;
				return new Around((net, x) => {
					first = net.conv.forward(x);
					net.bn.forward(first);
					return first;
				});
			},
			/the network also returns the output of Conv2d "conv"; behind it: nothing reads the output/,
		],
		[
			"an activation before, padding behind",
			() => new nn.Sequential(new nn.ReLU(), bn(3), new nn.Conv2d(3, 3, 3, { padding: 1 })),
			/before it: ReLU "0" makes its input, .*; behind it: Conv2d "2": it pads with zeros/,
		],
		[
			"padding on one side alone",
			() =>
				new nn.Sequential(
					new nn.ReLU(),
					bn(3),
					new nn.Conv2d(3, 3, 3, {
						padding: [
							[0, 0],
							[0, 1],
						],
					}),
				),
			/Conv2d "2": it pads with zeros/,
		],
		[
			"a transposed convolution behind",
			() => new nn.Sequential(new nn.ReLU(), bn(3), new nn.ConvTranspose2d(3, 3, 2, { stride: 2 })),
			/behind it: ConvTranspose2d "2": it is transposed/,
		],
		[
			"an average over zeros",
			() => new nn.Sequential(new nn.Conv2d(3, 3, 3), new nn.AvgPool2d(2, { padding: 1 }), bn(3)),
			/AvgPool2d "1" makes its input/,
		],
		[
			"a maximum",
			() => new nn.Sequential(new nn.Conv2d(3, 3, 3), new nn.MaxPool2d(2), bn(3)),
			/MaxPool2d "1" makes its input/,
		],
		[
			"one of two readers that cannot",
			() =>
				new Around((net, x) => {
					const y = net.bn.forward(relu(x));
					return add(conv2d(y, net.conv.weight, null, { padding: 1 }), y);
				}),
			/behind it: .* reads it, which is no layer that can take it/,
		],
		[
			"statistics of the batch in evaluation",
			() => new nn.Sequential(new nn.Conv2d(3, 3, 3), new nn.BatchNorm2d(3, { trackRunningStats: false })),
			/it has no running statistics \(trackRunningStats: false\)/,
		],
		[
			"switchable norm",
			() => new nn.Sequential(new nn.Conv2d(3, 3, 3), new nn.SwitchableNorm2d(3)),
			/depends on the example/,
		],
		[
			"weight standardization",
			() => new nn.Sequential(new nn.Conv2d(3, 3, 3, { weightStandardization: true }), bn(3)),
			/Conv2d "0" makes its input, which is no layer that can take it/,
		],
		[
			"an average across the channels, where these are columns",
			() =>
				new nn.Sequential(
					new nn.BatchNorm2d(6, { channelAxis: -1 }),
					new nn.AvgPool2d([1, 3], { stride: 1, padding: [0, 1], countIncludePad: false }),
					new nn.Linear(6, 2),
				),
			/AvgPool2d "1" reads it, which is no layer that can take it/,
		],
		["a norm that its parent keeps to itself", () => new Keeps(), /Keeps holds it in a way of its own/],
		["a network that is a norm", () => bn(3), /it is the network itself/],
	])("%s", (_, build, reason) => {
		const net = shaken(build());
		const before = outputs(net, normal([2, 3, 6, 6]));
		const state = Object.keys(net.stateDict());
		const { left, folded: done } = fold(net, normal([2, 3, 6, 6]));
		expect(done).toEqual([]);
		expect(left).toHaveLength(1);
		expect(left[0].reason).toMatch(reason);
		expect(outputs(net, normal([2, 3, 6, 6]))).toEqual(before);
		expect(Object.keys(net.stateDict())).toEqual(state);
	});

	test("channels elsewhere than the layer's", () => {
		const net = shaken(new nn.Sequential(new nn.Linear(4, 6), new nn.BatchNorm1d(3), new nn.ReLU()));
		const { left } = fold(net, normal([5, 3, 4]));
		expect(left[0].reason).toMatch(/it normalizes axis 1 of what Linear "0" makes, whose channels are at axis 2/);
	});

	test("a hook that looks at the layer's output, or the norm's", () => {
		for (const at of [0, 1]) {
			const net = new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3), new nn.ReLU());
			const remove = net.at(at)?.registerForwardHook(() => undefined);
			expect(fold(net, normal([2, 3, 6, 6])).left[0].reason).toMatch(
				/a forward hook looks at the output of Conv2d "0"/,
			);
			remove?.();
			expect(fold(net, normal([2, 3, 6, 6])).left).toEqual([]);
		}
	});

	test("a negative variance, and weights that float32 cannot hold", () => {
		const net = new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3));
		const norm = net.at(1) as nn.BatchNorm2d;
		norm.runningVar?.view().fill(-1);
		expect(fold(net, normal([1, 3, 4, 4])).left[0].reason).toMatch(/channel 0 gives no finite numbers: .* variance -1/);
		norm.runningVar?.view().fill(1);
		norm.weight?.view().fill(3e38);
		(net.at(0) as nn.Conv2d).weight.view().fill(1e3);
		expect(fold(net, normal([1, 3, 4, 4])).left[0].reason).toMatch(
			/weights of Conv2d "0" would be too large for float32/,
		);
	});
});

describe("what goes wrong leaves the network as it was", () => {
	/** Whoever calls the layers of a Sequential by their numbers needs them to stay. */
	class ByNumber extends nn.Module {
		layers = new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3), new nn.Sigmoid());
		also = new nn.Linear(4, 4);
		override forward(x: Tensor): Tensor {
			const y = this.layers.forward(x);
			if (this.layers.length !== 3) throw new Error("where is my layer?");
			return this.also.forward(y);
		}
	}

	test("a network that counts its layers", () => {
		const net = shaken(new ByNumber());
		const state = Object.entries(net.stateDict()).map(([name, value]) => [name, Array.from(value.dataSync())]);
		expect(() => fold(net, normal([1, 3, 6, 6]))).toThrow(
			/does not run: where is my layer\?; .*keepNames: true.* Nothing was changed/,
		);
		expect(Object.entries(net.stateDict()).map(([name, value]) => [name, Array.from(value.dataSync())])).toEqual(state);
		expect(net.training).toBe(true);
		expect(net.layers.at(1)).toBeInstanceOf(nn.BatchNorm2d);
		expect(fold(net, normal([1, 3, 6, 6]), { keepNames: true }).left).toEqual([]);
	});

	test("outputs that move by more than the tolerance: a weight that is read behind the op's back", () => {
		const net = shaken(
			new Around((own, x) =>
				linear(relu(own.bn.forward(own.conv.forward(x))), tensor(own.conv.weight.dataSync().slice(0, 36), [6, 6])),
			),
		);
		const before = outputs(net, normal([2, 3, 6, 6]));
		expect(() => fold(net, normal([2, 3, 6, 6]))).toThrow(/outputs move by .* more than the tolerance of 0.001/);
		expect(outputs(net, normal([2, 3, 6, 6]))).toEqual(before);
		expect(() => fold(net, normal([2, 3, 6, 6]), { tolerance: -1 })).toThrow("tolerance must be at least 0");
	});

	test("an example that does not fit", () => {
		const net = new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3));
		expect(() => fold(net, normal([1, 2, 6, 6]))).toThrow("expected 3 channels");
		expect(net.training).toBe(true);
	});

	test("nothing is left in memory, and no hook", () => {
		const net = shaken(new nn.Sequential(new nn.Conv2d(3, 3, 3), bn(3), new nn.ReLU()));
		const x = normal([1, 3, 6, 6]);
		fold(net, x);
		const alive = liveTensors();
		fold(net, x);
		expect(liveTensors()).toBe(alive);
		expect(net.modules().some(({ observed }) => observed)).toBe(false);
	});
});
