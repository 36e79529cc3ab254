// What the vectors cannot show: messages, chunks and threads, and counting.

import { beforeAll, describe, expect, test } from "vitest";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import "../../autograd/backward.ts";
import { noGrad } from "../../autograd/tape.ts";
import type { Backend } from "../../backend/backend.ts";
import { init } from "../../backend/init.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { tensor } from "../creation.ts";
import { bceWithLogits, countCorrect, crossEntropy, mseLoss, nllLoss } from "./op.ts";

/** x, [1, classes], at each of so many positions: [1, classes, positions]. */
function broadcast(x: Tensor, classes: number, positions: number): Tensor {
	const row = x.dataSync();
	const at = (_: unknown, i: number) => row[Math.floor(i / positions)];
	return tensor(Float32Array.from({ length: classes * positions }, at), [1, classes, positions]);
}

/** Repeatable numbers in [-1, 1), as float32 holds them. */
function noise(length: number, seed: number): Float32Array {
	let state = seed * 2654435761;
	return Float32Array.from({ length }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2147483648 - 1;
	});
}

function logits(shape: number[], seed: number): Tensor {
	const size = shape.reduce((product, length) => product * length, 1);
	return tensor(
		noise(size, seed).map((v) => 5 * v),
		shape,
		{ requiresGrad: true },
	);
}

function labelsFor(shape: number[], seed: number): Tensor {
	const [n, classes, ...rest] = shape;
	const size = rest.reduce((product, length) => product * length, n);
	const values = noise(size, seed).map((v) => Math.floor(((v + 1) / 2) * classes));
	return tensor(Int32Array.from(values), [n, ...rest]);
}

/** Larger than a chunk in every direction that the kernels cut. */
const LARGE = {
	"contiguous rows": [5001, 10],
	"wide rows": [37, 1003],
	"strided rows": [6, 7, 41, 43],
};

type Loss = (x: Tensor, shape: number[], reduction: "mean" | "none") => Tensor;

const losses: Record<string, Loss> = {
	crossEntropy: (x, shape, reduction) => crossEntropy(x, labelsFor(shape, 2), { reduction, labelSmoothing: 0.1 }),
	nllLoss: (x, shape, reduction) => nllLoss(x, labelsFor(shape, 2), { reduction, ignoreIndex: 3 }),
	mseLoss: (x, shape, reduction) => mseLoss(x, logits(shape, 3).detach(), { reduction }),
	bceWithLogits: (x, shape, reduction) => {
		const target = tensor(
			noise(x.size, 4).map((v) => (v + 1) / 2),
			shape,
		);
		const posWeight = tensor(
			noise(shape[shape.length - 1], 5).map((v) => v + 2),
			[shape[shape.length - 1]],
		);
		return bceWithLogits(x, target, { reduction, posWeight });
	},
};

function lossAndGradient(loss: Loss, shape: number[], reduction: "mean" | "none"): { y: Tensor; dx: Tensor } {
	const x = logits(shape, 1);
	const y = loss(x, shape, reduction);
	y.backward(reduction === "none" ? tensor(noise(y.size, 6), y.shape) : undefined);
	return { y, dx: x.grad as Tensor };
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
	let difference = 0;
	let norm = 0;
	for (let i = 0; i < b.length; i++) {
		difference += (a[i] - b[i]) ** 2;
		norm += b[i] ** 2;
	}
	return Math.sqrt(difference / norm);
}

