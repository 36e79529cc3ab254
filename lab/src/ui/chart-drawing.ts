// What a chart draws: smoothed curves, a guide, dots, and the limits of its axis.

import type uPlot from "uplot";
import type { Side } from "../engine/protocol.ts";
import type { Series } from "../state/series.ts";
import { cssColor } from "../state/theme.ts";

/** One line. */
export interface Curve {
	readonly side: Side;
	readonly series: Series;
}

/** One measurement. */
export interface Dot {
	readonly side: Side;
	readonly step: number;
	readonly value: number;
}

/** How strong a band of single values is. */
const BAND_ALPHA = 0.2;

/** A smoothed curve looks back over about so large a part of itself. */
const SMOOTHING_PART = 40;

/** uPlot's columns: steps; then what was measured of each curve; then each curve, smoothed, so that none is covered. */
export function smoothTable(curves: readonly Curve[]): uPlot.AlignedData {
	const longest = curves.reduce<Series | null>(
		(best, { series }) => (best === null || series.length > best.length ? series : best),
		null,
	);
	const steps = Array.from({ length: longest?.length ?? 0 }, (_, i) => longest?.stepOf(i) ?? 0);
	const measured = curves.map(({ series }) => steps.map((_, i) => (i < series.length ? series.mean(i) : null)));
	return [steps, ...measured, ...measured.map(smoothed)];
}

/** The exponential moving average of `values`, as long as there are any. */
export function smoothed(values: readonly (number | null)[]): (number | null)[] {
	const weight = 2 / (Math.max(1, values.length / SMOOTHING_PART) + 1);
	let average: number | null = null;
	return values.map((value) => {
		if (value === null) return null;
		average = average === null ? value : average + weight * (value - average);
		return average;
	});
}

/** The vertical axis: everything, unless it leaves the guide far behind, as a loss does that overflows. */
export function limits(least: number | null, most: number | null, guide: number): [number, number] {
	const top = Math.min(Math.max(most ?? guide, 1.12 * guide), 2.5 * guide);
	const bottom = Math.max(0, Math.min(least ?? 0, 0.8 * guide) - 0.05 * top);
	return [bottom < 0.35 * guide ? 0 : bottom, top];
}

/** With less than this many pixels a bucket, single values are a band: a line that goes up and down in each pixel takes long to draw. */
const BAND_BELOW = 2;

/** Whether the buckets stand so close that {@link drawBand} draws them. */
export function isBand(plot: uPlot): boolean {
	const [steps] = plot.data;
	const [first, last] = [steps[0] ?? 0, steps[steps.length - 1] ?? 0];
	const width = plot.valToPos(last, "x", true) - plot.valToPos(first, "x", true);
	return width / devicePixelRatio < BAND_BELOW * steps.length;
}

/** From the least to the greatest value in each pixel across, joined to the pixel before. */
export function drawBand(plot: uPlot, { side, series }: Curve): void {
	const { ctx, bbox } = plot;
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	ctx.globalAlpha = BAND_ALPHA;
	ctx.fillStyle = cssColor(`--twin-${side}`);
	const y = (value: number): number => Math.round(plot.valToPos(value, "y", true));
	let before: number | null = null;
	let [column, low, high] = [Number.NaN, 0, 0];
	const fill = (end: number): void => {
		if (!Number.isNaN(column)) ctx.fillRect(column, y(high), Math.max(1, end - column), Math.max(1, y(low) - y(high)));
	};
	for (let i = 0; i < series.length; i++) {
		const [mean, least, most] = [series.mean(i), series.least(i), series.most(i)];
		const x = Math.round(plot.valToPos(series.stepOf(i), "x", true));
		if (mean === null || least === null || most === null) {
			fill(column + 1);
			[column, before] = [Number.NaN, null];
			continue;
		}
		if (x !== column) {
			fill(x);
			[column, low, high] = [x, before ?? least, before ?? most];
		}
		[low, high, before] = [Math.min(low, least), Math.max(high, most), mean];
	}
	fill(column + 1);
	ctx.restore();
}

/** A dashed line across the chart, and what it stands for. */
export function drawGuide(plot: uPlot, guide: number, text: string): void {
	const { ctx, bbox } = plot;
	const y = Math.round(plot.valToPos(guide, "y", true));
	if (y < bbox.top || y > bbox.top + bbox.height) return;
	const ratio = devicePixelRatio;
	ctx.save();
	ctx.strokeStyle = cssColor("--ink-soft");
	ctx.lineWidth = ratio;
	ctx.setLineDash([4 * ratio, 4 * ratio]);
	ctx.beginPath();
	ctx.moveTo(bbox.left, y);
	ctx.lineTo(bbox.left + bbox.width, y);
	ctx.stroke();
	ctx.fillStyle = cssColor("--ink-soft");
	ctx.font = `${11 * ratio}px ${cssColor("--font-ui")}`;
	ctx.textAlign = "right";
	ctx.textBaseline = "bottom";
	ctx.fillText(text, bbox.left + bbox.width - 2 * ratio, y - 3 * ratio);
	ctx.restore();
}

/** Dots with a rim of paper, so that they stand out from the curve below. */
export function drawDots(plot: uPlot, dots: readonly Dot[]): void {
	const { ctx, bbox } = plot;
	const ratio = devicePixelRatio;
	ctx.save();
	ctx.strokeStyle = cssColor("--paper");
	ctx.lineWidth = ratio;
	const colors = { a: cssColor("--twin-a"), b: cssColor("--twin-b") };
	for (const { side, step, value } of dots) {
		if (Number.isNaN(value)) continue;
		const x = plot.valToPos(step, "x", true);
		const y = plot.valToPos(value, "y", true);
		if (x < bbox.left || x > bbox.left + bbox.width) continue;
		ctx.fillStyle = colors[side];
		ctx.beginPath();
		ctx.arc(x, y, 3 * ratio, 0, 2 * Math.PI);
		ctx.fill();
		ctx.stroke();
	}
	ctx.restore();
}
