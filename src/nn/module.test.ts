import { beforeAll, describe, expect, test } from "vitest";
import "../autograd/backward.ts";
import "../ops/tensor-methods.ts";
import { init } from "../backend/init.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { batchNorm } from "../ops/norm/batch-norm/op.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { startTrace, stopTrace } from "../trace.ts";
import { ModuleList, Sequential } from "./containers.ts";
import { constant } from "./init.ts";
import { ReLU, Sigmoid } from "./layers/activation.ts";
import { BatchNorm1d, BatchNorm2d } from "./layers/batch-norm.ts";
import { BatchRenorm2d } from "./layers/batch-renorm.ts";
import { Linear } from "./layers/linear.ts";
import { AvgPool2d, MaxPool2d } from "./layers/pool.ts";
import { SwitchableNorm2d } from "./layers/switchable-norm.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { countParameters, summary } from "./summary.ts";

class Scale extends Module {
	weight = constant(new Parameter([3]), 2);
	override forward(x: Tensor): Tensor {
		return batchNorm(x, { training: true, weight: this.weight });
	}
}

class Net extends Module {
	first = new Scale();
	bn1 = new BatchNorm1d(3);
	blocks = new ModuleList([new BatchNorm1d(3), new Sequential(new BatchNorm1d(3, { affine: false }))]);
	override forward(x: Tensor): Tensor {
		let out = this.bn1.forward(this.first.forward(x));
		for (const block of this.blocks) out = block.forward(out);
		return out;
	}
}

beforeAll(async () => {
	await init({ threads: 1 });
});

const batch = () => tensor([1, 2, 3, 4, 5, 7, 9, 11, 14], [3, 3]);

describe("the tree", () => {
	test("parameters and buffers have PyTorch's names, module by module", () => {
		expect([...new Net().namedParameters()].map(([name]) => name)).toEqual([
			"first.weight",
			"bn1.weight",
			"bn1.bias",
			"blocks.0.weight",
			"blocks.0.bias",
		]);
		expect(Object.keys(new BatchNorm2d(4).stateDict())).toEqual([
			"weight",
			"bias",
			"running_mean",
			"running_var",
			"num_batches_tracked",
		]);
		expect(Object.keys(new Net().stateDict()).filter((name) => name.startsWith("blocks.1"))).toEqual([
			"blocks.1.0.running_mean",
			"blocks.1.0.running_var",
			"blocks.1.0.num_batches_tracked",
		]);
	});

	test("a parameter used twice is listed once", () => {
		class Tied extends Net {
			second = this.first;
		}
		expect(new Tied().parameters().length).toBe(new Net().parameters().length);
		expect(countParameters(new Net())).toBe(15);
	});

	test("a module used twice has both names in its state, as in PyTorch, and loads from one", () => {
		class Twice extends Module {
			a = new Linear(2, 2);
			b = this.a;
			itself = this;
			override forward(x: Tensor): Tensor {
				return this.b.forward(this.a.forward(x));
			}
		}
		const net = new Twice();
		const state = net.stateDict();
		expect(Object.keys(state)).toEqual(["a.weight", "a.bias", "b.weight", "b.bias"]);
		expect(net.parameters().length).toBe(2);
		expect(new Twice().loadStateDict(state)).toEqual({ missing: [], unexpected: [], mismatched: [] });
		const { "b.weight": _, "b.bias": __, ...half } = state;
		expect(new Twice().loadStateDict(half).missing).toEqual([]);
	});

	test("train and eval reach every module", () => {
		const net = new Net();
		expect(
			net
				.eval()
				.modules()
				.every((module) => !module.training),
		).toBe(true);
		expect(
			net
				.train()
				.modules()
				.every((module) => module.training),
		).toBe(true);
	});

	test("errors name the place in the network once it has been walked", () => {
		const net = new Net();
		net.parameters();
		expect(() => net.bn1.forward(zeros([2, 5]))).toThrow(
			'BatchNorm1d "bn1": expected 3 channels at axis 1, got shape [2, 5]; build it with numFeatures 5',
		);
		expect(() => new Sequential(new BatchNorm1d(3)).forward(zeros([2, 5]))).toThrow('BatchNorm1d "0": expected 3');
	});

	test("summary runs the layers in evaluation mode and leaves the network as it was", () => {
		const net = new Net();
		net.blocks.at(0)?.eval();
		const rows = summary(net, batch());
		expect(rows.map(({ name, type, outputShape, parameters }) => [name, type, outputShape.join(), parameters])).toEqual(
			[
				["first", "Scale", "3,3", 3],
				["bn1", "BatchNorm1d", "3,3", 6],
				["blocks.0", "BatchNorm1d", "3,3", 6],
				["blocks.1.0", "BatchNorm1d", "3,3", 0],
			],
		);
		expect(net.bn1.training).toBe(true);
		expect(net.blocks.at(0)?.training).toBe(false);
		expect(net.bn1.numBatchesTracked?.item()).toBe(0);
		expect(Object.keys(net.bn1)).not.toContain("forward");
	});
});

