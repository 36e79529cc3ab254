// What was handed to a kernel must stay until that kernel has read it, however far ahead JavaScript is.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WasmBackend } from "./wasm-backend.ts";

let backend: WasmBackend;
beforeAll(async () => {
	backend = await WasmBackend.load();
	await backend.setThreads(2);
});
afterAll(() => backend.setThreads(1));

/** Copies `count` float32 values from a staged row of `value`, by a kernel that several threads share. */
function launchCopy(to: number, value: number, count: number): void {
	const { ptr, float32 } = backend.stage(count);
	float32.fill(value, ptr / 4, ptr / 4 + count);
	backend.launch("elementwise_accumulate", [to, ptr], count, 64);
}

describe("staged numbers", () => {
	test.each([16, 1000, 40_000])("hold until the launch behind them has read them: %i at a time", (count) => {
		const to = backend.take(4 * count);
		backend.heapViews.float32.fill(0, to / 4, to / 4 + count);
		let sum = 0;
		for (let i = 1; i <= 300; i++) {
			launchCopy(to, i, count);
			sum += i;
		}
		const made = backend.heapViews.float32.subarray(to / 4, to / 4 + count);
		expect(made.every((value) => value === sum)).toBe(true);
		backend.giveBack(to);
	});

	test("hold for a launch that takes several, the last of which is too large for what there is", async () => {
		const fresh = await WasmBackend.load();
		const first = fresh.stage(4);
		first.float32.set([1, 2, 3, 4], first.ptr / 4);
		const second = fresh.stage(100_000);
		second.float32.fill(9, second.ptr / 4, second.ptr / 4 + 100_000);
		const to = fresh.take(16);
		fresh.heapViews.float32.fill(0, to / 4, to / 4 + 4);
		fresh.launch("elementwise_accumulate", [to, first.ptr], 4, 4);
		expect([...fresh.heapViews.float32.subarray(to / 4, to / 4 + 4)]).toEqual([1, 2, 3, 4]);
	});

	test("do not count as memory that tensors hold", () => {
		const before = backend.memory().used;
		backend.stage(200_000);
		expect(backend.memory().used).toBe(before);
	});
});
