// The geometry that a convolution, its gradients and the transposed convolution share: an image, an
// output, and the weights that link their pixels. For each group of channels
//
//   out[m, r, s] and image[c, r * stride + i * dilation - top, s * stride + j * dilation - left]
//
// are linked by weight[m, c, i, j]. A convolution computes the output from the image, a transposed
// convolution the image from the output.

export type Pair = readonly [number, number];

export interface Geometry {
	readonly images: number;
	readonly groups: number;
	/** Channels of the image, and of the output, in each group. */
	readonly channels: number;
	readonly outputs: number;
	/** Height and width of the image, of the output and of the kernel. */
	readonly size: Pair;
	readonly outSize: Pair;
	readonly kernel: Pair;
	readonly stride: Pair;
	readonly dilation: Pair;
	/** Zeros above and to the left of the image. */
	readonly top: number;
	readonly left: number;
}

const samePair = (a: Pair, b: Pair) => a[0] === b[0] && a[1] === b[1];

export function sameGeometry(a: Geometry, b: Geometry): boolean {
	return (
		a.images === b.images &&
		a.groups === b.groups &&
		a.channels === b.channels &&
		a.outputs === b.outputs &&
		a.top === b.top &&
		a.left === b.left &&
		samePair(a.size, b.size) &&
		samePair(a.outSize, b.outSize) &&
		samePair(a.kernel, b.kernel) &&
		samePair(a.stride, b.stride) &&
		samePair(a.dilation, b.dilation)
	);
}

/** Weights that meet each output pixel: channels x kernel. */
export function weightsOf({ channels, kernel }: Geometry): number {
	return channels * kernel[0] * kernel[1];
}

/** Pixels from the first weight of the kernel to the last, both included, along axis 0 or 1. */
export function extent({ kernel, dilation }: Geometry, axis: 0 | 1): number {
	return (kernel[axis] - 1) * dilation[axis] + 1;
}

/** What a convolution and its gradients are made of. Weights are [groups * outputs, channels, kh, kw]. */
export interface ConvKernels<T> {
	/** out = weight image + bias, one bias an output channel. */
	gather(g: Geometry, image: T, weight: T, bias: T | null, out: T): void;
	/** image = weightᵀ out + bias, one bias an image channel. */
	scatter(g: Geometry, out: T, weight: T, bias: T | null, image: T): void;
	/** dweight = out imageᵀ, summed over all images, and sums over `out`, one an output channel, where `sums` is not null. */
	outer(g: Geometry, image: T, out: T, dweight: T, sums: T | null): void;
	/** sums[c] = sum of x[n, c, …] over all n and the `size` values of each channel. */
	channelSums(x: T, images: number, channels: number, size: number, sums: T): void;
}
