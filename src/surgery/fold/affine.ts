// What batch normalization by fixed statistics computes: one scale and one shift a channel.
//
//   y = (x - mean) / sqrt(variance + eps) * weight + bias = scale * x + shift
//   scale = weight / sqrt(variance + eps),  shift = bias - mean * scale

import { refuse } from "./refusal.ts";

/** `scale[c] * x + shift[c]`, in float64. */
export interface Affine {
	readonly scale: Float64Array;
	readonly shift: Float64Array;
}

/** The numbers of a batch normalization. */
export interface NormNumbers {
	/** Scale, one a channel; null: 1. */
	readonly weight: ArrayLike<number> | null;
	/** Shift, one a channel; null: 0. */
	readonly bias: ArrayLike<number> | null;
	readonly mean: ArrayLike<number>;
	readonly variance: ArrayLike<number>;
	readonly eps: number;
}

/**
 * Scale and shift of a batch normalization.
 *
 * @throws Refusal if a channel has none: its variance is negative, or a number is not finite
 */
export function affineOf({ weight, bias, mean, variance, eps }: NormNumbers): Affine {
	const channels = mean.length;
	const scale = new Float64Array(channels);
	const shift = new Float64Array(channels);
	for (let c = 0; c < channels; c++) {
		scale[c] = (weight?.[c] ?? 1) / Math.sqrt(variance[c] + eps);
		shift[c] = (bias?.[c] ?? 0) - mean[c] * scale[c];
		if (!Number.isFinite(scale[c]) || !Number.isFinite(shift[c])) {
			refuse(
				`channel ${c} gives no finite numbers: mean ${mean[c]}, variance ${variance[c]}, scale ${weight?.[c] ?? 1}, ` +
					`shift ${bias?.[c] ?? 0}`,
			);
		}
	}
	return { scale, shift };
}

/** First `inner`, then `outer`: `outer.scale * (inner.scale * x + inner.shift) + outer.shift`. */
export function compose(outer: Affine, inner: Affine): Affine {
	return {
		scale: inner.scale.map((scale, c) => outer.scale[c] * scale),
		shift: inner.shift.map((shift, c) => outer.scale[c] * shift + outer.shift[c]),
	};
}

/** Each channel's scale and shift `times` in a row: for channels that a reshape has cut into so many. */
export function repeatChannels({ scale, shift }: Affine, times: number): Affine {
	const repeat = (values: Float64Array) =>
		Float64Array.from({ length: values.length * times }, (_, i) => values[Math.floor(i / times)]);
	return { scale: repeat(scale), shift: repeat(shift) };
}

/** Whether it only scales: zeros stay zeros. */
export function keepsZero({ shift }: Affine): boolean {
	return shift.every((value) => value === 0);
}
