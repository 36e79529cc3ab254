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

/** A smoothed curve looks back over about so large a part of itself. */
const SMOOTHING_PART = 40;

/** uPlot's columns: steps; then for each curve what was measured, and that smoothed. */
export function smoothTable(curves: readonly Curve[]): uPlot.AlignedData {
	const longest = curves.reduce<Series | null>(
		(best, { series }) => (best === null || series.length > best.length ? series : best),
		null,
	);
	const steps = Array.from({ length: longest?.length ?? 0 }, (_, i) => longest?.stepOf(i) ?? 0);
	const columns = curves.flatMap(({ series }) => {
		const values = steps.map((_, i) => (i < series.length ? series.mean(i) : null));
		return [values, smoothed(values)];
	});
	return [steps, ...columns];
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
