// Moving elements one by one.

import { permutedShape, stridesOf } from "./plan.ts";
import type { Kernels } from "./raw.ts";

export const reference: Kernels = {
	permute(x, out, axes) {
		const [from, to] = [x.view(), out.view()];
		const strides = stridesOf(x.shape);
		const shape = permutedShape(x.shape, axes);
		for (let i = 0; i < out.size; i++) {
			let rest = i;
			let source = 0;
			for (let k = axes.length - 1; k >= 0; k--) {
				source += (rest % shape[k]) * strides[axes[k]];
				rest = Math.floor(rest / shape[k]);
			}
			to[i] = from[source];
		}
	},
	copyRows(x, out, { rows, length, from, fromStride, to, toStride }) {
		const [source, target] = [x.view(), out.view()];
		for (let row = 0; row < rows; row++) {
			for (let i = 0; i < length; i++) target[to + row * toStride + i] = source[from + row * fromStride + i];
		}
	},
};