describe("state", () => {
	test("what one network saves, another loads, buffers included", () => {
		const net = new Net();
		net.forward(batch());
		const other = new Net();
		expect(other.loadStateDict(net.stateDict())).toEqual({ missing: [], unexpected: [], mismatched: [] });
		expect(other.bn1.runningMean?.dataSync()).toEqual(net.bn1.runningMean?.dataSync());
		expect(other.bn1.numBatchesTracked?.item()).toBe(1);
		expect(other.bn1.runningVar?.view()[0]).not.toBe(1);
	});

	test("parameters, buffers and gradients outlive the scope they were made in", () => {
		const net = scope(() => {
			const made = new Net();
			const y = made.forward(batch());
			y.backward(batch());
			return { made: [made] };
		}).made[0];
		expect(net.first.weight.grad?.size).toBe(3);
		expect(net.bn1.runningVar?.disposed).toBe(false);
		const { grad } = net.first.weight;
		net.zeroGrad();
		expect(net.first.weight.grad).toBeNull();
		expect(grad?.disposed).toBe(true);
	});
});

describe("hooks", () => {
	test("a forward hook reads activations, and through them gradients", () => {
		const net = new Net();
		const seen: string[] = [];
		let arrived: number[] = [];
		const remove = net.bn1.registerForwardHook((module, [x], y) => {
			seen.push(`${module.constructor.name} ${x.shape} ${y.shape}`);
			y.registerHook((grad) => {
				arrived = [...grad.dataSync()];
				return undefined;
			});
			return undefined;
		});
		scope(() => net.forward(batch()).backward(batch()));
		expect(seen).toEqual(["BatchNorm1d 3,3 3,3"]);
		expect(arrived.length).toBe(9);
		remove();
		net.forward(batch());
		expect(seen.length).toBe(1);
	});

	test("what a hook returns takes the output's place", () => {
		const net = new Sequential(new BatchNorm1d(3));
		net.at(0)?.registerForwardHook(() => zeros([1]));
		expect(net.forward(batch()).shape).toEqual([1]);
	});
});

test("splice changes a list in place, and the names of what stands behind", () => {
	const block = new Sequential(new BatchNorm1d(3));
	const net = new Sequential(new BatchNorm1d(3), new ReLU(), block);
	expect([...net.namedModules()].at(-1)?.[1].label).toBe('BatchNorm1d "2.0"');
	const [removed] = net.splice(1, 1);
	expect(removed).toBeInstanceOf(ReLU);
	expect([net.length, Object.keys(net.stateDict())[5]]).toEqual([2, "1.0.weight"]);
	expect(block.at(0)?.label).toBe('BatchNorm1d "1.0"');
	net.splice(-1, 0, removed);
	expect([...net].map(({ label }) => label)).toEqual(['BatchNorm1d "0"', 'ReLU "1"', 'Sequential "2"']);
	expect(() => net.splice(0, 0, JSON.parse("{}"))).toThrow("Sequential: splice takes modules");
});

