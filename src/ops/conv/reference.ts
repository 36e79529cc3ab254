// Convolution in float64, by definition: a walk over every pair of pixels that a weight links.

import type { Tensor } from "../../tensor/tensor.ts";
import { type ConvKernels, type Geometry, weightsOf } from "./geometry.ts";

/** Calls `visit` with the indices into image, weight and output of every link. */
function forEachLink(g: Geometry, visit: (image: number, weight: number, out: number) => void): void {
	const [height, width] = g.size;
	const [outHeight, outWidth] = g.outSize;
	const [kh, kw] = g.kernel;
	for (let n = 0; n < g.images; n++) {
		for (let m = 0; m < g.groups * g.outputs; m++) {
			const group = Math.floor(m / g.outputs);
			for (let r = 0; r < outHeight; r++) {
				for (let s = 0; s < outWidth; s++) {
					const out = ((n * g.groups * g.outputs + m) * outHeight + r) * outWidth + s;
					for (let c = 0; c < g.channels; c++) {
						for (let i = 0; i < kh; i++) {
							const row = r * g.stride[0] + i * g.dilation[0] - g.top;
							if (row < 0 || row >= height) continue;
							for (let j = 0; j < kw; j++) {
								const column = s * g.stride[1] + j * g.dilation[1] - g.left;
								if (column < 0 || column >= width) continue;
								const channel = (n * g.groups + group) * g.channels + c;
								visit((channel * height + row) * width + column, m * weightsOf(g) + (c * kh + i) * kw + j, out);
							}
						}
					}
				}
			}
		}
	}
}

function fillWithBias(out: Tensor, bias: Tensor | null, channels: number, size: number): void {
	const to = out.view();
	const add = bias?.view();
	for (let i = 0; i < out.size; i++) to[i] = add ? add[Math.floor(i / size) % channels] : 0;
}

export const referenceConv: ConvKernels<Tensor> = {
	gather(g, image, weight, bias, out) {
		const [x, w, y] = [image.view(), weight.view(), out.view()];
		fillWithBias(out, bias, g.groups * g.outputs, g.outSize[0] * g.outSize[1]);
		forEachLink(g, (i, k, o) => {
			y[o] += w[k] * x[i];
		});
	},
	scatter(g, out, weight, bias, image) {
		const [x, w, y] = [image.view(), weight.view(), out.view()];
		fillWithBias(image, bias, g.groups * g.channels, g.size[0] * g.size[1]);
		forEachLink(g, (i, k, o) => {
			x[i] += w[k] * y[o];
		});
	},
	outer(g, image, out, dweight, sums) {
		const [x, dw, y] = [image.view(), dweight.view().fill(0), out.view()];
		forEachLink(g, (i, k, o) => {
			dw[k] += y[o] * x[i];
		});
		if (sums) referenceConv.channelSums(out, g.images, g.groups * g.outputs, g.outSize[0] * g.outSize[1], sums);
	},
	channelSums(x, images, channels, size, sums) {
		const from = x.view();
		const to = sums.view().fill(0);
		for (let i = 0; i < images * channels * size; i++) to[Math.floor(i / size) % channels] += from[i];
	},
};
