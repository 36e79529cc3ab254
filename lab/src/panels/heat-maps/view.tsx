// Four heat maps of each twin: layers down, steps across.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { LayerInfo, Side } from "../../engine/protocol.ts";
import { t } from "../../i18n/i18n.ts";
import { activeSides } from "../../state/lab.ts";
import { theme } from "../../state/theme.ts";
import { colorStops, colorTable, cssGradient, type ScaleKind } from "../../ui/timeline/colors.ts";
import { formatShare, formatValue } from "../../ui/timeline/format.ts";
import { layerNames } from "../../ui/timeline/layer-choice.tsx";
import { type Recorder, useRecorder } from "../../ui/timeline/recorder.ts";
import { evenScale, logScale, place, type Scale, ticks } from "../../ui/timeline/scale.ts";
import { strings as words } from "../../ui/timeline/strings.ts";
import { type Cursor, type Painter, TimeCanvas } from "../../ui/timeline/time-canvas.tsx";
import { TwinPair } from "../../ui/timeline/twins.tsx";
import type { PanelProps } from "../panel.ts";
import type { LayerStatistics } from "./engine.ts";
import { hasRow, type Metric, metrics } from "./metrics.ts";
import { strings } from "./strings.ts";
import "./style.css";

/** How a metric is shown. */
interface Look {
	readonly colors: ScaleKind;
	readonly fits: (layer: LayerInfo) => boolean;
	readonly scale: (values: readonly number[]) => Scale;
	readonly format: (value: number) => string;
}

const shown = ({ kind }: LayerInfo): boolean => hasRow(kind);
const looks: Record<Metric, Look> = {
	mean: { colors: "diverging", fits: shown, scale: evenScale, format: formatValue },
	std: { colors: "sequential", fits: shown, scale: (values) => logScale(values, 4), format: formatValue },
	flat: {
		colors: "sequential",
		fits: ({ kind }) => kind === "activation",
		scale: () => ({ least: 0, most: 1, log: false }),
		format: formatShare,
	},
	gradient: { colors: "sequential", fits: shown, scale: (values) => logScale(values, 8), format: formatValue },
};

const rowsOf = ({ values }: LayerStatistics): Float32Array => values;

export function View({ visible }: PanelProps) {
	const recorder = useRecorder("layerStatistics", {}, visible, rowsOf);
	return (
		<div class="heat-maps">
			{metrics.map((metric) => (
				<HeatMaps key={metric} metric={metric} recorder={recorder} visible={visible} />
			))}
		</div>
	);
}

interface HeatMapsProps {
	readonly metric: Metric;
	readonly recorder: Recorder<LayerStatistics>;
	readonly visible: boolean;
}

function HeatMaps({ metric, recorder, visible }: HeatMapsProps) {
	const look = looks[metric];
	const cursor = useSignal<Cursor | null>(null);
	const names = layerNames(look.fits);
	const scale = useScale(metric, recorder, visible);
	const table = useMemo(() => colorTable(colorStops(look.colors, theme.value)), [theme.value]);
	const height = 26 + names.length * (names.length > 16 ? 10 : 20);
	const title = t(strings[metric]);
	return (
		<section class="heat-map">
			<h3>{title}</h3>
			<p class="time-note">{t(strings[`${metric}Note`])}</p>
			<Legend look={look} scale={scale} title={title} />
			<TwinPair>
				{(side, twin) => (
					<TimeCanvas
						label={t(strings.picture(title, twin))}
						height={height}
						visible={visible}
						cursor={cursor}
						source={recorder}
						axis={() => ({ rows: names })}
						paint={(painter) => paint(painter, recorder, side, metric, names, scale, table)}
						read={(at) => read(at, recorder, side, metric, names)}
						uses={[scale, names.join(), table]}
					/>
				)}
			</TwinPair>
		</section>
	);
}

/** The scale of both twins' values; a new one only when its ends move. */
function useScale(metric: Metric, recorder: Recorder<LayerStatistics>, visible: boolean): Scale {
	const { scale: scaleOf, fits } = looks[metric];
	const scale = useSignal(scaleOf([]));
	useEffect(() => {
		if (!visible) return;
		const update = (): void => {
			const names = layerNames(fits);
			const next = scaleOf(activeSides.peek().flatMap((side) => sampled(recorder, side, metric, names)));
			const now = scale.peek();
			if (next.least !== now.least || next.most !== now.most) scale.value = next;
		};
		update();
		return recorder.follow(update);
	}, [visible, recorder, metric]);
	return scale.value;
}

