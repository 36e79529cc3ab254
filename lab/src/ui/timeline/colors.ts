// Color scales that say the same to color-blind readers, on light and on dark paper.

import type { Theme } from "../../state/theme.ts";

export type Rgb = readonly [red: number, green: number, blue: number];

/** Viridis of matplotlib (Smith and van der Walt, CC0), every eighth: lightness rises all the way. */
const viridis: readonly Rgb[] = [
	[68, 1, 84],
	[71, 45, 123],
	[59, 82, 139],
	[44, 114, 142],
	[33, 144, 140],
	[39, 173, 129],
	[93, 200, 99],
	[170, 220, 50],
	[253, 231, 37],
];

/** Blue over the paper's own gray to orange: hues that no common color blindness confuses. */
const diverging: Record<Theme, readonly Rgb[]> = {
	light: [
		[8, 64, 129],
		[67, 147, 195],
		[240, 239, 235],
		[224, 130, 20],
		[127, 59, 8],
	],
	dark: [
		[158, 214, 255],
		[43, 116, 184],
		[48, 52, 60],
		[196, 98, 16],
		[255, 200, 120],
	],
};

export type ScaleKind = "sequential" | "diverging";

/** The colors from least to most, at even distances. */
export function colorStops(kind: ScaleKind, theme: Theme): readonly Rgb[] {
	return kind === "sequential" ? viridis : diverging[theme];
}

/** 256 colors as canvas pixels (little-endian RGBA). */
export function colorTable(stops: readonly Rgb[]): Uint32Array {
	return Uint32Array.from({ length: 256 }, (_, i) => {
		const [red, green, blue] = colorAt(stops, i / 255);
		return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
	});
}

function colorAt(stops: readonly Rgb[], share: number): Rgb {
	const at = share * (stops.length - 1);
	const low = Math.min(Math.floor(at), stops.length - 2);
	const mix = (channel: 0 | 1 | 2): number =>
		Math.round(stops[low][channel] + (at - low) * (stops[low + 1][channel] - stops[low][channel]));
	return [mix(0), mix(1), mix(2)];
}

/** The stops as a CSS gradient. */
export function cssGradient(stops: readonly Rgb[]): string {
	return `linear-gradient(to right, ${stops.map((color) => `rgb(${color.join(" ")})`).join(", ")})`;
}