describe.each(Object.keys(losses))("%s of large tensors", (name) => {
	let on: { reference: Backend; wasm: Backend };
	beforeAll(async () => {
		on = await bothBackends();
	});
	for (const [kind, shape] of Object.entries(LARGE)) {
		test.each(["mean", "none"] as const)(`${kind}, %s: as the reference has it`, (reduction) => {
			scope(() => {
				const exact = withBackend(on.reference, () => lossAndGradient(losses[name], shape, reduction));
				const actual = withBackend(on.wasm, () => lossAndGradient(losses[name], shape, reduction));
				expect(distance(actual.y.view(), exact.y.view())).toBeLessThan(3e-7);
				expect(distance(actual.dx.view(), exact.dx.view())).toBeLessThan(1e-6);
			});
		});
	}
	test.each(["mean", "none"] as const)("%s: the same bits on 1, 2 and 3 threads", async (reduction) => {
		for (const shape of Object.values(LARGE)) {
			const results: string[] = [];
			for (const threads of [1, 2, 3]) {
				await init({ threads });
				scope(() => {
					const { y, dx } = lossAndGradient(losses[name], shape, reduction);
					const bytes = [y, dx].map((t) => Buffer.from(t.dataSync().buffer).toString("base64"));
					results.push(bytes.join());
				});
			}
			expect(results[1] === results[0] && results[2] === results[0]).toBe(true);
		}
	});
});

test("sums stay accurate over many elements", async () => {
	await init({ threads: 2 });
	const n = 3_000_000;
	const loss = mseLoss(tensor(new Float32Array(n).fill(0.1), [n]), tensor(new Float32Array(n), [n]), {
		reduction: "mean",
	});
	expect(Math.abs(loss.item() / Math.fround(0.1) ** 2 - 1)).toBeLessThan(1e-7);
});

onEachBackend("countCorrect", () => {
	test("counts rows whose largest value is at the label, the first of equals", () => {
		const x = tensor([
			[1, 5, 2],
			[1, 5, 2],
			[4, 4, 2],
			[4, 4, 2],
			[-1, -2, -3],
		]);
		expect(countCorrect(x, tensor([1, 2, 0, 1, 0], [5], { dtype: "int32" }))).toBe(3);
	});
	test("a row with a NaN is wrong wherever the NaN stands", () => {
		const x = tensor([
			[Number.NaN, 5, 2],
			[1, 5, Number.NaN],
			[1, Number.NaN, 0],
			[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 3],
		]);
		expect(countCorrect(x, tensor([1, 1, 1, 2], [4], { dtype: "int32" }))).toBe(1);
		expect(countCorrect(tensor([[Number.NaN], [7]]), tensor([0, 0], [2], { dtype: "int32" }))).toBe(1);
	});
	test("takes predictions with positions, and chunks", () => {
		const shape = [9, 5, 40, 41];
		scope(() => {
			const x = logits(shape, 7);
			const labels = labelsFor(shape, 8);
			let expected = 0;
			for (let n = 0; n < 9; n++) {
				for (let p = 0; p < 1640; p++) {
					const row = Array.from({ length: 5 }, (_, c) => x.view()[(n * 5 + c) * 1640 + p]);
					if (row.indexOf(Math.max(...row)) === labels.view()[n * 1640 + p]) expected++;
				}
			}
			expect(countCorrect(x, labels)).toBe(expected);
		});
	});
	test("no rows: none right", () => {
		expect(countCorrect(tensor([], [0, 3]), tensor(new Int32Array(0), [0]))).toBe(0);
	});
});