/** Of a twin's past, some columns evenly taken: enough for the scale. */
function sampled(recorder: Recorder<LayerStatistics>, side: Side, metric: Metric, names: readonly string[]): number[] {
	const history = recorder.history(side);
	if (!history) return [];
	const rows = rowsFor(recorder, side, metric, names).filter((row) => row >= 0);
	const every = Math.max(1, Math.floor((history.length * rows.length) / 2000));
	const values: number[] = [];
	// From the end, so that what is newest always counts.
	for (let i = history.length - 1; i >= 0; i -= every) for (const row of rows) values.push(history.value(i, row));
	return values;
}

/** For each name, the row of the twin's history; -1 if it has no such layer. */
function rowsFor(
	{ latest }: Recorder<LayerStatistics>,
	side: Side,
	metric: Metric,
	names: readonly string[],
): number[] {
	const known = latest[side]?.names ?? [];
	const offset = metrics.indexOf(metric);
	return names.map((name) => {
		const at = known.indexOf(name);
		return at < 0 ? -1 : metrics.length * at + offset;
	});
}

function paint(
	{ context, left, top, width, height, x, lastStep }: Painter,
	recorder: Recorder<LayerStatistics>,
	side: Side,
	metric: Metric,
	names: readonly string[],
	scale: Scale,
	table: Uint32Array,
): void {
	const history = recorder.history(side);
	if (!history || names.length === 0) return;
	const rows = rowsFor(recorder, side, metric, names);
	const columns = Math.max(1, Math.round(width));
	const image = new ImageData(columns, names.length);
	const pixels = new Uint32Array(image.data.buffer);
	const colors = new Uint32Array(names.length);
	let shown = -1;
	for (let column = 0; column < columns; column++) {
		const step = ((column + 1) / columns) * lastStep;
		if (step < history.stepOf(0)) continue;
		if (column / columns > recorder.lastStep / lastStep) break;
		const bucket = history.at(step);
		if (bucket !== shown) {
			shown = bucket;
			for (const [i, row] of rows.entries())
				colors[i] = row < 0 ? 0 : colorOf(history.value(bucket, row), scale, table);
		}
		for (let i = 0; i < colors.length; i++) pixels[i * columns + column] = colors[i];
	}
	const small = new OffscreenCanvas(columns, names.length);
	small.getContext("2d")?.putImageData(image, 0, 0);
	context.imageSmoothingEnabled = false;
	context.drawImage(small, left, top, width, height);
	separate(context, left, top, x(recorder.lastStep) - left, height / names.length, names.length);
}

function colorOf(value: number, scale: Scale, table: Uint32Array): number {
	const at = place(scale, value);
	return Number.isNaN(at) ? 0 : table[Math.round(255 * Math.min(1, Math.max(0, at)))];
}

/** A hair of paper between rows. */
function separate(
	context: CanvasRenderingContext2D,
	left: number,
	top: number,
	width: number,
	row: number,
	rows: number,
): void {
	for (let i = 1; i < rows; i++) context.clearRect(left, top + row * i - 0.5, width, 1);
}

function read(
	{ step, down }: Cursor,
	recorder: Recorder<LayerStatistics>,
	side: Side,
	metric: Metric,
	names: readonly string[],
): string {
	const history = recorder.history(side);
	const row = Math.min(names.length - 1, Math.floor(down * names.length));
	if (!history || history.length === 0 || row < 0) return "";
	const bucket = history.at(step);
	const at = rowsFor(recorder, side, metric, [names[row]])[0];
	const value = at < 0 ? t(strings.absent) : looks[metric].format(history.value(bucket, at));
	return `${names[row]} · ${t(words.at(formatValue(history.stepOf(bucket))))} · ${value}`;
}

function Legend({ look, scale, title }: { look: Look; scale: Scale; title: string }) {
	const marks = ticks(scale, 4);
	return (
		<div
			class="heat-map-legend"
			role="img"
			aria-label={`${t(strings.legend(title))}: ${marks.map(look.format).join(", ")}`}
		>
			<div class="heat-map-bar" style={{ background: cssGradient(colorStops(look.colors, theme.value)) }} />
			{marks.map((mark) => (
				<span key={mark} style={{ insetInlineStart: `${100 * place(scale, mark)}%` }}>
					{look.format(mark)}
				</span>
			))}
		</div>
	);
}
