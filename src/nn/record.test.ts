import { beforeAll, describe, expect, test } from "vitest";
import { init } from "../backend/init.ts";
import { ones, zeros } from "../ops/creation.ts";
import { add, mul } from "../ops/elementwise/op.ts";
import { watchOps } from "../ops/op.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import * as nn from "./index.ts";
import { recordOps } from "./record.ts";

beforeAll(async () => {
	await init({ threads: 1 });
});

/** A residual block with a layer that runs twice. */
class Block extends nn.Module {
	body = new nn.Sequential(new nn.Conv2d(2, 2, 3, { padding: 1 }), new nn.BatchNorm2d(2), new nn.ReLU());
	relu = new nn.ReLU();

	override forward(x: Tensor): Tensor {
		return this.relu.forward(add(this.relu.forward(this.body.forward(x)), x));
	}
}

function opsOf(net: nn.Module, shape: readonly number[], training = false): string[] {
	const ops: string[] = [];
	scope(() =>
		recordOps(
			net,
			() => void net.forward(zeros(shape)),
			({ path, name, module }) => ops.push(`${path}:${name} ${module.training}`),
			{ training },
		),
	);
	return ops;
}

describe("recordOps", () => {
	test("each op with the module that ran it; norms and activations by themselves", () => {
		const net = new nn.Sequential(new Block());
		expect(opsOf(net, [1, 2, 4, 4])).toEqual([
			...["0.body.0:conv false", "0.body.1:batchNorm false", "0.body.2:relu false"],
			...["0.relu:relu false", "0:add false", "0.relu:relu false"],
		]);
		expect(net.training).toBe(true);
		// Nothing is left behind: what was fused before is fused again.
		const names: string[] = [];
		watchOps(
			({ name }) => names.push(name),
			() => scope(() => void net.forward(ones([2, 2, 4, 4]))),
		);
		expect(names).toEqual(["conv", "batchNorm", "relu", "add", "relu"]);
	});

	test("in training mode, and with the mode put back after an error", () => {
		const net = new nn.Sequential(new nn.BatchNorm1d(3)).eval();
		expect(opsOf(net, [4, 3], true)).toEqual(["0:batchNorm true"]);
		expect(() => opsOf(net, [1, 3], true)).toThrow("more than one value a channel");
		expect(net.training).toBe(false);
		expect(Object.hasOwn(net, "forward")).toBe(false);
		const quiet: string[] = [];
		watchOps(
			({ name }) => quiet.push(name),
			() => undefined,
		);
		scope(() => void mul(ones([2]), 2));
		expect(quiet).toEqual([]);
	});
});

describe("forward pre-hooks", () => {
	test("see the inputs before forward, and can be removed", () => {
		const net = new nn.Sequential(new nn.Linear(3, 2));
		const seen: string[] = [];
		const remove = net.registerForwardPreHook((module, [x]) => void seen.push(`${module.label} ${x.shape}`));
		expect(net.observed).toBe(true);
		net.forward(zeros([4, 3]));
		remove();
		net.forward(zeros([5, 3]));
		expect(seen).toEqual(["Sequential 4,3"]);
		expect(net.observed).toBe(false);
	});
});

describe("floating-point operations", () => {
	test.each<[string, () => nn.Module, readonly number[], number]>([
		// 2 · 3 · 3 · 3 multiply-adds and a bias for each of 4 · 5 · 5 outputs
		["Conv2d", () => new nn.Conv2d(3, 4, 3), [1, 3, 7, 7], 100 * (2 * 27 + 1)],
		["Conv2d in groups", () => new nn.Conv2d(4, 4, 3, { groups: 2, bias: false }), [1, 4, 5, 5], 36 * 2 * 18],
		// 3 · 49 inputs, each times 4 · 9 weights; 4 · 81 outputs get a bias
		["ConvTranspose2d", () => new nn.ConvTranspose2d(3, 4, 3), [1, 3, 7, 7], 2 * 147 * 36 + 324],
		["Linear", () => new nn.Linear(6, 5), [2, 6], 10 * (2 * 6 + 1)],
		["BatchNorm2d", () => new nn.BatchNorm2d(3), [1, 3, 2, 2], 12 * 2],
		["LayerNorm", () => new nn.LayerNorm(4), [3, 4], 12 * 8],
		["ReLU", () => new nn.ReLU(), [2, 3], 6],
		["Softmax", () => new nn.Softmax(), [2, 3], 30],
		["Flatten", () => new nn.Flatten(), [2, 3, 4], 0],
		["AvgPool2d", () => new nn.AvgPool2d(2), [1, 2, 4, 4], 32 + 8],
		["MaxPool2d", () => new nn.MaxPool2d(2), [1, 2, 4, 4], 8 * 4],
	])("%s", (_, make, shape, flops) => {
		const layer = make();
		const [row] = scope(() => nn.summary(layer, zeros(shape)));
		expect(row.flops).toBe(flops);
		expect(scope(() => nn.countFlops(layer, zeros(shape)))).toBe(flops);
	});

	test("what is done between layers is in the sum alone; a layer that runs twice has two rows", () => {
		const net = new Block();
		const x = zeros([1, 2, 4, 4]);
		const rows = nn.summary(net, x);
		expect(rows.map(({ name, flops }) => [name, flops])).toEqual([
			...[["body.0", 32 * 37] as const, ["body.1", 64] as const, ["body.2", 32] as const],
			...[["relu", 32] as const, ["relu", 32] as const],
		]);
		const own = rows.reduce((sum, { flops }) => sum + flops, 0);
		expect(nn.countFlops(net, x)).toBe(own + 32);
	});
});
