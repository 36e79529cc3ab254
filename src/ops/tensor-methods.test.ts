import { expect, test } from "vitest";
import "../autograd/backward.ts";
import "./tensor-methods.ts";
import { readFileSync } from "node:fs";
import { onEachBackend } from "../../test/support/backends.ts";
import { Tensor } from "../tensor/tensor.ts";
import { tensor } from "./creation.ts";

onEachBackend("methods of Tensor", () => {
	test("a chain of them, forward and backward", () => {
		const x = tensor([
			[1, -2, 3],
			[4, 5, -6],
		]).setRequiresGrad();
		const y = x
			.mul(2)
			.add(tensor([1, 1, 1]))
			.relu()
			.sub(0.5)
			.square()
			.sum(1)
			.mean();
		// (2 x + 1 - 0.5)^2 where 2 x + 1 > 0, 0.25 elsewhere; the mean over two rows.
		expect(y.item()).toBeCloseTo((2.5 ** 2 + 0.25 + 6.5 ** 2 + 8.5 ** 2 + 10.5 ** 2 + 0.25) / 2, 4);
		y.backward();
		expect([...(x.grad?.dataSync() ?? [])]).toEqual([5, 0, 13, 17, 21, 0]);
	});

	test("shapes, comparisons and indices", () => {
		const x = tensor([
			[1, 5, 2],
			[7, 0, 3],
		]);
		expect([...x.argmax().dataSync()]).toEqual([1, 0]);
		expect([...x.argmin(0).dataSync()]).toEqual([0, 1, 0]);
		expect([...x.transpose().reshape([-1]).dataSync()]).toEqual([1, 7, 5, 0, 2, 3]);
		expect([...x.permute([1, 0]).slice(0, 1, 3).flatten().dataSync()]).toEqual([5, 0, 2, 3]);
		expect([...x.greater(2).toFloat().dataSync()]).toEqual([0, 1, 0, 1, 0, 1]);
		expect([
			...x
				.argmax()
				.equal(tensor([1, 1], [2], { dtype: "int32" }))
				.dataSync(),
		]).toEqual([1, 0]);
		expect([...x.matmul(x.transpose()).dataSync()]).toEqual([30, 13, 13, 58]);
		expect(x.softmax().sum(1).dataSync()[0]).toBeCloseTo(1, 6);
	});
});

test("every method that is declared is there, and is not enumerable", () => {
	const source = readFileSync(new URL("./tensor-methods.ts", import.meta.url), "utf8");
	const declared = [...source.matchAll(/^\t\t(\w+)\(.*\): Tensor;$/gm)].map(([, name]) => name);
	expect(declared.length).toBe(39);
	for (const name of declared) {
		expect(typeof Object.getOwnPropertyDescriptor(Tensor.prototype, name)?.value, name).toBe("function");
		expect(Object.keys(Tensor.prototype)).not.toContain(name);
	}
});
