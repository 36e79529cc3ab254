// Batch normalization in float64, as the definition has it. The oracle that the kernels are compared with.

import type { Tensor } from "../../../tensor/tensor.ts";
import { type CountedGeometry, eachOfChannel, referenceStatistics } from "../shared/statistics.ts";
import type { BatchNormKernels } from "./fused.ts";

const at = (tensor: Tensor | null, channel: number, otherwise: number) => tensor?.view()[channel] ?? otherwise;

/** The values of a part, and of the table of its statistics. */
const partOf = (tensor: Tensor, start: number) => tensor.view().subarray(start);

export const referenceBatchNorm: BatchNormKernels = {
	forward(args) {
		const { x, stats, mask, eps, part } = args;
		const counted: CountedGeometry = { ...part, mask: mask?.view() };
		referenceStatistics(partOf(x, part.start), partOf(stats, part.statsStart), counted, eps);
		referenceBatchNorm.normalize(args);
	},

	normalize({ x, y, weight, bias, stats, part }) {
		const { c } = part;
		const xs = partOf(x, part.start);
		const ys = partOf(y, part.start);
		const table = partOf(stats, part.statsStart);
		for (let channel = 0; channel < c; channel++) {
			const mean = table[channel];
			const rstd = table[2 * c + channel];
			const gamma = at(weight, channel, 1);
			const beta = at(bias, channel, 0);
			eachOfChannel(channel, part, (i) => {
				ys[i] = (xs[i] - mean) * rstd * gamma + beta;
			});
		}
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, mask, part, training }) {
		const { c, count, start } = part;
		const xs = partOf(x, start);
		const dys = partOf(dy, start);
		const dxs = dx && partOf(dx, start);
		const table = partOf(stats, part.statsStart);
		const counts = mask?.view();
		for (let channel = 0; channel < c; channel++) {
			const mean = table[channel];
			const rstd = table[2 * c + channel];
			let sum = 0;
			let dot = 0;
			eachOfChannel(channel, part, (i) => {
				sum += dys[i];
				// What a mask leaves out may be NaN, where no gradient arrives.
				if (dys[i] !== 0) dot += dys[i] * (xs[i] - mean) * rstd;
			});
			if (dweight) dweight.view()[channel] = dot;
			if (dbias) dbias.view()[channel] = sum;
			if (!dxs) continue;
			const scale = at(weight, channel, 1) * rstd;
			eachOfChannel(channel, part, (i, position) => {
				// What the mask leaves out has no part in the statistics, and no gradient through them.
				const counted = training && counts?.[position] !== 0;
				const through = counted ? sum / count + ((xs[i] - mean) * rstd * dot) / count : 0;
				dxs[i] = scale * (dys[i] - through);
			});
		}
	},
};
