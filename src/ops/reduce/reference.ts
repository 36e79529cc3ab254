// Reductions in float64, one output at a time.

import type { Pass } from "./plan.ts";
import type { Kernels } from "./raw.ts";

/** Calls `fn` for each output with its place and the places in x of the n elements that it is made from. */
function forEachOutput({ outer, n, inner }: Pass, fn: (out: number, elements: number[]) => void): void {
	for (let o = 0; o < outer; o++) {
		for (let i = 0; i < inner; i++) {
			fn(
				o * inner + i,
				Array.from({ length: n }, (_, k) => (o * n + k) * inner + i),
			);
		}
	}
}

/** Whether b is further out than a; NaN is further out than any number. */
function beats(kind: "max" | "min", b: number, a: number): boolean {
	if (Number.isNaN(a)) return false;
	return Number.isNaN(b) || (kind === "max" ? b > a : b < a);
}

export const reference: Kernels = {
	sum(x, out, pass, scale) {
		const [from, to] = [x.view(), out.view()];
		forEachOutput(pass, (at, elements) => {
			let sum = 0;
			for (const k of elements) sum += from[k];
			to[at] = sum * scale;
		});
	},
	extreme(kind, x, out, pass) {
		const [from, to] = [x.view(), out.view()];
		forEachOutput(pass, (at, elements) => {
			to[at] = from[elements.reduce((best, k) => (beats(kind, from[k], from[best]) ? k : best))];
		});
	},
	index(kind, x, out, pass) {
		const [from, to] = [x.view(), out.view()];
		forEachOutput(pass, (at, elements) => {
			let best = 0;
			elements.forEach((k, i) => {
				if (beats(kind, from[k], from[elements[best]])) best = i;
			});
			to[at] = best;
		});
	},
};
