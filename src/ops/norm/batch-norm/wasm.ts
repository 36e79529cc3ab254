// Launching the kernels: channels are the work items, taken by threads in groups that hold enough
// work to be worth handing out.

import type { Tensor } from "../../../tensor/tensor.ts";
import { launchByChannel } from "../shared/statistics.ts";
import type { BatchNormKernels } from "./fused.ts";
import { backwardRows, forwardRows, isLargeTable, normalizeRows } from "./rows.ts";

export const wasmBatchNorm: BatchNormKernels = {
	forward({ x, y, weight, bias, stats, mask, eps, following, start, statsStart, count, ...geometry }) {
		const tensors = [[x, start], [y, start], weight, bias, [stats, statsStart]] as const;
		if (following) launchByChannel(`batch_norm_${following}_forward`, x, geometry, { tensors, numbers: [eps] });
		else if (mask) {
			const masked = { tensors: [...tensors, mask], numbers: [eps, count], columns: false };
			launchByChannel("batch_norm_masked_forward", x, geometry, masked);
		} else if (isLargeTable(geometry)) {
			forwardRows({ x: [x, start], y: [y, start], weight, bias, stats: [stats, statsStart], eps }, x, geometry);
		} else launchByChannel("batch_norm_forward", x, geometry, { tensors, numbers: [eps] });
	},

	normalize({ x, y, weight, bias, stats, following, n, c, s }) {
		const tensors = [x, y, weight, bias, stats];
		if (following) launchByChannel(`batch_norm_${following}_normalize`, x, { n, c, s }, { tensors });
		else if (isLargeTable({ n, c, s })) normalizeRows({ x, y, weight, bias, stats }, x, { n, c, s });
		else launchByChannel("batch_norm_normalize", x, { n, c, s }, { tensors });
	},

	backward({
		x,
		dy,
		dx,
		weight,
		dweight,
		dbias,
		stats,
		mask,
		training,
		y,
		following,
		start,
		statsStart,
		count,
		...geometry
	}) {
		const at = (tensor: Tensor | null) => [tensor, start] as const;
		const sums = [weight, dweight, dbias, [stats, statsStart] as const];
		const tensors = [at(x), at(dy), at(dx), ...sums];
		if (following && y) {
			const activated = { tensors: [at(x), at(dy), at(y), at(dx), ...sums], numbers: [training ? 1 : 0] };
			launchByChannel(`batch_norm_${following}_backward`, x, geometry, activated);
		} else if (mask) {
			const masked = { tensors: [...tensors, mask], numbers: [count], columns: false };
			launchByChannel("batch_norm_masked_backward", x, geometry, masked);
		} else if (isLargeTable(geometry)) {
			const located = { x: at(x), dy: at(dy), dx: at(dx), weight, dweight, dbias, stats: [stats, statsStart] as const };
			backwardRows({ ...located, training }, x, geometry);
		} else launchByChannel("batch_norm_backward", x, geometry, { tensors, numbers: [training ? 1 : 0] });
	},
};
