// Batch normalization in float64, as the definition has it. The oracle that the kernels are compared with.

import type { Tensor } from "../../../tensor/tensor.ts";
import { channelStatistics, eachOfChannel } from "../shared/statistics.ts";
import type { BatchNormKernels } from "./op.ts";

const at = (tensor: Tensor | null, channel: number, otherwise: number) => tensor?.view()[channel] ?? otherwise;

export const referenceBatchNorm: BatchNormKernels = {
	forward({ x, y, weight, bias, stats, n, c, s, eps }) {
		channelStatistics(x, stats, { n, c, s }, eps);
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
			eachOfChannel(channel, { n, c, s }, (i) => {
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
			eachOfChannel(channel, { n, c, s }, (i) => {
				sum += dys[i];
				dot += dys[i] * (xs[i] - mean) * rstd;
			});
			if (dweight) dweight.view()[channel] = dot;
			if (dbias) dbias.view()[channel] = sum;
			if (!dxs) continue;
			const scale = at(weight, channel, 1) * rstd;
			eachOfChannel(channel, { n, c, s }, (i) => {
				const through = training ? sum / count + ((xs[i] - mean) * rstd * dot) / count : 0;
				dxs[i] = scale * (dys[i] - through);
			});
		}
	},
};
