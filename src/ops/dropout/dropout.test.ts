import { describe, expect, test } from "vitest";
import "../../autograd/backward.ts";
import { bothBackends, onEachBackend, withBackend } from "../../../test/support/backends.ts";
import { init } from "../../backend/init.ts";
import { Generator } from "../../random/generator.ts";
import { ones, tensor } from "../creation.ts";
import { dropout } from "./op.ts";

onEachBackend("dropout", () => {
	test("keeps about 1 - p, scaled so that the mean stays", () => {
		const y = dropout(ones([100_000]), 0.3, { generator: new Generator(1) }).dataSync();
		const kept = y.filter((v) => v !== 0);
		expect(kept.length / y.length).toBeCloseTo(0.7, 2);
		for (const v of kept) expect(v).toBeCloseTo(1 / 0.7, 6);
	});

	test("backward drops what forward dropped", () => {
		const x = tensor(
			Float32Array.from({ length: 1003 }, (_, i) => i + 1),
			[17, 59],
		).setRequiresGrad();
		const y = dropout(x, 0.5, { generator: new Generator(2) });
		y.backward(ones([17, 59]));
		const grad = x.grad?.dataSync() ?? [];
		const values = y.dataSync();
		expect(grad.length).toBe(1003);
		for (let i = 0; i < 1003; i++) expect(grad[i]).toBe(values[i] === 0 ? 0 : 2);
	});

	test("p = 0 and evaluation give x back, p = 1 zeros and zero gradients", () => {
		const x = tensor([1, Number.POSITIVE_INFINITY, 3]).setRequiresGrad();
		expect(dropout(x, 0)).toBe(x);
		expect(dropout(x, 0.5, { training: false })).toBe(x);
		const y = dropout(x, 1);
		expect([...y.dataSync()]).toEqual([0, 0, 0]);
		y.backward(ones([3]));
		expect([...(x.grad?.dataSync() ?? [])]).toEqual([0, 0, 0]);
	});

	test("each call takes new numbers, and a state repeats them", () => {
		const generator = new Generator(3);
		const x = ones([64]);
		const state = generator.state();
		const first = dropout(x, 0.5, { generator }).dataSync();
		const second = dropout(x, 0.5, { generator }).dataSync();
		expect(second).not.toEqual(first);
		generator.setState(state);
		expect(dropout(x, 0.5, { generator }).dataSync()).toEqual(first);
	});

	test("an empty tensor stays one", () => {
		expect(dropout(ones([0, 3]), 0.5).shape).toEqual([0, 3]);
	});

	test("errors name the value", () => {
		expect(() => dropout(ones([3]), 1.5)).toThrow(
			"dropout: p is the probability to drop an element, from 0 to 1; got 1.5",
		);
		expect(() => dropout(ones([3]), Number.NaN)).toThrow("got NaN");
		expect(() => dropout(tensor([1], [1], { dtype: "int32" }), 0.5)).toThrow("expected a floating tensor, got int32");
	});
});

describe("the mask", () => {
	/** Which elements stay, from a generator whose block counter starts at `block`. */
	const maskOf = (n: number, block: number) => {
		const generator = new Generator(2 ** 40 + 7).fork("mask");
		generator.setState({ ...generator.state(), counter: block * 4 });
		return [...dropout(ones([n]), 0.25, { generator }).dataSync()].map((v) => (v === 0 ? 0 : 1));
	};

	test.each([
		[1, 0],
		[17, 5],
		[1000, 1],
		[100, 2 ** 32 - 6],
		[65, 2 ** 40 + 3],
	])("is the same on both backends for %i elements from block %i", async (n, block) => {
		const { reference, wasm } = await bothBackends();
		const expected = withBackend(reference, () => maskOf(n, block));
		expect(withBackend(wasm, () => maskOf(n, block))).toEqual(expected);
	});

	test("does not depend on the number of threads", async () => {
		const masks: number[][] = [];
		for (const threads of [1, 2, 3]) {
			await init({ threads });
			masks.push(maskOf(100_003, 9));
		}
		expect(masks[1]).toEqual(masks[0]);
		expect(masks[2]).toEqual(masks[0]);
	});
});