describe("Sequential does a norm, its activation and the pooling behind it in one operation", () => {
	const images = () =>
		tensor(
			Float32Array.from({ length: 2 * 3 * 20 }, (_, i) => Math.sin(i)),
			[2, 3, 4, 5],
		);
	const net = () => new Sequential(new BatchNorm2d(3), new ReLU(), new BatchNorm2d(3), new Sigmoid(), new ReLU());
	const opsOf = (run: () => void) => {
		startTrace();
		run();
		return stopTrace()
			.filter(({ kind }) => kind === "forward")
			.map(({ name }) => name);
	};

	test("and gives the bits of the layers one after the other", () => {
		const fused = net();
		const layered = net();
		const x = images();
		let out = x;
		const run = () => {
			out = fused.forward(x);
		};
		expect(opsOf(run)).toEqual(["batchNorm", "batchNorm", "relu"]);
		let expected = x;
		for (const layer of layered) expected = layer.forward(expected);
		expect(out.dataSync()).toEqual(expected.dataSync());
		expect(fused.stateDict()["2.running_var"].dataSync()).toEqual(layered.stateDict()["2.running_var"].dataSync());
	});

	test("a norm that has a forward of its own runs it", () => {
		class Doubled extends BatchNorm2d {
			override forward(x: Tensor): Tensor {
				return super.forward(x).mul(2);
			}
		}
		for (const make of [() => new SwitchableNorm2d(3), () => new BatchRenorm2d(3), () => new Doubled(3)]) {
			const pooled = new AvgPool2d(2).forward(new ReLU().forward(make().forward(images()))).dataSync();
			expect(new Sequential(make(), new ReLU(), new AvgPool2d(2)).forward(images()).dataSync()).toEqual(pooled);
			const expected = new ReLU().forward(make().forward(images())).dataSync();
			expect(new Sequential(make(), new ReLU()).forward(images()).dataSync()).toEqual(expected);
		}
	});

	test("also with the average over windows of 2 x 2 behind them, and that alone", () => {
		const after = (pool: Module) => new Sequential(new BatchNorm2d(3), new Sigmoid(), pool, new ReLU());
		const run = (pool: Module) => opsOf(() => void after(pool).forward(images()));
		expect(run(new AvgPool2d(2))).toEqual(["batchNorm", "relu"]);
		expect(run(new AvgPool2d([2, 2], { stride: 2 }))).toEqual(["batchNorm", "relu"]);
		for (const pool of [
			new AvgPool2d(3),
			new AvgPool2d([2, 1]),
			new AvgPool2d(2, { stride: 1 }),
			new AvgPool2d(2, { padding: 1 }),
			new AvgPool2d(2, { ceilMode: true }),
			new MaxPool2d(2),
		]) {
			expect(run(pool).slice(0, 2)).toEqual(["batchNorm", pool instanceof MaxPool2d ? "maxPool" : "avgPool"]);
		}
		const pools = [new AvgPool2d(2), new AvgPool2d(2)];
		const [fused, layered] = pools.map(after);
		let expected = images();
		for (const layer of layered) expected = layer.forward(expected);
		expect(fused.forward(images()).dataSync()).toEqual(expected.dataSync());

		pools[0].registerForwardHook(() => undefined);
		expect(opsOf(() => void fused.forward(images()))).toEqual(["batchNorm", "avgPool", "relu"]);
	});

	test("but not where a hook looks in between", () => {
		const observed = net();
		const shapes: string[] = [];
		const look = (at: number) =>
			observed.at(at)?.registerForwardHook((module, _, y) => void shapes.push(`${module.path} ${y.shape}`));
		look(0);
		look(3);
		expect(opsOf(() => observed.forward(images()))).toEqual(["batchNorm", "relu", "batchNorm", "sigmoid", "relu"]);
		expect(shapes).toEqual(["0 2,3,4,5", "3 2,3,4,5"]);
	});
});
