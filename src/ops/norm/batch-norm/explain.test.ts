import { describe, expect, test } from "vitest";
import { init } from "../../../backend/init.ts";
import { sizeOf } from "../../../tensor/shape.ts";
import { tensor } from "../../creation.ts";
import "../../../autograd/backward.ts";
import { explainBatchNorm } from "./explain.ts";
import explained from "./explain-cases.json" with { type: "json" };
import { batchNorm } from "./op.ts";

const forwardNames = ["mu", "xmu", "sq", "var", "sqrtvar", "ivar", "xhat", "gammax", "out"];
const backwardNames = [
	...["dbeta", "dgammax", "dgamma", "dxhat", "divar", "dxmu1", "dsqrtvar"],
	...["dvar", "dsq", "dxmu2", "dx1", "dmu", "dx2", "dx"],
];

interface Packed {
	shape: number[];
	data: number[];
}

/** Differs from `expected` by at most `tolerance` of its norm. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
	expect(actual.length, what).toBe(expected.length);
	let norm = 0;
	let error = 0;
	for (let i = 0; i < expected.length; i++) {
		norm = Math.max(norm, Math.abs(expected[i]));
		error = Math.max(error, Math.abs(actual[i] - expected[i]));
	}
	expect(error / (norm || 1), what).toBeLessThan(tolerance);
}

function flat(nested: unknown): number[] {
	return Array.isArray(nested) ? nested.flat(Number.POSITIVE_INFINITY) : [];
}

// Before any init(): plain numbers need no backend.
describe("plain numbers", () => {
	test.each(explained.cases)("every stage equals PyTorch's: $name", ({ inputs, eps, stages }) => {
		const { x, dy, gamma, beta } = inputs;
		const all: Record<string, unknown> = { ...explainBatchNorm(x, gamma.data, beta.data, { eps, dy }) };
		expect(Object.keys(all)).toEqual([...forwardNames, ...backwardNames]);
		for (const [name, expected] of Object.entries<Packed>(stages)) {
			const sum = name === "dmu" || name === "dx2" ? 1e-9 : 1e-11;
			expectClose(flat(all[name]), expected.data, sum, name);
		}
	});

	test("stages are nested as x is", () => {
		const x = [
			[1, 2],
			[3, 5],
			[8, 2],
		];
		const all = explainBatchNorm(x, null, undefined, { dy: x });
		expect(all.mu).toEqual([4, 3]);
		expect(all.xmu).toEqual([
			[-3, -1],
			[-1, 2],
			[4, -1],
		]);
		expect(all.var).toEqual([26 / 3, 2]);
		expect(all.dbeta).toEqual([12, 9]);
		const deep = explainBatchNorm([
			[
				[1, 2],
				[3, 4],
			],
			[
				[5, 6],
				[7, 9],
			],
		]);
		expect(deep.mu).toEqual([3.5, 5.75]);
		expect(deep.out[1][0]).toHaveLength(2);
		expect("dx" in deep).toBe(false);
	});

	test("dx by finite differences, and by the closed form", () => {
		const { inputs, eps } = explained.cases[3];
		const { x, dy } = inputs;
		const gamma = inputs.gamma.data;
		const loss = (data: number[], scale = gamma, shift = inputs.beta.data): number =>
			flat(explainBatchNorm({ shape: x.shape, data }, scale, shift, { eps }).out).reduce(
				(s, y, i) => s + y * dy.data[i],
				0,
			);
		const all = explainBatchNorm(x, gamma, inputs.beta.data, { eps, dy });
		const slopes = (at: number[], f: (p: number[]) => number): number[] =>
			at.map((_, i) => {
				const shifted = (by: number): number => f(at.map((v, j) => (i === j ? v + by : v)));
				return (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
			});
		expectClose(
			flat(all.dx),
			slopes(x.data, (p) => loss(p)),
			1e-6,
			"dx",
		);
		expectClose(
			all.dgamma,
			slopes(gamma, (p) => loss(x.data, p)),
			1e-6,
			"dgamma",
		);
		expectClose(
			all.dbeta,
			slopes(inputs.beta.data, (p) => loss(x.data, gamma, p)),
			1e-6,
			"dbeta",
		);

		const m = sizeOf(x.shape) / x.shape[1];
		const spatial = sizeOf(x.shape.slice(2));
		const xhat = flat(all.xhat);
		const closed = xhat.map((value, i) => {
			const c = Math.floor(i / spatial) % x.shape[1];
			return ((gamma[c] * all.ivar[c]) / m) * (m * dy.data[i] - all.dbeta[c] - value * all.dgamma[c]);
		});
		expectClose(flat(all.dx), closed, 1e-11, "closed form");
	});

	test("a mean far from zero costs no digits", () => {
		const noise = [0.3, -1.2, 0.7, 1.1, -0.9];
		const far = explainBatchNorm(noise.map((v) => [1e8 + v]));
		const near = explainBatchNorm(noise.map((v) => [v]));
		expectClose(far.var, near.var, 1e-6, "var");
	});

	test("a constant channel gives beta", () => {
		const all = explainBatchNorm([[7], [7], [7]], [2], [0.5]);
		expect(all.out).toEqual([[0.5], [0.5], [0.5]]);
		expect(all.sqrtvar[0]).toBeCloseTo(Math.sqrt(1e-5), 15);
	});
});

describe("what does not fit", () => {
	const x = [
		[1, 2],
		[3, 4],
	];
	test.each([
		["one axis", () => explainBatchNorm([1, 2, 3]), "expected x of shape [N, C] or [N, C, …], got [3]"],
		["batch of one", () => explainBatchNorm([[1, 2]]), "has one value a channel"],
		["empty batch", () => explainBatchNorm({ shape: [0, 3], data: [] }), "has no values a channel"],
		[
			"NaN",
			() =>
				explainBatchNorm([
					[1, 2],
					[Number.NaN, 4],
				]),
			"x holds NaN at [1, 0] (channel 0)",
		],
		[
			"infinite dy",
			() =>
				explainBatchNorm(x, null, null, {
					dy: [
						[1, Infinity],
						[1, 1],
					],
				}),
			"dy holds Infinity at [0, 1]",
		],
		["NaN in gamma", () => explainBatchNorm(x, [1, Number.NaN]), "gamma holds NaN at [1];"],
		["short gamma", () => explainBatchNorm(x, [1]), "one value for each of the 2 channels of x, got shape [1]"],
		["long beta", () => explainBatchNorm(x, null, [1, 2, 3]), "expected beta to hold one value for each of the 2"],
		["dy of another shape", () => explainBatchNorm(x, null, null, { dy: [[1, 1]] }), "shape of x, [2, 2], got [1, 2]"],
		[
			"ragged rows",
			() => explainBatchNorm([[1, 2], [3]]),
			"nested arrays of shape [2, 2] by its first entries, but has a row of 1",
		],
		[
			"too little data",
			() => explainBatchNorm({ shape: [2, 2], data: [1, 2, 3] }),
			"x of shape [2, 2] needs 4 values, got 3",
		],
		[
			"negative eps",
			() => explainBatchNorm(x, null, null, { eps: -1 }),
			"eps must be a finite number of at least 0, got -1",
		],
		[
			"no eps, no variance",
			() => explainBatchNorm([[1], [1]], null, null, { eps: 0 }),
			"channel 0 is constant and eps is 0",
		],
		["overflow", () => explainBatchNorm([[1e200], [-1e200]]), "squares in channel 0 overflow"],
	])("%s", (_, call, message) => {
		expect(call).toThrow(message);
	});

	test("a number, or nothing", () => {
		const wrong: unknown = 3;
		expect(() => explainBatchNorm(wrong as number[])).toThrow(
			"x must be a tensor, nested arrays or { shape, data }, got number",
		);
	});
});

describe.each(["reference", "wasm"] as const)("tensors on %s", (backend) => {
	test("come back as tensors on x's backend, computed in float64", async () => {
		const made = await init({ backend, threads: 1 });
		const { inputs, eps, stages } = explained.cases[3];
		const of = ({ shape, data }: Packed) => tensor(data, shape);
		const [x, gamma, beta, dy] = [inputs.x, inputs.gamma, inputs.beta, inputs.dy].map(of);
		const all = explainBatchNorm(x, gamma, beta, { eps, dy });
		for (const [name, stage] of Object.entries(all)) {
			const expected: Packed = stages[name as keyof typeof stages];
			expect(stage.backend).toBe(made);
			expect(stage.shape, name).toEqual(expected.shape);
			// Inputs are float32 numbers and the arithmetic float64: only the result is rounded.
			expectClose(stage.dataSync(), expected.data, backend === "wasm" ? 1e-7 : 1e-9, name);
			expect(stage.requiresGrad).toBe(false);
		}
		for (const stage of [x, gamma, beta, dy, ...Object.values(all)]) stage.dispose();
	});

	test("say the same as batchNorm does in one op", async () => {
		await init({ backend, threads: 1 });
		const { inputs, eps } = explained.cases[2];
		const of = ({ shape, data }: Packed) => tensor(data, shape, { requiresGrad: true });
		const [x, weight, bias] = [inputs.x, inputs.gamma, inputs.beta].map(of);
		const dy = tensor(inputs.dy.data, inputs.dy.shape);
		const staged = explainBatchNorm(x, weight, bias, { eps, dy });
		const y = batchNorm(x, { weight, bias, training: true, eps });
		y.backward(dy);
		const tolerance = backend === "wasm" ? 1e-5 : 1e-11;
		expectClose(y.dataSync(), staged.out.dataSync(), tolerance, "out");
		const grads = [
			[x, staged.dx],
			[weight, staged.dgamma],
			[bias, staged.dbeta],
		] as const;
		for (const [input, grad] of grads) expectClose(input.grad?.dataSync() ?? [], grad.dataSync(), tolerance, grad.name);
	});
});
