// A line chart of both twins that follows training: uPlot, fed from bounded series, drawn at most once a frame. Behind each
// curve stands what it smooths; dots are single measurements.

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import type { Side } from "../engine/protocol.ts";
import { onSnapshot } from "../state/lab.ts";
import { cssColor, theme } from "../state/theme.ts";
import { type Curve, type Dot, drawBand, drawDots, drawGuide, isBand, limits, smoothTable } from "./chart-drawing.ts";

export interface ChartProps {
	/** What is drawn, above it. */
	readonly title: string;
	/** What is to be seen, for those who cannot. */
	readonly description: string;
	/** The lines as they are now; asked for at each drawing. */
	readonly curves: () => readonly Curve[];
	/** Single measurements over them. */
	readonly dots?: () => readonly Dot[];
	/** A dashed line across, such as what guessing would score. */
	readonly guide: number;
	readonly guideText: string;
	/** The vertical axis. Default: what is drawn, the guide included, cut above twice and a half of it. */
	readonly range?: readonly [number, number];
	/** How a value is written beside the pointer. */
	readonly format: (value: number) => string;
	readonly stepText: (step: number) => string;
	readonly visible: boolean;
}

const HEIGHT = 250;

/** What the pointer stands over. */
interface Pointed {
	readonly step: number;
	readonly values: readonly { readonly side: Side; readonly value: number }[];
}

export function Chart(props: ChartProps) {
	const { title, description, guide, guideText, visible } = props;
	const box = useRef<HTMLDivElement>(null);
	const [pointed, setPointed] = useState<Pointed | null>(null);
	const shown = theme.value;
	useEffect(() => {
		const element = box.current;
		if (!element || !visible) return;
		return follow(element, props, setPointed);
	}, [visible, shown, guide, guideText]);
	return (
		<figure class="chart">
			<figcaption class="chart-head">
				<span class="chart-title">{title}</span>
				<span class="chart-pointed" aria-hidden="true">
					{pointed && (
						<>
							{props.stepText(pointed.step)}
							{pointed.values.map(({ side, value }) => (
								<span key={side} class={`twin-${side}`}>
									{props.format(value)}
								</span>
							))}
						</>
					)}
				</span>
			</figcaption>
			<div ref={box} class="chart-box" role="img" aria-label={description} style={{ blockSize: `${HEIGHT}px` }} />
		</figure>
	);
}

/** Draws into `element` until the function that is returned is called. */
function follow(element: HTMLElement, props: ChartProps, point: (pointed: Pointed | null) => void): () => void {
	const { curves, dots } = props;
	const sides = curves().map(({ side }) => side);
	const draw = (plot: uPlot): void => {
		drawGuide(plot, props.guide, props.guideText);
		if (dots) drawDots(plot, dots());
	};
	const read = (plot: uPlot): void => {
		const index = plot.cursor.idx;
		if (typeof index !== "number") {
			point(null);
			return;
		}
		const values = sides.flatMap((side, i) => {
			const value = plot.data[1 + sides.length + i][index];
			return typeof value === "number" ? [{ side, value }] : [];
		});
		point({ step: Math.round(plot.data[0][index]), values });
	};
	const drawSeries = (plot: uPlot, series: number): void => {
		if (series > 0 && series <= sides.length && isBand(plot)) drawBand(plot, curves()[series - 1]);
	};
	const plot = new uPlot(
		options(element.clientWidth, props, sides, { draw, drawSeries, read }),
		smoothTable(curves()),
		element,
	);
	const stop = onSnapshot(() => plot.setData(smoothTable(curves())));
	const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
	resized.observe(element);
	return () => {
		stop();
		resized.disconnect();
		plot.destroy();
		point(null);
	};
}

interface Hooks {
	readonly draw: (plot: uPlot) => void;
	/** After each series: from 1, what was measured of each twin comes first. */
	readonly drawSeries: (plot: uPlot, series: number) => void;
	readonly read: (plot: uPlot) => void;
}

const line = uPlot.paths.linear?.();
/** A line from value to value, as long as there is room for one. */
const thin: uPlot.Series.PathBuilder = (plot, ...rest) => (isBand(plot) ? null : (line?.(plot, ...rest) ?? null));

function options(
	width: number,
	{ guide, range }: ChartProps,
	sides: readonly Side[],
	{ draw, drawSeries, read }: Hooks,
): uPlot.Options {
	const ink = cssColor("--ink-soft");
	const grid = { stroke: cssColor("--line"), width: 1 };
	const font = `12px ${cssColor("--font-ui")}`;
	return {
		width,
		height: HEIGHT,
		padding: [8, 8, 0, 0],
		legend: { show: false },
		cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
		scales: {
			// A run that has just begun is not stretched over the whole width.
			x: { time: false, range: (_, __, most) => [1, Math.max(20, most)] },
			y: { range: (_, least, most) => (range ? [range[0], range[1]] : limits(least, most, guide)) },
		},
		axes: [
			{ stroke: ink, grid: { show: false }, ticks: { ...grid, size: 4 }, font, size: 28, gap: 4 },
			{ stroke: ink, grid, ticks: { show: false }, font, size: 40, gap: 4 },
		],
		series: [
			{},
			...sides.map((side) => ({
				...{ stroke: cssColor(`--twin-${side}`), width: 1, alpha: 0.28 },
				...{ points: { show: false }, paths: thin },
			})),
			...sides.map((side) => ({ stroke: cssColor(`--twin-${side}`), width: 2.25, points: { show: false } })),
		],
		hooks: { draw: [draw], drawSeries: [drawSeries], setCursor: [read] },
	};
}
