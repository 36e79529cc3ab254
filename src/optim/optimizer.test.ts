// What trajectories do not show: what optimizers accept and refuse, state and memory.

import { describe, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { LayerNorm, Linear, Sequential } from "../nn/index.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { scope } from "../tensor/scope.ts";
import { liveTensors, type Tensor } from "../tensor/tensor.ts";
import {
	Adam,
	AdamW,
	clipGradNorm,
	cosineAnnealingLR,
	linearWarmup,
	noWeightDecayOnNorms,
	type Optimizer,
	type OptimizerState,
	oneCycleLR,
	Schedule,
	SGD,
	sequentialLR,
	stepLR,
} from "./index.ts";

function parameter(...values: number[]): Tensor {
	return tensor(values, [values.length], { requiresGrad: true });
}

function give(param: Tensor, ...values: number[]): void {
	param.grad?.dispose();
	param.grad = tensor(values, param.shape);
}

/** What a checkpoint does to a state: tensors are copied, values go through JSON. */
function throughCheckpoint({ tensors, values }: OptimizerState): OptimizerState {
	const copies = Object.entries(tensors).map(([name, t]) => [name, tensor(t.dataSync(), t.shape)]);
	return { tensors: Object.fromEntries(copies), values: JSON.parse(JSON.stringify(values)) };
}

const makers: Record<string, (params: Iterable<Tensor | [string, Tensor]>) => Optimizer> = {
	"SGD with momentum": (params) => new SGD(params, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
	Adam: (params) => new Adam(params, { lr: 0.01 }),
	"AdamW with AMSGrad": (params) => new AdamW(params, { lr: 0.01, amsgrad: true }),
};

onEachBackend("optimizers", () => {
	describe.each(Object.entries(makers))("%s", (_, make) => {
		test("goes on from a loaded state bit for bit", () => {
			const run = (resumeAt: number | null) => {
				const params = [parameter(1, 2, 3), parameter(-1, 0.5)];
				let optimizer = make([
					["fc.weight", params[0]],
					["fc.bias", params[1]],
				]);
				for (let step = 0; step < 8; step++) {
					if (step === resumeAt) {
						const saved = throughCheckpoint(optimizer.stateDict());
						optimizer = make([
							["fc.weight", params[0]],
							["fc.bias", params[1]],
						]);
						optimizer.loadStateDict(saved);
					}
					give(params[0], Math.sin(step), 0.3, -step);
					give(params[1], 1 / (step + 1), 2);
					optimizer.step();
				}
				return params.map((p) => Array.from(p.dataSync()));
			};
			expect(run(4)).toEqual(run(null));
		});
		test("state made inside a scope outlives it; zeroGrad and dispose free", () => {
			const param = parameter(1, 2, 3, 4, 5);
			const optimizer = make([param]);
			const before = liveTensors();
			for (let step = 0; step < 3; step++) {
				scope(() => {
					give(param, 1, 1, 1, 1, 1);
					optimizer.step();
				});
			}
			const state = Object.values(optimizer.stateDict().tensors);
			expect(state.length).toBeGreaterThan(0);
			expect(state.every((t) => !t.disposed)).toBe(true);
			optimizer.zeroGrad();
			expect(param.grad).toBeNull();
			optimizer.dispose();
			expect(liveTensors()).toBe(before);
		});
		test("a parameter without a gradient is left alone and gets no state", () => {
			const params = [parameter(1, 2), parameter(3, 4)];
			const optimizer = make(params);
			give(params[1], 1, 1);
			optimizer.step();
			expect(Array.from(params[0].view())).toEqual([1, 2]);
			expect(Array.from(params[1].view())).not.toEqual([3, 4]);
			const { tensors } = optimizer.stateDict();
			expect(Object.keys(tensors).every((name) => name.endsWith(".1"))).toBe(true);
		});
		test("writes count as writes", () => {
			const param = parameter(1, 2);
			const { version } = param.storage;
			give(param, 1, 1);
			make([param]).step();
			expect(param.storage.version).toBeGreaterThan(version);
		});
		test("empty parameters do no harm", () => {
			const params = [zeros([0, 3], { requiresGrad: true }), parameter(1)];
			params[0].grad = zeros([0, 3]);
			give(params[1], 1);
			make(params).step();
			expect(params[1].item()).toBeLessThan(1);
		});
	});

	test("state is under PyTorch's names", () => {
		const param = parameter(1);
		give(param, 2);
		const sgd = new SGD([["0.weight", param]], { lr: 0.5, momentum: 0.9 });
		sgd.step();
		expect(Object.keys(sgd.stateDict().tensors)).toEqual(["momentum_buffer.0.weight"]);
		expect(sgd.stateDict().values).toEqual({
			optimizer: "SGD",
			groups: [{ params: ["0.weight"], lr: 0.5, momentum: 0.9, dampening: 0, nesterov: false, weightDecay: 0 }],
			steps: {},
		});
		const adam = new Adam([["0.weight", param]], { amsgrad: true });
		adam.step();
		adam.step();
		expect(Object.keys(adam.stateDict().tensors).sort()).toEqual([
			"exp_avg.0.weight",
			"exp_avg_sq.0.weight",
			"max_exp_avg_sq.0.weight",
		]);
		expect(adam.stateDict().values.steps).toEqual({ "0.weight": 2 });
	});

	test("defaults are PyTorch's", () => {
		const [group] = new AdamW([parameter(1)]).paramGroups;
		expect(group).toMatchObject({ lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 1e-2, amsgrad: false });
		expect(new Adam([parameter(1)]).paramGroups[0].weightDecay).toBe(0);
	});

	test("options may change between steps, and are checked again", () => {
		const param = parameter(1);
		const optimizer = new SGD([param], { lr: 1 });
		give(param, 1);
		optimizer.paramGroups[0].lr = 0.25;
		optimizer.step();
		expect(param.item()).toBe(0.75);
		optimizer.paramGroups[0].lr = Number.NaN;
		expect(() => optimizer.step()).toThrow("SGD: lr of group 0 must be a finite number of at least 0, got NaN");
	});

	test("addParamGroup", () => {
		const [first, second] = [parameter(1), parameter(1)];
		const optimizer = new SGD([first], { lr: 1 });
		optimizer.addParamGroup({ params: [second], lr: 0.5 });
		give(first, 1);
		give(second, 1);
		optimizer.step();
		expect([first.item(), second.item()]).toEqual([0, 0.5]);
		expect(optimizer.paramGroups[1].names).toEqual(["1"]);
		expect(() => optimizer.addParamGroup({ params: [first] })).toThrow('SGD: parameter "2" is given twice');
	});

	test("options that are missing or out of range", () => {
		const params = [parameter(1)];
		expect(() => new SGD(params)).toThrow(
			"SGD: lr of group 0 is missing; pass { lr: … }, a finite number of at least 0",
		);
		expect(() => new SGD(params, { lr: -1 })).toThrow(
			"SGD: lr of group 0 must be a finite number of at least 0, got -1",
		);
		expect(() => new SGD(params, { lr: 1, momentum: Number.POSITIVE_INFINITY })).toThrow("momentum of group 0 must be");
		expect(() => new SGD(params, { lr: 1, nesterov: true })).toThrow(
			"SGD: group 0: nesterov needs momentum above 0 and dampening 0, got momentum 0 and dampening 0",
		);
		expect(() => new Adam(params, { betas: [0.9, 1] })).toThrow(
			"Adam: betas of group 0 must be two numbers of at least 0 and below 1, got 0.9,1",
		);
		expect(() => new Adam(params, { eps: Number.NaN })).toThrow("Adam: eps of group 0 must be a finite number");
		const misspelt = { lr: 1, momentun: 0.9 };
		expect(() => new SGD(params, misspelt)).toThrow(
			'SGD: unknown option "momentun"; there are lr, momentum, dampening, nesterov, weightDecay',
		);
	});

	test("parameters that cannot be optimized", () => {
		const param = parameter(1);
		const net = { namedParameters: () => [["weight", param]] };
		// @ts-expect-error: what a caller without types may pass
		expect(() => new SGD(net, { lr: 1 })).toThrow(
			"SGD: got a module; pass its parameters: new SGD(net.namedParameters(), …)",
		);
		// @ts-expect-error: what a caller without types may pass
		expect(() => new SGD(undefined, { lr: 1 })).toThrow("params must be a list of parameters");
		// @ts-expect-error: what a caller without types may pass
		expect(() => new SGD([3], { lr: 1 })).toThrow("SGD: parameter 0 is number, expected a Tensor or [name, Tensor]");
		expect(() => new SGD([], { lr: 1 })).toThrow("SGD: there are no parameters to optimize");
		expect(() => new SGD([{ params: [] }], { lr: 1 })).toThrow("SGD: there are no parameters to optimize");
		expect(() => new SGD([param, param], { lr: 1 })).toThrow('SGD: parameter "1" is given twice');
		expect(() => new SGD([param, { params: [] }], { lr: 1 })).toThrow("SGD: params mixes groups and single parameters");
		expect(() => new SGD([tensor([1, 2], [2], { dtype: "int32" })], { lr: 1 })).toThrow(
			"is int32; only floating tensors",
		);
		const pairs: [string, Tensor][] = [
			["a", param],
			["a", parameter(2)],
		];
		expect(() => new SGD(pairs, { lr: 1 })).toThrow('SGD: two parameters are named "a"');
		const freed = parameter(1);
		freed.dispose();
		expect(() => new SGD([freed], { lr: 1 })).toThrow("has been freed");
	});

	test("a gradient of another shape", () => {
		const param = parameter(1, 2);
		param.grad = tensor([1, 2, 3]);
		expect(() => new SGD([param], { lr: 1 }).step()).toThrow("expected shape [2] on the same backend");
	});

	test("loadStateDict refuses what does not fit and then changes nothing", () => {
		const make = () => new SGD([["a", parameter(1, 2)]], { lr: 0.1, momentum: 0.9 });
		const optimizer = make();
		give(optimizer.paramGroups[0].params[0], 1, 1);
		optimizer.step();
		const before = Array.from(optimizer.stateDict().tensors["momentum_buffer.a"].view());
		const good = () => throughCheckpoint(optimizer.stateDict());
		const refuse = (change: (state: OptimizerState) => void, message: string) => {
			const state = good();
			change(state);
			expect(() => optimizer.loadStateDict(state)).toThrow(message);
			expect(optimizer.paramGroups[0].lr).toBe(0.1);
			expect(Array.from(optimizer.stateDict().tensors["momentum_buffer.a"].view())).toEqual(before);
		};
		refuse(
			(s) => (s.values.optimizer = "Adam"),
			"SGD.loadStateDict: this is the state of Adam, and the optimizer is SGD",
		);
		refuse((s) => (s.values.groups = []), "the state has 0 parameter groups, the optimizer 1");
		refuse((s) => (s.values.groups = [{ ...s.values.groups[0], params: ["b"] }]), 'group 0 is of parameters ["b"]');
		refuse((s) => (s.values.groups = [{ ...s.values.groups[0], lr: "x" }]), "lr of group 0 must be a finite number");
		refuse((s) => (s.tensors.what = tensor([1])), '"what" belongs to no parameter of the optimizer');
		refuse((s) => (s.tensors["momentum_buffer.b"] = tensor([1])), '"momentum_buffer.b" belongs to no parameter');
		refuse((s) => (s.tensors["momentum_buffer.a"] = tensor([1])), '"momentum_buffer.a" has shape [1], expected [2]');
		refuse((s) => (s.values.steps = { a: 0.5 }), '"a" took 0.5 steps');
		optimizer.loadStateDict(good());
	});

	test("noWeightDecayOnNorms: what has two dimensions decays, the rest does not", () => {
		const named: [string, Tensor][] = [
			["fc.weight", zeros([3, 2], { requiresGrad: true })],
			["fc.bias", zeros([3], { requiresGrad: true })],
			["bn.weight", zeros([3], { requiresGrad: true })],
			["conv.weight", zeros([2, 1, 3, 3], { requiresGrad: true })],
		];
		for (const net of [named, { namedParameters: () => named }]) {
			const optimizer = new AdamW(noWeightDecayOnNorms(net, { weightDecay: 0.05 }), { lr: 0.1 });
			expect(optimizer.paramGroups.map(({ names, weightDecay, lr }) => ({ names, weightDecay, lr }))).toEqual([
				{ names: ["fc.weight", "conv.weight"], weightDecay: 0.05, lr: 0.1 },
				{ names: ["fc.bias", "bn.weight"], weightDecay: 0, lr: 0.1 },
			]);
		}
		const [decaying, rest] = noWeightDecayOnNorms(new Sequential(new Linear(6, 6), new LayerNorm([2, 3])), {
			weightDecay: 0.05,
		});
		expect([decaying, rest].map(({ params }) => [...params].length)).toEqual([1, 3]);
		expect(() => noWeightDecayOnNorms(named, { weightDecay: -1 })).toThrow(
			"weightDecay must be a finite number of at least 0",
		);
	});

	test("clipGradNorm: small gradients, none, and ones that are not finite stay", () => {
		const param = parameter(1, 2);
		expect(clipGradNorm([param], 1)).toBe(0);
		give(param, 3, 4);
		expect(clipGradNorm([param], 10)).toBe(5);
		expect(Array.from(param.grad?.view() ?? [])).toEqual([3, 4]);
		give(param, 3, Number.POSITIVE_INFINITY);
		expect(clipGradNorm([param], 1)).toBe(Number.POSITIVE_INFINITY);
		expect(Array.from(param.grad?.view() ?? [])).toEqual([3, Number.POSITIVE_INFINITY]);
		expect(() => clipGradNorm([param], 0)).toThrow("clipGradNorm: maxNorm must be above 0, got 0");
	});
});

describe("schedules", () => {
	const groups = (...lrs: number[]) => ({ paramGroups: lrs.map((lr) => ({ lr, momentum: 0.9 })) });

	test("sequentialLR counts each schedule from its milestone", () => {
		const optimizer = groups(1);
		const parts = [stepLR(optimizer, { stepSize: 2, gamma: 0.5 }), cosineAnnealingLR(optimizer, { tMax: 2 })];
		const schedule = sequentialLR(optimizer, parts, [3]);
		const seen = Array.from({ length: 6 }, () => {
			const [lr] = schedule.lrs;
			schedule.step();
			return Number(lr.toFixed(12));
		});
		expect(seen).toEqual([1, 1, 0.5, 1, 0.5, 0]);
	});
	test("one cycle ends: the step after the last is an error", () => {
		const schedule = oneCycleLR(groups(0.1), { maxLr: 1, totalSteps: 4 });
		for (let step = 0; step < 4; step++) schedule.step();
		expect(schedule.lrs[0]).toBeCloseTo(1 / 25 / 1e4, 12);
		expect(() => schedule.step()).toThrow(
			"oneCycleLR: step 5 is beyond the schedule, which ends at 4; give it more steps",
		);
	});
	test.each([1, 2, 3])("one cycle of %i steps has finite rates", (totalSteps) => {
		for (const pctStart of [0, 0.3, 0.5, 1]) {
			const schedule = oneCycleLR(groups(0.1), { maxLr: 1, totalSteps, pctStart });
			for (let step = 0; step < totalSteps; step++) {
				expect(Number.isFinite(schedule.lrs[0])).toBe(true);
				schedule.step();
			}
		}
	});
	test("options out of range", () => {
		const optimizer = groups(0.1);
		expect(() => stepLR(optimizer, { stepSize: 0 })).toThrow(
			"stepLR: stepSize must be a whole number of at least 1, got 0",
		);
		expect(() => stepLR(optimizer, { stepSize: 1, gamma: Number.NaN })).toThrow(
			"stepLR: gamma must be a finite number",
		);
		expect(() => cosineAnnealingLR(optimizer, { tMax: 1.5 })).toThrow("cosineAnnealingLR: tMax must be a whole number");
		expect(() => linearWarmup(optimizer, { steps: 2, startFactor: 0 })).toThrow(
			"startFactor must be above 0 and at most 1",
		);
		expect(() => oneCycleLR(optimizer, { maxLr: [1, 2], totalSteps: 9 })).toThrow(
			"maxLr has 2 rates for 1 parameter groups",
		);
		expect(() => oneCycleLR({ paramGroups: [{ lr: 1 }] }, { maxLr: 1, totalSteps: 9 })).toThrow(
			"oneCycleLR: the optimizer has no momentum to move",
		);
		expect(() => sequentialLR(optimizer, [], [])).toThrow("sequentialLR: 0 schedules need");
		// @ts-expect-error: what a caller without types may pass
		expect(() => new Schedule(null, "stepLR", {})).toThrow("stepLR: the first argument must be an optimizer, got null");
	});
	test("setState refuses what does not fit", () => {
		const schedule = oneCycleLR(groups(0.1), { maxLr: 1, totalSteps: 4 });
		expect(() => schedule.setState({ step: 5, initialLrs: [1] })).toThrow(
			"step must be a whole number from 0 to 4, got 5",
		);
		expect(() => schedule.setState({ step: 1, initialLrs: [] })).toThrow(
			"expected the initial learning rates of 1 groups",
		);
	});
});
