// Norms of inputs whose number of axes the graph does not say: the layers of nn, but for what they accept.

import { BatchNorm1d } from "../nn/layers/batch-norm.ts";
import { InstanceNorm1d } from "../nn/layers/instance-norm.ts";

const ranks = { 3: "[N, C, L]", 4: "[N, C, H, W]", 5: "[N, C, D, H, W]" };

/** Batch normalization over `[N, C]` and `[N, C, …]`. */
export class BatchNormAnyRank extends BatchNorm1d {
	protected override readonly accepts = { 2: "[N, C]", ...ranks };
}

/** Instance normalization over `[N, C, …]`. */
export class InstanceNormAnyRank extends InstanceNorm1d {
	protected override readonly accepts = ranks;
}
