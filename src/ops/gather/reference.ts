// The oracle: the formulas, index by index, in float64.

import { sizeOf } from "../../tensor/shape.ts";
import type { Kernels } from "./op.ts";

export const reference: Kernels = {
	index(index, rows) {
		index.view().set(rows);
	},

	rows(out, x, rows) {
		const length = sizeOf(x.shape.slice(1));
		const from = x.view();
		const to = out.view();
		rows.view().forEach((row, i) => {
			for (let j = 0; j < length; j++) to[i * length + j] = from[row * length + j];
		});
	},

	images(out, x, rows, { mean, std, windows }) {
		const [, C, H, W] = x.shape;
		const [N, , outH, outW] = out.shape;
		const from = x.view();
		const to = out.view();
		const row = rows.view();
		const pixel = (n: number, c: number, h: number, w: number): number => {
			const inside = h >= 0 && h < H && w >= 0 && w < W;
			return inside ? from[((row[n] * C + c) * H + h) * W + w] : 0;
		};
		for (let n = 0; n < N; n++) {
			const [top, left, flip] = windows ? windows.subarray(3 * n, 3 * n + 3) : [0, 0, 0];
			for (let c = 0; c < C; c++) {
				for (let h = 0; h < outH; h++) {
					for (let w = 0; w < outW; w++) {
						const value = pixel(n, c, top + h, left + (flip ? outW - 1 - w : w));
						to[((n * C + c) * outH + h) * outW + w] = (value / 255 - mean[c]) / std[c];
					}
				}
			}
		}
	},
};
