import { describe, expect, test } from "vitest";
import { runInChild } from "../../test/support/child.ts";
import { referenceBackend as backend } from "../backend/reference/reference-backend.ts";
import { makeCollector } from "./collector.ts";
import { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";
import { Unscoped } from "./unscoped.ts";

const MB = 2 ** 20;
/** Of as many bytes as it says, but without memory: there is none at an address. */
const storageOf = (bytes: number) => new Storage(backend, "float32", bytes / 4, 64, null);

function make() {
	const calls: string[] = [];
	const freed: number[] = [];
	const real = makeCollector();
	const collector = {
		collect: () => {
			calls.push("collect");
			real?.collect();
		},
		forgetJob: () => {
			calls.push("forget");
			real?.forgetJob();
		},
	};
	const unscoped = new Unscoped(({ storage }) => freed.push(storage.bytes), collector);
	// In a function of its own, whose frame holds nothing afterwards.
	const add = (bytes: number) => {
		const storage = storageOf(bytes);
		const tensor = new Tensor(backend.alloc("float64", 1), [1], "t");
		return { tensor, storage, held: unscoped.add(tensor, storage, null) };
	};
	return { unscoped, calls, freed, add };
}

describe("tensors outside of any scope", () => {
	test("the collector is called when they have grown by 256 MB, and not before", () => {
		const { unscoped, calls, add } = make();
		const kept = Array.from({ length: 256 }, () => add(MB));
		expect(calls).toEqual([]);
		kept.push(add(MB));
		expect(calls).toEqual(["collect"]);
		expect(unscoped.bytes).toBe(257 * MB);
		for (const { held } of kept) unscoped.remove(held);
		expect(unscoped.bytes).toBe(0);
	});

	test("what is freed by hand never calls it", () => {
		const { unscoped, calls, add } = make();
		for (let i = 0; i < 2000; i++) unscoped.remove(add(MB).held);
		expect(calls).toEqual([]);
		expect(unscoped.bytes).toBe(0);
	});

	test("memory that several of them share counts once", () => {
		const { unscoped } = make();
		const storage = storageOf(MB);
		const tensors = [1, 2].map(() => new Tensor(backend.alloc("float64", 1), [1], "t"));
		const [a, b] = tensors.map((tensor) => unscoped.add(tensor, storage, null));
		expect(unscoped.bytes).toBe(MB);
		unscoped.remove(a);
		expect(unscoped.bytes).toBe(MB);
		unscoped.remove(b);
		expect(unscoped.bytes).toBe(0);
	});

	test("within one job, what was made since the last collection is freed by the next, but neither what is held nor the latest", () => {
		const { unscoped, calls, freed, add } = make();
		unscoped.collect();
		const held = add(3 * MB);
		for (let i = 0; i < 100; i++) add(MB);
		unscoped.collect();
		expect(calls).toEqual(["collect", "forget", "collect"]);
		expect(freed.length).toBeGreaterThanOrEqual(60);
		expect(freed.length).toBeLessThanOrEqual(100 - 32);
		expect(new Set(freed)).toEqual(new Set([MB]));
		expect(unscoped.bytes).toBe((103 - freed.length) * MB);
		expect(held.tensor.disposed).toBe(false);
	});

	test("without a collector nothing happens, however much there is", () => {
		const unscoped = new Unscoped(() => {}, null);
		const tensors = [1, 2].map(() => new Tensor(backend.alloc("float64", 1), [1], "t"));
		for (const tensor of tensors) unscoped.add(tensor, storageOf(512 * MB), null);
		expect(unscoped.bytes).toBe(1024 * MB);
	});
});

test("having called the collector shows nowhere: microtasks wait, and contexts made later have no gc", async () => {
	const script = `
		const { makeCollector } = await import(src("tensor/collector.ts"));
		const { runInNewContext } = await import("node:vm");
		const order = [];
		Promise.resolve().then(() => order.push("microtask"));
		const collector = makeCollector();
		collector.forgetJob();
		collector.collect();
		order.push("collected");
		await null;
		console.log(order.join(), typeof gc, runInNewContext("typeof gc"));
	`;
	const { stdout, stderr } = await runInChild(script);
	expect(stderr).toBe("");
	expect(stdout.trim()).toBe("collected,microtask undefined undefined");
});
