// What may happen to images on their way into a batch, and the dice for it: one window an image,
// drawn for a whole epoch at once so that any batch of it can be made again.

import { check } from "../errors.ts";
import type { Generator } from "../random/generator.ts";

/** How images become the floats of a batch: (x / 255 - mean) / std, after cropping and flipping. */
export interface ImageTransform {
	/** In units of [0, 1]: one number, or one a channel. Default 0. */
	mean?: number | readonly number[];
	/** In units of [0, 1]: one number, or one a channel. Default 1. */
	std?: number | readonly number[];
	/**
	 * Cuts a window out of each image at a random place: `padding` black pixels are added on every side first
	 * (default 0), `size` is the window's height and width (default: the image's).
	 */
	crop?: { padding?: number; size?: number | readonly [number, number] };
	/** Mirrors every other image, by chance, from left to right. Default false. */
	flip?: boolean;
}

/** The sizes that windows are drawn from. */
export interface WindowPlan {
	/** Height and width of a window. */
	size: readonly [number, number];
	/** The corner lies in [-padding, -padding + places). */
	padding: number;
	places: readonly [number, number];
	flip: boolean;
}

/** What `transform` draws for images of `shape` `[C, H, W]`; null if it draws nothing. */
export function planWindows(transform: ImageTransform, shape: readonly [number, number, number]): WindowPlan | null {
	const { crop, flip = false } = transform;
	if (!crop && !flip) return null;
	const [, H, W] = shape;
	const { padding = 0, size = [H, W] } = crop ?? {};
	const [h, w] = typeof size === "number" ? [size, size] : size;
	check(
		Number.isInteger(padding) && padding >= 0,
		() => `DataLoader: crop.padding must be a whole number of at least 0, got ${padding}`,
	);
	const places: [number, number] = [H + 2 * padding - h + 1, W + 2 * padding - w + 1];
	check(
		[h, w].every((length) => Number.isInteger(length) && length > 0) && Math.min(...places) > 0,
		() =>
			`DataLoader: crop.size ${h} x ${w} does not fit into images of ${H} x ${W} with ${padding} pixels of padding; ` +
			"choose a smaller size or more padding",
	);
	return { size: [h, w], padding, places, flip };
}

/** (top, left, flip) for each of `count` images. */
export function drawWindows(plan: WindowPlan, count: number, random: Generator): Int32Array {
	const { padding, places, flip } = plan;
	const windows = new Int32Array(3 * count);
	const place = (n: number): number => (n === 1 ? 0 : random.int(n)) - padding;
	for (let i = 0; i < windows.length; i += 3) {
		windows[i] = place(places[0]);
		windows[i + 1] = place(places[1]);
		windows[i + 2] = flip ? random.int(2) : 0;
	}
	return windows;
}
