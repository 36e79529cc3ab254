import { beforeEach, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { add, mul } from "../../test/support/toy-ops.ts";
import { currentBackend } from "../backend/backend.ts";
import { tensor } from "../ops/creation.ts";
import { keep, scope } from "./scope.ts";
import { liveTensors, type Tensor } from "./tensor.ts";

onEachBackend("scope", () => {
	let tensors = 0;
	let bytes = 0;
	const left = () => [liveTensors() - tensors, currentBackend().memory().used - bytes];
	beforeEach(() => {
		tensors = liveTensors();
		bytes = currentBackend().memory().used;
	});

	test("frees what was made in it, and gives back what it returns", () => {
		const y = scope(() => {
			const a = tensor([1, 2]);
			return add(a, tensor([3, 4]));
		});
		expect([...y.dataSync()]).toEqual([4, 6]);
		expect(left()[0]).toBe(1);
		y.dispose();
		expect(left()).toEqual([0, 0]);
	});

	test("returns arrays, maps, sets, plain objects and what they hold, however deep", () => {
		const kept = scope(() => {
			let deep: unknown = tensor([1], [1], { name: "deep" });
			for (let i = 0; i < 30; i++) deep = [deep];
			tensor([0], [1], { name: "not returned" });
			return {
				array: [tensor([2]), 5, null, undefined],
				map: new Map([["a", tensor([3])]]),
				set: new Set([tensor([4])]),
				nested: { object: { t: tensor([5]) } },
				bare: Object.assign(Object.create(null) as { t?: Tensor }, { t: tensor([6]) }),
				values: Float32Array.of(1),
				deep,
			};
		});
		expect(left()[0]).toBe(6);
		expect(kept.map.get("a")?.item()).toBe(3);
		expect([...kept.set][0].item()).toBe(4);
		expect(kept.nested.object.t.item()).toBe(5);
		expect(kept.bare.t?.item()).toBe(6);
		for (const t of [kept.array[0] as Tensor, kept.map.get("a"), ...kept.set, kept.nested.object.t, kept.bare.t])
			t?.dispose();
		let deep = kept.deep;
		while (Array.isArray(deep)) deep = deep[0];
		(deep as Tensor).dispose();
		expect(left()).toEqual([0, 0]);
	});

	test("a result that contains itself is no trap", () => {
		const result = scope(() => {
			const own: { self?: object; t: Tensor } = { t: tensor([1]) };
			own.self = own;
			return own;
		});
		expect(result.t.item()).toBe(1);
		result.t.dispose();
	});

	test("results of an inner scope belong to the outer one", () => {
		scope(() => {
			const y = scope(() => tensor([1]));
			expect(y.item()).toBe(1);
			expect(left()[0]).toBe(1);
		});
		expect(left()).toEqual([0, 0]);
	});

	test("what an outer scope made outlives an inner one, returned or not", () => {
		scope(() => {
			const outer = tensor([1]);
			scope(() => outer);
			scope(() => undefined);
			expect(outer.item()).toBe(1);
		});
	});

	test("keep saves from the inner and the outer scope at once", () => {
		let kept: Tensor | undefined;
		scope(() => {
			scope(() => {
				kept = keep(tensor([7]));
			});
		});
		expect(kept?.item()).toBe(7);
		kept?.dispose();
		const freed = tensor([1], [1], { name: "freed" });
		freed.dispose();
		expect(() => keep(freed)).toThrow('keep: Tensor "freed" [1] has already been freed');
	});

	test("`using` frees at the end of its block", () => {
		let after: Tensor;
		{
			using t = tensor([1], [1], { name: "t" });
			after = t;
			expect(t.item()).toBe(1);
		}
		expect(() => after.item()).toThrow(/"t" \[1\] was used after it was freed \(its `using` block ended\)/);
		expect(left()).toEqual([0, 0]);
	});

	test("use after free names the tensor, the reason and the way out", () => {
		let escaped: Tensor | undefined;
		scope(() => {
			escaped = tensor([1, 2], [2], { name: "escaped" });
		});
		expect(() => escaped?.dataSync()).toThrow(
			'Tensor "escaped" [2] was used after it was freed (the scope that made it ended); return it from the scope, or keep() it',
		);
		expect(() => add(tensor([1, 2]), escaped as Tensor)).toThrow(/"escaped" \[2\] was used after it was freed/);
		expect(() => escaped?.detach()).toThrow(/used after it was freed/);
		expect(String(escaped)).toBe('Tensor "escaped" [2] (freed)');
		const t = tensor([1]);
		t.dispose();
		t.dispose();
		expect(() => t.item()).toThrow(/dispose\(\) was called/);
	});

	test("an error inside frees everything and comes out as it was", () => {
		let escaped: Tensor | undefined;
		const error = new Error("mine");
		expect(() =>
			scope(() => {
				escaped = tensor([1]);
				throw error;
			}),
		).toThrow(error);
		expect(() => escaped?.item()).toThrow(/the scope that made it threw an error/);
		expect(left()).toEqual([0, 0]);
		// The scope is closed: what is made now is not its own.
		const t = tensor([1]);
		expect(t.item()).toBe(1);
		t.dispose();
	});

	test("a promise is refused, and its own failure does not go unhandled", async () => {
		expect(() => scope(async () => tensor([1]))).toThrow(/scope: the function returned a promise.*await outside/);
		expect(() =>
			scope(async () => {
				const t = tensor([1]);
				await null;
				return t.item();
			}),
		).toThrow(/promise/);
		await new Promise((resolve) => setTimeout(resolve, 5));
		expect(left()).toEqual([0, 0]);
	});

	test("frees the tape with its tensors", () => {
		const w = tensor([1, 2], [2], { requiresGrad: true });
		scope(() => {
			mul(mul(w, w), w);
		});
		expect(left()[0]).toBe(1);
		w.dispose();
		expect(left()).toEqual([0, 0]);
	});

	test("an output that is returned keeps what its backward needs", () => {
		const w = tensor([2, 3], [2], { requiresGrad: true });
		using dy = tensor([1, 1]);
		{
			using y = scope(() => mul(mul(w, w), w));
			y.backward(dy);
		}
		expect([...(w.grad?.dataSync() ?? [])]).toEqual([12, 27]);
		expect(left()[0]).toBe(3);
		w.dispose();
		expect(left()[0]).toBe(1);
	});
});