onEachBackend("losses", () => {
	const labels = (...values: number[]) => tensor(values, [values.length], { dtype: "int32" });

	test("a label that is no class is named, with its row", () => {
		const x = tensor(new Float32Array(50), [5, 10]);
		for (const loss of [crossEntropy, nllLoss, countCorrect]) {
			expect(() => loss(x, labels(0, 1, 2, 11, 4))).toThrow(
				`${loss.name}: label 11 at row 3 is not one of the 10 classes 0..9`,
			);
			expect(() => loss(x, labels(0, -100, 2, 3, 4))).toThrow("label -100 at row 1 is not one of the 10 classes");
		}
		expect(() => crossEntropy(x, labels(0, -1, 2, 3, 4), { ignoreIndex: -100 })).toThrow("label -1 at row 1");
	});
	test("labels of another type or shape", () => {
		const x = tensor(new Float32Array(6), [2, 3]);
		expect(() => crossEntropy(x, tensor([0, 1]))).toThrow(/labels are class numbers of type int32, got float/);
		expect(() => crossEntropy(x, labels(0, 1, 2))).toThrow(
			"expected labels of shape [2] for predictions of shape [2, 3], got [3]",
		);
		expect(() => crossEntropy(tensor([1, 2, 3]), labels(0))).toThrow("expected predictions of shape [N, C]");
		expect(() => crossEntropy(labels(1, 2), labels(0, 1))).toThrow("expected a floating tensor, got int32");
	});
	test.each([1_000, 100_000])("one class among %i that stands out does not hide the others", (classes) => {
		const exact = Math.log1p((classes - 1) * Math.exp(-17));
		const x = tensor(new Float32Array(classes).fill(-17), [1, classes]);
		x.view()[0] = 0;
		expect(crossEntropy(x, labels(0)).item() / exact).toBeCloseTo(1, 5);
		const images = broadcast(x, classes, 5);
		const each = crossEntropy(images, tensor(new Int32Array(5), [1, 5]), { reduction: "none" }).dataSync();
		for (const loss of each) expect(loss / exact).toBeCloseTo(1, 5);
	});
	test("options out of range", () => {
		const x = tensor(new Float32Array(6), [2, 3]);
		const target = labels(0, 1);
		expect(() => crossEntropy(x, target, { labelSmoothing: 1.5 })).toThrow("labelSmoothing must be in [0, 1], got 1.5");
		expect(() => crossEntropy(x, target, { labelSmoothing: Number.NaN })).toThrow("labelSmoothing must be in [0, 1]");
		expect(() => crossEntropy(x, target, { ignoreIndex: 0.5 })).toThrow("ignoreIndex must be a whole number, got 0.5");
		expect(() => crossEntropy(x, target, { ignoreIndex: 2 ** 32 })).toThrow("must lie between -2^31 and 2^31");
		expect(() => crossEntropy(x, labels(-2147483648, 0))).toThrow("label -2147483648 at row 0 is not one of the 3");
		// @ts-expect-error: what a caller without types may pass
		expect(() => mseLoss(x, x, { reduction: "average" })).toThrow('must be "mean", "sum" or "none", got "average"');
		expect(() => bceWithLogits(x, x, { posWeight: -1 })).toThrow("posWeight must be at least 0, got -1");
		expect(() => bceWithLogits(x, x, { posWeight: tensor([1, 2]) })).toThrow(
			"posWeight must have one value for each index along the last axis of [2, 3], got shape [2]",
		);
	});
	test("shapes that differ are not broadcast", () => {
		expect(() => mseLoss(tensor([1, 2, 3]), tensor([[1], [2], [3]]))).toThrow(
			"mseLoss: predictions and targets must have one shape, got [3] and [3, 1]; reshape one of them",
		);
	});
	test("bceWithLogits keeps losses that are tiny", () => {
		const loss = bceWithLogits(tensor([30, -20, 9.5]), tensor([1, 0, 1]), { reduction: "none" });
		for (const [i, x] of [30, 20, 9.5].entries()) {
			expect(Math.abs(loss.view()[i] / Math.log1p(Math.exp(-x)) - 1)).toBeLessThan(1e-6);
		}
	});
	test("bceWithLogits refuses a target that wants a gradient", () => {
		const target = tensor([1, 0], [2], { requiresGrad: true });
		expect(() => bceWithLogits(tensor([1, 2]), target)).toThrow("pass target.detach()");
	});
	test("all rows ignored: the mean is NaN, the gradient zero", () => {
		const x = logits([2, 3], 1);
		const loss = crossEntropy(x, labels(7, 7), { ignoreIndex: 7 });
		loss.backward();
		expect(loss.item()).toBeNaN();
		expect(Array.from(x.grad?.view() ?? [])).toEqual([0, 0, 0, 0, 0, 0]);
	});
	test("nothing is recorded without gradients", () => {
		const x = logits([2, 3], 1);
		expect(noGrad(() => crossEntropy(x, labels(0, 1))).requiresGrad).toBe(false);
	});
});
