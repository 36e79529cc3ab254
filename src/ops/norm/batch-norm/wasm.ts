// Launching the kernels: channels are the work items, taken by threads in groups that hold enough
// work to be worth handing out.

import { launchByChannel } from "../shared/statistics.ts";
import type { BatchNormKernels } from "./op.ts";

export const wasmBatchNorm: BatchNormKernels = {
	forward({ x, y, weight, bias, stats, eps, ...geometry }) {
		launchByChannel("batch_norm_forward", x, geometry, { tensors: [x, y, weight, bias, stats], numbers: [eps] });
	},

	normalize({ x, y, weight, bias, stats, ...geometry }) {
		launchByChannel("batch_norm_normalize", x, geometry, { tensors: [x, y, weight, bias, stats] });
	},

	backward({ x, dy, dx, weight, dweight, dbias, stats, training, ...geometry }) {
		const tensors = [x, dy, dx, weight, dweight, dbias, stats];
		launchByChannel("batch_norm_backward", x, geometry, { tensors, numbers: [training ? 1 : 0] });
	},
};
