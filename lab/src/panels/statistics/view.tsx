// Four charts of each twin: the batch's loss in both modes, a channel's mean and deviation in batch and memory, and the
// distance of the two over all channels.

import { useSignal } from "@preact/signals";
import { type Side, sides } from "../../engine/protocol.ts";
import { type Text, t } from "../../i18n/i18n.ts";
import { run } from "../../state/lab.ts";
import { cssColor } from "../../state/theme.ts";
import { formatValue } from "../../ui/timeline/format.ts";
import type { History } from "../../ui/timeline/history.ts";
import { LayerChoice, layerNames, useLayer } from "../../ui/timeline/layer-choice.tsx";
import { hasAny, strokeRow, write } from "../../ui/timeline/lines.ts";
import { type Recorder, useRecorder } from "../../ui/timeline/recorder.ts";
import { fitScale, type Scale } from "../../ui/timeline/scale.ts";
import { strings as words } from "../../ui/timeline/strings.ts";
import { type Cursor, type Painter, TimeCanvas } from "../../ui/timeline/time-canvas.tsx";
import { TwinPair } from "../../ui/timeline/twins.tsx";
import type { PanelProps } from "../panel.ts";
import type { NormStatistics } from "./engine.ts";
import { rows } from "./rows.ts";
import { strings } from "./strings.ts";

/** A line: the second of a chart is dashed. */
interface Line {
	readonly row: number;
	readonly name: Text;
}

const charts: readonly { readonly title: Text; readonly lines: readonly Line[] }[] = [
	{
		title: strings.loss,
		lines: [
			{ row: rows.trainLoss, name: strings.train },
			{ row: rows.evalLoss, name: strings.eval },
		],
	},
	{
		title: strings.mean,
		lines: [
			{ row: rows.batchMean, name: strings.batch },
			{ row: rows.runningMean, name: strings.running },
		],
	},
	{
		title: strings.std,
		lines: [
			{ row: rows.batchStd, name: strings.batch },
			{ row: rows.runningStd, name: strings.running },
		],
	},
	{ title: strings.gap, lines: [{ row: rows.gap, name: strings.distance }] },
];

const rowsOf = ({ values }: NormStatistics): Float32Array => values;

export function View({ visible }: PanelProps) {
	const names = layerNames(({ kind }) => kind === "norm");
	const { layer, chosen } = useLayer(names);
	const picked = useSignal(0);
	const cursor = useSignal<Cursor | null>(null);
	const channels = channelsOf(layer);
	const channel = Math.min(picked.value, Math.max(0, channels - 1));
	const recorder = useRecorder("normStatistics", { layer, channel }, visible, rowsOf);
	return (
		<div class="statistics">
			{names.length > 0 && (
				<div class="time-choice">
					<LayerChoice names={names} layer={layer} chosen={chosen} />
					<label class="time-choice">
						{t(strings.channel)}
						<select
							value={channel}
							onChange={({ currentTarget }) => {
								picked.value = Number(currentTarget.value);
							}}
						>
							{Array.from({ length: channels }, (_, k) => (
								<option key={k} value={k}>
									{k}
								</option>
							))}
						</select>
					</label>
				</div>
			)}
			{charts.slice(0, names.length > 0 ? charts.length : 1).map(({ title, lines }) => (
				<section key={title.en}>
					<h3>{t(title)}</h3>
					<TwinPair>
						{(side, twin) => (
							<TimeCanvas
								label={t(strings.picture(t(title), twin))}
								height={180}
								visible={visible}
								cursor={cursor}
								source={recorder}
								axis={() => ({ scale: scaleOf(recorder, lines) })}
								paint={(painter) => paint(painter, recorder.history(side), lines, side)}
								read={({ step }) => read(recorder.history(side), step, lines)}
								uses={[layer, channel]}
							/>
						)}
					</TwinPair>
				</section>
			))}
		</div>
	);
}

function channelsOf(layer: string): number {
	for (const side of sides) {
		const found = run.value?.layers[side]?.find(({ name }) => name === layer);
		if (found) return found.shape[0];
	}
	return 0;
}

function scaleOf(recorder: Recorder<NormStatistics>, lines: readonly Line[]): Scale {
	const values: number[] = [];
	for (const side of sides) {
		const history = recorder.history(side);
		if (!history) continue;
		for (let i = 0; i < history.length; i++) for (const { row } of lines) values.push(history.value(i, row));
	}
	return fitScale(values);
}

function paint(painter: Painter, history: History | null, lines: readonly Line[], side: Side): void {
	if (!history) return;
	const { context } = painter;
	const inChart = lines.map(({ row }) => row);
	if (!inChart.includes(rows.trainLoss) && !hasAny(history, inChart)) {
		write(painter, t(strings.absent));
		return;
	}
	context.lineWidth = 2;
	for (const [k, { row }] of lines.entries()) {
		context.strokeStyle = cssColor(k === 0 ? `--twin-${side}` : "--ink");
		context.setLineDash(k === 0 ? [] : [6, 4]);
		strokeRow(painter, history, row);
	}
	context.setLineDash([]);
}

function read(history: History | null, step: number, lines: readonly Line[]): string {
	const i = history?.at(step) ?? -1;
	if (!history || i < 0) return "";
	if (lines.every(({ row }) => Number.isNaN(history.value(i, row)))) return t(strings.absent);
	const values = lines.map(({ row, name }) => `${t(name)} ${formatValue(history.value(i, row))}`);
	return `${t(words.at(formatValue(history.stepOf(i))))} · ${values.join(" · ")}`;
}
