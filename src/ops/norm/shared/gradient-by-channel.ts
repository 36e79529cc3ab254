// dx = a dy + b (x - center) + shift, with one of each a channel: the last pass of a norm whose
// statistics are mixed from several.

import type { Tensor } from "../../../tensor/tensor.ts";
import { type KernelSet, kernelsFor, wasmOf } from "../../op.ts";
import type { ChannelGeometry } from "./geometry.ts";
import { addressOf, eachOfChannel, launchByBlock, launchByChannel } from "./statistics.ts";

interface GradientArgs extends ChannelGeometry {
	x: Tensor;
	dy: Tensor;
	dx: Tensor;
	/** Four rows of C: center, a, b, shift. */
	table: Tensor;
}

const kernels: KernelSet<{ gradient(args: GradientArgs): void }> = {
	reference: {
		gradient({ x, dy, dx, table, n, c, s }) {
			const [xs, dys, dxs, values] = [x, dy, dx, table].map((tensor) => tensor.view());
			for (let channel = 0; channel < c; channel++) {
				const [center, a, b, shift] = [0, 1, 2, 3].map((row) => values[row * c + channel]);
				eachOfChannel(channel, { n, c, s }, (i) => {
					dxs[i] = a * dys[i] + b * (xs[i] - center) + shift;
				});
			}
		},
	},
	wasm: {
		gradient({ x, dy, dx, table, n, c, s }) {
			const tensors = [x, dy, dx, table];
			if (s === 1) launchByChannel("norm_channel_gradient", x, { n, c, s }, { tensors });
			else launchByBlock(wasmOf(x), "norm_channel_gradient", tensors.map(addressOf), { n, c, s });
		},
	},
};

/** Writes `dx`, for x read as [n, c, s]. */
export function gradientByChannel(args: GradientArgs): void {
	kernelsFor(kernels, args.x).gradient(args);
}
