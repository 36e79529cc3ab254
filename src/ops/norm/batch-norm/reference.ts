// Batch normalization in float64, as the definition has it: two passes for the statistics, one for
// the result. The oracle that the kernels are compared with.

import type { Tensor } from "../../../tensor/tensor.ts";
import type { BatchNormKernels } from "./op.ts";

/** Calls `visit` with the index of every element of channel `channel`. */
function eachOf(channel: number, n: number, c: number, s: number, visit: (index: number) => void): void {
	for (let example = 0; example < n; example++) {
		const start = (example * c + channel) * s;
		for (let i = start; i < start + s; i++) visit(i);
	}
}

const at = (tensor: Tensor | null, channel: number, otherwise: number) => tensor?.view()[channel] ?? otherwise;

export const referenceBatchNorm: BatchNormKernels = {
	forward({ x, y, weight, bias, stats, n, c, s, eps }) {
		const xs = x.view();
		const table = stats.view();
		for (let channel = 0; channel < c; channel++) {
			let sum = 0;
			eachOf(channel, n, c, s, (i) => {
				sum += xs[i];
			});
			const mean = sum / (n * s);
			let squares = 0;
			eachOf(channel, n, c, s, (i) => {
				squares += (xs[i] - mean) ** 2;
			});
			const variance = squares / (n * s);
			table[channel] = mean;
			table[c + channel] = 0;
			table[2 * c + channel] = 1 / Math.sqrt(variance + eps);
			table[3 * c + channel] = variance;
		}
		referenceBatchNorm.normalize({ x, y, weight, bias, stats, n, c, s });
	},

	normalize({ x, y, weight, bias, stats, n, c, s }) {
		const xs = x.view();
		const ys = y.view();
		const table = stats.view();
		for (let channel = 0; channel < c; channel++) {
			const mean = table[channel];
			const rstd = table[2 * c + channel];
			const gamma = at(weight, channel, 1);
			const beta = at(bias, channel, 0);
			eachOf(channel, n, c, s, (i) => {
				ys[i] = (xs[i] - mean) * rstd * gamma + beta;
			});
		}
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, n, c, s, training }) {
		const xs = x.view();
		const dys = dy.view();
		const dxs = dx?.view();
		const table = stats.view();
		const count = n * s;
		for (let channel = 0; channel < c; channel++) {
			const mean = table[channel];
			const rstd = table[2 * c + channel];
			let sum = 0;
			let dot = 0;
			eachOf(channel, n, c, s, (i) => {
				sum += dys[i];
				dot += dys[i] * (xs[i] - mean) * rstd;
			});
			if (dweight) dweight.view()[channel] = dot;
			if (dbias) dbias.view()[channel] = sum;
			if (!dxs) continue;
			const scale = at(weight, channel, 1) * rstd;
			eachOf(channel, n, c, s, (i) => {
				const through = training ? sum / count + ((xs[i] - mean) * rstd * dot) / count : 0;
				dxs[i] = scale * (dys[i] - through);
			});
		}
	},
};
