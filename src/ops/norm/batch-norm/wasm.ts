// Launching the kernels: channels are the work items, taken by threads in groups that hold enough
// work to be worth handing out.

import type { Tensor } from "../../../tensor/tensor.ts";
import { launchByChannel } from "../shared/statistics.ts";
import type { BatchNormKernels } from "./fused.ts";
import { backwardRows, forwardRows, isLargeTable, normalizeRows } from "./rows.ts";

export const wasmBatchNorm: BatchNormKernels = {
	forward({ x, y, weight, bias, stats, mask, eps, following, part }) {
		const { start, statsStart } = part;
		const tensors = [[x, start], [y, start], weight, bias, [stats, statsStart]] as const;
		if (following) launchByChannel(`batch_norm_${following}_forward`, x, part, { tensors, numbers: [eps] });
		else if (mask) {
			const masked = { tensors: [...tensors, mask], numbers: [eps, part.count], columns: false };
			launchByChannel("batch_norm_masked_forward", x, part, masked);
		} else if (isLargeTable(part)) {
			forwardRows({ x: [x, start], y: [y, start], weight, bias, stats: [stats, statsStart], eps }, x, part);
		} else launchByChannel("batch_norm_forward", x, part, { tensors, numbers: [eps] });
	},

	normalize({ x, y, weight, bias, stats, following, part }) {
		const tensors = [x, y, weight, bias, stats];
		if (following) launchByChannel(`batch_norm_${following}_normalize`, x, part, { tensors });
		else if (isLargeTable(part)) normalizeRows({ x, y, weight, bias, stats }, x, part);
		else launchByChannel("batch_norm_normalize", x, part, { tensors });
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, mask, training, y, following, part }) {
		const { start, statsStart } = part;
		const at = (tensor: Tensor | null) => [tensor, start] as const;
		const sums = [weight, dweight, dbias, [stats, statsStart] as const];
		const tensors = [at(x), at(dy), at(dx), ...sums];
		if (following && y) {
			const activated = { tensors: [at(x), at(dy), at(y), at(dx), ...sums], numbers: [training ? 1 : 0] };
			launchByChannel(`batch_norm_${following}_backward`, x, part, activated);
		} else if (mask) {
			const masked = { tensors: [...tensors, mask], numbers: [part.count], columns: false };
			launchByChannel("batch_norm_masked_backward", x, part, masked);
		} else if (isLargeTable(part)) {
			const located = { x: at(x), dy: at(dy), dx: at(dx), weight, dweight, dbias, stats: [stats, statsStart] as const };
			backwardRows({ ...located, training }, x, part);
		} else launchByChannel("batch_norm_backward", x, part, { tensors, numbers: [training ? 1 : 0] });
	},
};
