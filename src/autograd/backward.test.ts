import { afterEach, beforeEach, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { add, mul, same, scale, sumAll } from "../../test/support/toy-ops.ts";
import { currentBackend } from "../backend/backend.ts";
import { init } from "../backend/init.ts";
import { tensor } from "../ops/creation.ts";
import { addInPlace } from "../ops/elementwise/add-in-place.ts";
import { apply, empty, type Op } from "../ops/op.ts";
import { keep, scope } from "../tensor/scope.ts";
import { liveTensors, type Tensor } from "../tensor/tensor.ts";
import { isGradEnabled, noGrad } from "./tape.ts";

const leaf = (values: number[], name = "x") => tensor(values, [values.length], { requiresGrad: true, name });
const gradOf = (t: Tensor) => [...(t.grad?.dataSync() ?? [])];

onEachBackend("backward", () => {
	let before = [0, 0];
	const use = () => [liveTensors(), currentBackend().memory().used];
	beforeEach(() => {
		before = use();
	});
	/** Runs `body` in a scope, and sees that nothing is left. */
	const clean = (body: () => void) => {
		scope(body);
		expect(use()).toEqual(before);
	};
	afterEach(() => {
		expect(isGradEnabled()).toBe(true);
	});

	test("adds up over several backwards", () =>
		clean(() => {
			const x = leaf([1, 2]);
			for (let i = 1; i <= 3; i++) {
				sumAll(mul(x, x)).backward();
				expect(gradOf(x)).toEqual([2 * i, 4 * i]);
			}
		}));

	test("starts afresh when grad is set to null, and leaves a gradient that was taken away alone", () =>
		clean(() => {
			const x = leaf([1, 2]);
			sumAll(mul(x, x)).backward();
			const taken = x.grad as Tensor;
			x.grad = null;
			sumAll(scale(x, 3)).backward();
			expect(gradOf(x)).toEqual([3, 3]);
			expect([...taken.dataSync()]).toEqual([2, 4]);
			taken.dispose();
		}));

	test("a tensor used twice by one op, and by two", () =>
		clean(() => {
			const x = leaf([3, -2]);
			sumAll(add(mul(x, x), add(x, x))).backward();
			expect(gradOf(x)).toEqual([2 * 3 + 2, -4 + 2]);
		}));

	test("diamonds: each node runs once, with the sum of what reached it", () =>
		clean(() => {
			const x = leaf([2]);
			let runs = 0;
			let h = scale(x, 1);
			h.registerHook(() => {
				runs++;
				return undefined;
			});
			// 2^20 paths.
			for (let i = 0; i < 20; i++) h = add(h, h);
			h.backward();
			expect(gradOf(x)).toEqual([2 ** 20]);
			expect(runs).toBe(1);
		}));

	test("branches of different length meet in the right order", () =>
		clean(() => {
			const x = leaf([3]);
			const h = mul(x, x);
			const long = scale(scale(scale(h, 2), 2), 2);
			mul(h, long).backward();
			// 8 x^4
			expect(gradOf(x)).toEqual([32 * 27]);
		}));

	test("takes the gradient that arrives, and leaves it alone", () =>
		clean(() => {
			const x = leaf([1, 2]);
			const dy = tensor([10, 100]);
			same(x).backward(dy);
			same(x).backward(dy);
			expect(gradOf(x)).toEqual([20, 200]);
			expect([...dy.dataSync()]).toEqual([10, 100]);
			// A leaf is its own root.
			x.backward(dy);
			expect(gradOf(x)).toEqual([30, 300]);
			expect([...dy.dataSync()]).toEqual([10, 100]);
		}));

	test("leaves given the same gradient do not share its memory", () =>
		clean(() => {
			const [a, b, dy] = [leaf([1, 2]), leaf([3, 4]), tensor([1, 1])];
			add(a, b).backward(dy);
			sumAll(scale(a, 5)).backward();
			expect(gradOf(a)).toEqual([6, 6]);
			expect(gradOf(b)).toEqual([1, 1]);
			// Nor that of the caller's dy.
			expect(new Set([a.grad?.storage, b.grad?.storage, dy.storage]).size).toBe(3);
		}));

	test("nodes given the same gradient do not, when more is added to one of them", () =>
		clean(() => {
			const x = leaf([1]);
			const [h1, h2] = [scale(x, 2), scale(x, 3)];
			const earlier = scale(h1, 10);
			// Runs backward first and hands one dy to h1 and h2; what comes through `earlier` is h1's alone.
			const y = add(h1, h2);
			add(y, earlier).backward();
			expect(gradOf(x)).toEqual([2 * 11 + 3]);
		}));

	test("only what wants a gradient gets one", () =>
		clean(() => {
			const [x, c] = [leaf([2]), tensor([5])];
			const y = mul(x, c);
			expect(y.requiresGrad).toBe(true);
			expect(mul(c, c).requiresGrad).toBe(false);
			y.backward();
			expect(gradOf(x)).toEqual([5]);
			expect(c.grad).toBeNull();
			expect(y.grad).toBeNull();
		}));

	test("a second backward is an error that says how to have it", () =>
		clean(() => {
			const x = leaf([2]);
			const y = sumAll(mul(x, x));
			y.backward();
			expect(() => y.backward()).toThrow(
				/"toySum" saved were freed by an earlier backward\(\); run forward again, or call backward\(dy, \{ retainGraph: true \}\)/,
			);
			expect(gradOf(x)).toEqual([4]);
		}));

	test("retainGraph allows it, and the last one frees", () =>
		clean(() => {
			const x = leaf([2]);
			const y = sumAll(mul(x, x));
			y.backward(undefined, { retainGraph: true });
			y.backward(undefined, { retainGraph: true });
			y.backward();
			expect(gradOf(x)).toEqual([12]);
			expect(() => y.backward()).toThrow(/freed by an earlier backward/);
		}));

	test("retainGraph works where an op's gradient is what it saved", () =>
		clean(() => {
			const op: Op<null> = {
				name: "dot",
				forward([a, b], _, ctx) {
					ctx.save(a, b);
					const y = empty([], a.backend, "float", "dot");
					y.view()[0] = a.view()[0] * b.view()[0] + a.view()[1] * b.view()[1];
					return y;
				},
				// For dy = 1, as is.
				backward: (_, { saved: [a, b] }) => [b, a],
			};
			const [a, b] = [leaf([1, 2]), leaf([3, 4])];
			const y = apply(op, [a, b], null);
			y.backward(undefined, { retainGraph: true });
			y.backward();
			expect(gradOf(a)).toEqual([6, 8]);
			expect(gradOf(b)).toEqual([2, 4]);
			expect([...b.dataSync()]).toEqual([3, 4]);
		}));

	test("what was saved and changed in place since is an error", () =>
		clean(() => {
			const [x, w] = [leaf([2]), leaf([3], "w")];
			const y = mul(x, w);
			noGrad(() => addInPlace(w, tensor([1])));
			expect(() => y.backward()).toThrow(
				/Tensor "w" \[1\], saved by "toyMul", was changed in place since; run backward\(\) before optimizer.step\(\)/,
			);
		}));

	test("changed in place before forward, or not saved, is none", () =>
		clean(() => {
			const [x, w] = [leaf([2]), leaf([3], "w")];
			addInPlace(w, tensor([1]));
			const y = mul(x, w);
			const z = scale(y, 2);
			addInPlace(y, tensor([1]));
			z.backward();
			expect(gradOf(x)).toEqual([8]);
		}));

	test("noGrad records nothing, comes back after an error, and refuses promises", () =>
		clean(() => {
			const x = leaf([2]);
			const y = noGrad(() => mul(x, x));
			expect(y.requiresGrad).toBe(false);
			expect(y.gradFn).toBeNull();
			expect(() =>
				noGrad(() => {
					throw new Error("mine");
				}),
			).toThrow("mine");
			noGrad(() => noGrad(() => 0));
			expect(mul(x, x).requiresGrad).toBe(true);
			expect(() => noGrad(async () => 0)).toThrow(/noGrad: the function returned a promise/);
		}));

	test("detach stops the gradient", () =>
		clean(() => {
			const x = leaf([2]);
			mul(x, x.detach()).backward();
			expect(gradOf(x)).toEqual([2]);
		}));

	test("what cannot be asked", () =>
		clean(() => {
			const x = leaf([1, 2]);
			const y = scale(x, 2);
			expect(() => tensor([1]).backward()).toThrow(/does not depend on anything that requires a gradient/);
			expect(() => y.backward()).toThrow(/"toyScale" \[2\] is not a scalar; pass the gradient that arrives at it/);
			expect(() => y.backward(tensor([1, 2, 3]))).toThrow(/dy has shape \[3\], expected that of .* \[2\]/);
			expect(() => y.backward(tensor(Int32Array.of(1, 2), [2]))).toThrow(/dy is int32 on the/);
			expect(() => y.setRequiresGrad()).toThrow(/was computed; requiresGrad is set on leaves, detach\(\) it first/);
			y.dispose();
			expect(() => y.backward(tensor([1, 2]))).toThrow(/was used after it was freed/);
		}));

	test("an op that returns a gradient of another shape is found out", () =>
		clean(() => {
			const op: Op<null> = {
				name: "wrong",
				forward: ([x]) => empty(x.shape, x.backend, "float", "wrong"),
				backward: (dy) => [empty([3], dy.backend, "float", "dx")],
			};
			const y = apply(op, [leaf([1, 2])], null);
			expect(() => y.backward(tensor([1, 1]))).toThrow(/"wrong" returned a gradient of shape \[3\] for "x" \[2\]/);
			const z = apply(op, [scale(leaf([1, 2]), 1)], null);
			expect(() => z.backward(tensor([1, 1]))).toThrow(/gradient of shape \[3\] for "toyScale" \[2\]/);
		}));

	test("a chain of 10,000 does not run out of stack, forward, backward or freed", () =>
		clean(() => {
			const x = leaf([1]);
			let y = scope(() => {
				let h = scale(x, 1);
				for (let i = 0; i < 10_000; i++) h = add(h, x);
				return h;
			});
			y.backward();
			expect(gradOf(x)).toEqual([10_001]);
			y = scope(() => {
				let h = mul(x, x);
				for (let i = 0; i < 10_000; i++) h = mul(h, x);
				return h;
			});
			// Freed without ever having run backward.
			y.dispose();
		}));

	test("backward leaves behind the gradients of the leaves and nothing else", () =>
		clean(() => {
			const x = leaf(Array.from({ length: 128 }, (_, i) => i));
			const vector = x.view().byteLength;
			const start = currentBackend().memory().used;
			const held = () => currentBackend().memory().used - start;
			// The handles go with the inner scope: from then on the tape alone holds what was saved, x^2 and x^3.
			const y = scope(() => sumAll(mul(mul(x, x), x)));
			expect(held()).toBeGreaterThanOrEqual(2 * vector);
			y.backward();
			expect(x.grad?.storage.refs).toBe(1);
			expect(held()).toBeGreaterThanOrEqual(vector);
			expect(held()).toBeLessThan(vector + 128);
			expect(liveTensors() - before[0]).toBe(3);
		}));

	test("an error on the way leaves no tensors and an untouched mode", () =>
		clean(() => {
			const x = leaf([1, 2]);
			const y = scale(x, 2);
			y.registerHook(() => {
				throw new Error("in the hook");
			});
			const z = sumAll(scale(y, 3));
			const tensors = liveTensors();
			expect(() => z.backward()).toThrow("in the hook");
			expect(liveTensors()).toBeLessThanOrEqual(tensors);
			expect(x.grad).toBeNull();
		}));

	test("a leaf freed before backward is passed over", () =>
		clean(() => {
			const [a, b] = [leaf([1]), leaf([2])];
			const y = mul(a, b);
			a.dispose();
			y.backward();
			expect(gradOf(b)).toEqual([1]);
		}));
});

onEachBackend("hooks", () => {
	test("read a gradient, once a backward, summed over all uses", () => {
		scope(() => {
			const x = leaf([1, 2]);
			const h = scale(x, 2);
			const seen: number[][] = [];
			h.registerHook((grad) => {
				seen.push([...grad.dataSync()]);
				return undefined;
			});
			sumAll(add(h, scale(h, 10))).backward();
			expect(seen).toEqual([[11, 11]]);
			expect(gradOf(x)).toEqual([22, 22]);
		});
	});

	test("replace a gradient, one after the other", () => {
		scope(() => {
			const x = leaf([1, 2]);
			const h = scale(x, 2);
			h.registerHook((grad) => scale(grad, 10));
			h.registerHook((grad) => add(grad, grad));
			sumAll(h).backward();
			expect(gradOf(x)).toEqual([40, 40]);
		});
	});

	test("may return a tensor of the caller's, which stays the caller's", () => {
		scope(() => {
			const mask = tensor([0, 1]);
			const x = leaf([1, 2]);
			for (let i = 0; i < 2; i++) {
				const h = same(x);
				h.registerHook(() => mask);
				sumAll(h).backward();
			}
			expect(gradOf(x)).toEqual([0, 2]);
			expect([...mask.dataSync()]).toEqual([0, 1]);
		});
	});

	test("may keep the gradient", () => {
		let kept: Tensor | undefined;
		scope(() => {
			const h = scale(leaf([1, 2]), 2);
			h.registerHook((grad) => {
				kept = keep(scale(grad, 1));
				return undefined;
			});
			sumAll(h).backward();
		});
		expect([...(kept?.dataSync() ?? [])]).toEqual([1, 1]);
		kept?.dispose();
	});

	test("can be removed, and are refused on leaves and on wrong shapes", () => {
		scope(() => {
			const x = leaf([1, 2]);
			const h = scale(x, 2);
			const remove = h.registerHook((grad) => scale(grad, 100));
			remove();
			sumAll(h).backward();
			expect(gradOf(x)).toEqual([2, 2]);
			expect(() => x.registerHook(() => undefined)).toThrow(/registerHook: .*read \.grad after backward/);
			const bad = scale(x, 2);
			bad.registerHook(() => tensor([1]));
			expect(() => sumAll(bad).backward()).toThrow(/"a hook" returned a gradient of shape \[1\] for "toyScale" \[2\]/);
		});
	});
});

onEachBackend("onGradientReady", () => {
	test("comes once a leaf, when its gradient is complete and nodes before it are still to run", () => {
		scope(() => {
			const [a, b, c] = [leaf([1, 2], "a"), leaf([3, 4], "b"), leaf([5, 6], "c")];
			const early = mul(a, b);
			let earlyHasRun = false;
			early.registerHook(() => {
				earlyHasRun = true;
				return undefined;
			});
			// b is used twice: its gradient is complete when the first of its uses has run.
			const told: [string, number[], boolean][] = [];
			sumAll(add(mul(early, b), c)).backward(undefined, {
				onGradientReady: (leaf) => told.push([leaf.name, gradOf(leaf), earlyHasRun]),
			});
			expect(told).toEqual([
				["c", [1, 1], false],
				["a", [9, 16], true],
				["b", [6, 16], true],
			]);
		});
	});

	test("comes for a leaf that is the root, and for one that no gradient reaches", () => {
		scope(() => {
			const x = leaf([3]);
			const told: (Tensor | null)[] = [];
			x.backward(undefined, { onGradientReady: (leaf) => told.push(leaf.grad) });
			expect(told).toEqual([x.grad]);
			const blocked = leaf([1], "blocked");
			const stop: Op<object> = {
				name: "stop",
				forward: ([input]) => empty(input.shape, input.backend, "float", "stopped"),
				backward: () => [null],
			};
			const names: string[] = [];
			sumAll(add(apply(stop, [scale(blocked, 2)], {}), x)).backward(undefined, {
				onGradientReady: (leaf) => names.push(leaf.name),
			});
			expect(names).toEqual(["x", "blocked"]);
			expect(blocked.grad).toBeNull();
		});
	});
});

test("dy of another backend is refused", async () => {
	await init({ backend: "reference" });
	const dy = tensor([1]);
	await init({ threads: 1 });
	const y = scale(leaf([1]), 2);
	expect(() => y.backward(dy)).toThrow(/dy is float64 on the reference backend, .* is float32 on the wasm backend/);
});
