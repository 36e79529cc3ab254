// A line chart of both twins that follows training: uPlot, fed from bounded series, drawn at most once a frame.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Side } from "../engine/protocol.ts";
import { onSnapshot } from "../state/lab.ts";
import type { Series } from "../state/series.ts";
import { cssColor, theme } from "../state/theme.ts";

/** One line. */
export interface Curve {
	readonly side: Side;
	readonly series: Series;
}

export interface ChartProps {
	readonly title: string;
	readonly xLabel: string;
	/** The lines as they are now; asked for at each drawing. */
	readonly curves: () => readonly Curve[];
	/** A dashed line across. */
	readonly guide?: number;
	readonly range?: readonly [number, number];
	readonly visible: boolean;
}

const HEIGHT = 240;

export function Chart({ title, xLabel, curves, guide, range, visible }: ChartProps) {
	const box = useRef<HTMLDivElement>(null);
	const shown = theme.value;
	useEffect(() => {
		const element = box.current;
		if (!element || !visible) return;
		const plot = new uPlot(options(element.clientWidth, guide, range), table(curves()), element);
		const stop = onSnapshot(() => plot.setData(table(curves())));
		const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
		resized.observe(element);
		return () => {
			stop();
			resized.disconnect();
			plot.destroy();
		};
	}, [visible, shown, guide]);
	return (
		<figure class="chart">
			<figcaption>
				{title} <span class="chart-axis">/ {xLabel}</span>
			</figcaption>
			<div ref={box} class="chart-box" style={{ blockSize: `${HEIGHT}px` }} />
		</figure>
	);
}

/** uPlot's columns: steps, then each curve's means. */
function table(curves: readonly Curve[]): uPlot.AlignedData {
	const longest = curves.reduce((a, b) => (b.series.length > a.series.length ? b : a)).series;
	const steps = Array.from({ length: longest.length }, (_, i) => longest.stepOf(i));
	return [steps, ...curves.map(({ series }) => steps.map((_, i) => (i < series.length ? series.mean(i) : null)))];
}

function options(
	width: number,
	guide: number | undefined,
	range: readonly [number, number] | undefined,
): uPlot.Options {
	const ink = cssColor("--ink-soft");
	const grid = { stroke: cssColor("--line"), width: 1 };
	const font = `12px ${cssColor("--font-ui")}`;
	return {
		width,
		height: HEIGHT,
		legend: { show: false },
		cursor: { show: false },
		scales: { x: { time: false }, y: range ? { range: [range[0], range[1]] } : {} },
		axes: [
			{ stroke: ink, grid: { show: false }, ticks: grid, font, size: 32 },
			{ stroke: ink, grid, ticks: { show: false }, font, size: 44 },
		],
		series: [
			{},
			{ stroke: cssColor("--twin-a"), width: 2, points: { show: false } },
			{ stroke: cssColor("--twin-b"), width: 2, points: { show: false } },
		],
		hooks: { draw: [(plot) => drawGuide(plot, guide)] },
	};
}

function drawGuide(plot: uPlot, guide: number | undefined): void {
	if (guide === undefined) return;
	const { ctx, bbox } = plot;
	const y = plot.valToPos(guide, "y", true);
	if (y < bbox.top || y > bbox.top + bbox.height) return;
	ctx.save();
	ctx.strokeStyle = cssColor("--ink-soft");
	ctx.setLineDash([4, 4]);
	ctx.beginPath();
	ctx.moveTo(bbox.left, y);
	ctx.lineTo(bbox.left + bbox.width, y);
	ctx.stroke();
	ctx.restore();
}
