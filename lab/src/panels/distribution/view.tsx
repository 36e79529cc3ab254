// Quantile bands of a layer that is chosen, twin beside twin on one scale.

import { useSignal } from "@preact/signals";
import { type Side, sides } from "../../engine/protocol.ts";
import { t } from "../../i18n/i18n.ts";
import { run } from "../../state/lab.ts";
import { cssColor } from "../../state/theme.ts";
import { formatValue } from "../../ui/timeline/format.ts";
import type { History } from "../../ui/timeline/history.ts";
import { LayerChoice, layerNames, useLayer } from "../../ui/timeline/layer-choice.tsx";
import { write } from "../../ui/timeline/lines.ts";
import { useRecorder } from "../../ui/timeline/recorder.ts";
import { fitScale, type Scale } from "../../ui/timeline/scale.ts";
import { strings as words } from "../../ui/timeline/strings.ts";
import { type Cursor, type Painter, TimeCanvas } from "../../ui/timeline/time-canvas.tsx";
import { TwinPair } from "../../ui/timeline/twins.tsx";
import type { PanelProps } from "../panel.ts";
import { strings } from "./strings.ts";

const MEDIAN = 4;
const same = (values: Float32Array | null): Float32Array | null => values;

export function View({ visible }: PanelProps) {
	const names = layerNames(({ kind }) => kind !== "flatten");
	const { layer, chosen } = useLayer(names);
	const cursor = useSignal<Cursor | null>(null);
	const recorder = useRecorder("activationQuantiles", { layer }, visible, same);
	const scale = (): Scale => scaleOf(sides.map((side) => recorder.history(side)));
	return (
		<div class="distribution">
			<LayerChoice names={names} layer={layer} chosen={chosen} />
			<TwinPair>
				{(side, twin) => (
					<TimeCanvas
						label={t(strings.picture(layer, twin))}
						height={240}
						visible={visible}
						cursor={cursor}
						source={recorder}
						axis={() => ({ scale: scale() })}
						paint={(painter) => paint(painter, recorder.history(side), side, layer)}
						read={({ step }) => read(recorder.history(side), step, side, layer)}
						uses={[layer]}
					/>
				)}
			</TwinPair>
		</div>
	);
}

function scaleOf(histories: readonly (History | null)[]): Scale {
	const ends: number[] = [];
	for (const history of histories) {
		for (let i = 0; i < (history?.length ?? 0); i++) {
			ends.push(history?.value(i, 0) ?? Number.NaN, history?.value(i, 2 * MEDIAN) ?? Number.NaN);
		}
	}
	return fitScale(ends);
}

function paint(painter: Painter, history: History | null, side: Side, layer: string): void {
	const { context, x, y } = painter;
	if (!history || history.length === 0) {
		if (!hasLayer(side, layer)) write(painter, t(strings.absent));
		return;
	}
	context.fillStyle = cssColor(`--twin-${side}`);
	context.strokeStyle = cssColor(`--twin-${side}`);
	for (let low = 0; low < MEDIAN; low++) {
		context.globalAlpha = [0.14, 0.16, 0.2, 0.28][low];
		context.beginPath();
		trace(context, history, low, x, y, false);
		trace(context, history, 2 * MEDIAN - low, x, y, true);
		context.fill();
	}
	context.globalAlpha = 1;
	context.lineWidth = 2;
	context.beginPath();
	trace(context, history, MEDIAN, x, y, false);
	context.stroke();
}

/** A quantile's line, to the right or back, as steps would lose their ends: it runs on to the last step. */
function trace(
	context: CanvasRenderingContext2D,
	history: History,
	row: number,
	x: Painter["x"],
	y: Painter["y"],
	isBack: boolean,
): void {
	const { length, lastStep } = history;
	for (let k = 0; k <= length; k++) {
		const i = isBack ? length - k : k;
		const step = i === length ? lastStep + 0.5 : history.stepOf(i) - (i === 0 ? 0.5 : 0);
		context.lineTo(x(step), y(history.value(Math.min(i, length - 1), row)));
	}
}

function hasLayer(side: Side, layer: string): boolean {
	return run.value?.layers[side]?.some(({ name }) => name === layer) ?? false;
}

function read(history: History | null, step: number, side: Side, layer: string): string {
	if (!history) return hasLayer(side, layer) ? "" : t(strings.absent);
	const i = history.at(step);
	const value = (row: number): string => formatValue(history.value(i, row));
	return `${t(words.at(formatValue(history.stepOf(i))))} · ${t(strings.read(value(4), value(2), value(6), value(0), value(8)))}`;
}
