// Norms over consecutive elements in float64, as the definition has them.

import type { Tensor } from "../../../tensor/tensor.ts";
import type { GroupedGeometry, GroupedKernels } from "./grouped.ts";

/** Calls `visit` with the index of each element of a group and that of its scale. */
function eachOf(group: number, g: GroupedGeometry, visit: (index: number, affine: number) => void): void {
	const first = ((group % g.period) * g.length) / g.span;
	for (let i = 0; i < g.length; i++) visit(group * g.length + i, first + Math.floor(i / g.span));
}

const at = (tensor: Tensor | null, index: number, otherwise: number) => tensor?.view()[index] ?? otherwise;

export const referenceGrouped: GroupedKernels = {
	forward({ x, y, weight, bias, stats, eps, ...geometry }) {
		const { groups, length, centered } = geometry;
		const xs = x.view();
		const ys = y.view();
		const table = stats.view();
		for (let group = 0; group < groups; group++) {
			let sum = 0;
			if (centered) {
				eachOf(group, geometry, (i) => {
					sum += xs[i];
				});
			}
			const mean = sum / length;
			let squares = 0;
			eachOf(group, geometry, (i) => {
				squares += (xs[i] - mean) ** 2;
			});
			const rstd = 1 / Math.sqrt(squares / length + eps);
			table[group] = mean;
			table[groups + group] = 0;
			table[2 * groups + group] = rstd;
			eachOf(group, geometry, (i, k) => {
				ys[i] = (xs[i] - mean) * rstd * at(weight, k, 1) + at(bias, k, 0);
			});
		}
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, ...geometry }) {
		const { groups, length, centered } = geometry;
		const [xs, dys, table] = [x.view(), dy.view(), stats.view()];
		const [dxs, dws, dbs] = [dx?.view(), dweight?.view(), dbias?.view()];
		dws?.fill(0);
		dbs?.fill(0);
		for (let group = 0; group < groups; group++) {
			const mean = table[group];
			const rstd = table[2 * groups + group];
			let sum = 0;
			let dot = 0;
			eachOf(group, geometry, (i, k) => {
				const xhat = (xs[i] - mean) * rstd;
				if (dws) dws[k] += dys[i] * xhat;
				if (dbs) dbs[k] += dys[i];
				sum += dys[i] * at(weight, k, 1);
				dot += dys[i] * at(weight, k, 1) * xhat;
			});
			if (!dxs) continue;
			eachOf(group, geometry, (i, k) => {
				const xhat = (xs[i] - mean) * rstd;
				const through = (centered ? sum / length : 0) + (xhat * dot) / length;
				dxs[i] = rstd * (dys[i] * at(weight, k, 1) - through);
			});
		}
	},
};
