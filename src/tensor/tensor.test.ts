import { afterEach, describe, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { runInChild } from "../../test/support/child.ts";
import { mul, scale } from "../../test/support/toy-ops.ts";
import { currentBackend } from "../backend/backend.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { scope } from "./scope.ts";
import { leakReport, liveTensors, trackTensors } from "./tensor.ts";

onEachBackend("memory of tensors", () => {
	test("detach shares the memory and leaves the tape", () => {
		const bytes = currentBackend().memory().used;
		scope(() => {
			const w = tensor([1, 2], [2], { requiresGrad: true });
			const y = scale(w, 2);
			const off = y.detach();
			expect(off.requiresGrad).toBe(false);
			expect(off.gradFn).toBeNull();
			y.view()[0] = 9;
			expect(off.view()[0]).toBe(9);
			y.dispose();
			expect([...off.dataSync()]).toEqual([9, 4]);
		});
		expect(currentBackend().memory().used).toBe(bytes);
	});

	test("memory is given back when the last handle lets go", () => {
		const bytes = currentBackend().memory().used;
		const a = tensor([1, 2, 3]);
		const held = currentBackend().memory().used;
		expect(held).toBeGreaterThan(bytes);
		const b = a.detach();
		a.dispose();
		a.dispose();
		expect(currentBackend().memory().used).toBe(held);
		b.dispose();
		expect(currentBackend().memory().used).toBe(bytes);
	});

	test("the tape keeps what it saved though its tensor is freed", () => {
		const bytes = currentBackend().memory().used;
		const w = tensor([3], [1], { requiresGrad: true });
		const x = tensor([5]);
		const y = mul(w, x);
		x.dispose();
		y.backward();
		expect(w.grad?.item()).toBe(5);
		y.dispose();
		w.dispose();
		expect(currentBackend().memory().used).toBe(bytes);
	});

	test("a freed leaf frees its gradient", () => {
		const before = liveTensors();
		const w = tensor([3], [1], { requiresGrad: true });
		scope(() => scale(w, 2).backward());
		expect(liveTensors()).toBe(before + 2);
		w.dispose();
		expect(liveTensors()).toBe(before);
	});
});

onEachBackend("leakReport", () => {
	afterEach(() => trackTensors(false));

	test("has to be asked for beforehand", () => {
		expect(() => leakReport()).toThrow("leakReport: call trackTensors() first, so that tensors are remembered");
	});

	test("groups what is alive by name and shape, largest first", () => {
		const earlier = tensor([1], [1], { name: "earlier" });
		trackTensors();
		scope(() => {
			zeros([4], { name: "small" });
			zeros([1000, 50], { name: "large" });
			zeros([1000, 50], { name: "large" });
			zeros([9], { name: "freed" }).dispose();
			const bytes = currentBackend().float === "float64" ? "0.800" : "0.400";
			const report = leakReport();
			expect(report).toHaveLength(2);
			expect(report[0]).toBe(`2 x "large" [1000, 50], ${bytes} MB`);
			expect(report[1]).toMatch(/^1 x "small" \[4\], 0.000 MB$/);
		});
		expect(leakReport()).toEqual([]);
		earlier.dispose();
	});

	test("shows what the tape holds", () => {
		const w = tensor([3], [1], { name: "w", requiresGrad: true });
		trackTensors();
		const y = mul(w, w);
		expect(leakReport().join()).toMatch(/2 x "w" \[1\]/);
		y.dispose();
		expect(leakReport()).toEqual([]);
		w.dispose();
	});
});

describe("outside of any scope", () => {
	// A process of its own: the collector is called from outside, and nothing else holds on to tensors.
	const collecting = (body: string) => `
		const { init } = await import(src("backend/init.ts"));
		const { tensor, zeros } = await import(src("ops/creation.ts"));
		const { liveTensors } = await import(src("tensor/tensor.ts"));
		const { scope } = await import(src("tensor/scope.ts"));
		const { mul } = await import(new URL("../test/support/toy-ops.ts", src("")).href);
		const backend = await init({ threads: 1 });
		const before = [liveTensors(), backend.memory().used];
		const collect = async () => {
			for (let i = 0; i < 20 && liveTensors() > before[0]; i++) {
				gc();
				await new Promise((resolve) => setTimeout(resolve, 5));
			}
		};
		${body}
		await collect();
		console.log(JSON.stringify([liveTensors() - before[0], backend.memory().used - before[1]]));
	`;
	const left = async (body: string) => {
		const { stdout, stderr, code } = await runInChild(collecting(body), ["--expose-gc"]);
		expect(stderr).toBe("");
		expect(code).toBe(0);
		return JSON.parse(stdout);
	};

	test("the garbage collector frees tensors", async () => {
		expect(await left("(() => { for (let i = 0; i < 100; i++) zeros([1000]); })();")).toEqual([0, 0]);
	});

	test("and the tape behind them, with what it saved, and gradients", async () => {
		const body = `(() => {
			const w = tensor([1, 2], [2], { requiresGrad: true });
			let y = w;
			for (let i = 0; i < 50; i++) y = mul(y, w);
			const z = mul(w, w);
			z.backward(tensor([1, 1]));
		})();`;
		expect(await left(body)).toEqual([0, 0]);
	});

	test("and what a scope returned", async () => {
		expect(await left("(() => { scope(() => [zeros([10]), zeros([10])]); })();")).toEqual([0, 0]);
	});

	test("but not what is still held", async () => {
		expect(await left("globalThis.held = zeros([16]);")).toEqual([1, 64]);
	});
});
