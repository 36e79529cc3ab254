// Matrix products in float64, by definition.

import type { ProductKernels } from "./product.ts";

export const referenceProducts: ProductKernels = {
	multiply({ a, b, c, bias, m, n, k }) {
		const x = a.tensor.view();
		const y = b.tensor.view();
		const out = c.view();
		const add = bias?.view();
		let at = 0;
		for (let p = 0; p < a.starts.length; p++) {
			for (let i = 0; i < m; i++) {
				for (let j = 0; j < n; j++) {
					let sum = add ? add[j] : 0;
					for (let l = 0; l < k; l++) {
						sum +=
							x[a.starts[p] + i * a.strides[0] + l * a.strides[1]] *
							y[b.starts[p] + l * b.strides[0] + j * b.strides[1]];
					}
					out[at++] = sum;
				}
			}
		}
	},
	sumRuns(x, starts, size, out) {
		const from = x.view();
		const to = out.view();
		starts.forEach((list, o) => {
			for (let i = 0; i < size; i++) {
				let sum = 0;
				for (const start of list) sum += from[start + i];
				to[o * size + i] = sum;
			}
		});
	},
};
