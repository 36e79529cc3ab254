// Batch normalization in float64, as the definition has it. The oracle that the kernels are compared with.

import type { Tensor } from "../../../tensor/tensor.ts";
import { type CountedGeometry, eachOfChannel, referenceStatistics } from "../shared/statistics.ts";
import type { BatchNormKernels } from "./fused.ts";

const at = (tensor: Tensor | null, channel: number, otherwise: number) => tensor?.view()[channel] ?? otherwise;

/** The values of a part, and of the table of its statistics. */
const part = (tensor: Tensor, start: number) => tensor.view().subarray(start);

export const referenceBatchNorm: BatchNormKernels = {
	forward(args) {
		const { x, stats, mask, eps, start, statsStart } = args;
		const counted: CountedGeometry = { ...args, mask: mask?.view() };
		referenceStatistics(part(x, start), part(stats, statsStart), counted, eps);
		referenceBatchNorm.normalize(args);
	},

	normalize({ x, y, weight, bias, stats, n, c, s, start, statsStart }) {
		const xs = part(x, start);
		const ys = part(y, start);
		const table = part(stats, statsStart);
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

	backward({ x, dy, dx, weight, dweight, dbias, stats, mask, n, c, s, start, statsStart, count, training }) {
		const xs = part(x, start);
		const dys = part(dy, start);
		const dxs = dx && part(dx, start);
		const table = part(stats, statsStart);
		const counts = mask?.view();
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
			eachOfChannel(channel, { n, c, s }, (i, position) => {
				// What the mask leaves out has no part in the statistics, and no gradient through them.
				const counted = training && counts?.[position] !== 0;
				const through = counted ? sum / count + ((xs[i] - mean) * rstd * dot) / count : 0;
				dxs[i] = scale * (dys[i] - through);
			});
		}
	},
};
