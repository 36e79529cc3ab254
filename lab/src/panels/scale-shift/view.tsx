// A line for each channel's scale, and one for its shift.

import { type Signal, useSignal } from "@preact/signals";
import { type Side, sides } from "../../engine/protocol.ts";
import { t } from "../../i18n/i18n.ts";
import { cssColor } from "../../state/theme.ts";
import { formatValue } from "../../ui/timeline/format.ts";
import { LayerChoice, layerNames, useLayer } from "../../ui/timeline/layer-choice.tsx";
import { hasAny, strokeRow, write } from "../../ui/timeline/lines.ts";
import { type Recorder, useRecorder } from "../../ui/timeline/recorder.ts";
import { fitScale, place, type Scale } from "../../ui/timeline/scale.ts";
import { strings as words } from "../../ui/timeline/strings.ts";
import { type Cursor, type Painter, TimeCanvas } from "../../ui/timeline/time-canvas.tsx";
import { TwinPair } from "../../ui/timeline/twins.tsx";
import type { PanelProps } from "../panel.ts";
import type { ScaleAndShift } from "./engine.ts";
import { strings } from "./strings.ts";

type Kind = "weight" | "bias";
type Record = Recorder<ScaleAndShift | null>;

const rowsOf = (data: ScaleAndShift | null): Float32Array | null => data?.values ?? null;

export function View({ visible }: PanelProps) {
	const names = layerNames(({ kind }) => kind === "norm");
	const { layer, chosen } = useLayer(names);
	const recorder = useRecorder("scaleAndShift", { layer }, visible, rowsOf);
	const cursor = useSignal<Cursor | null>(null);
	return (
		<div class="scale-shift">
			<LayerChoice names={names} layer={layer} chosen={chosen} />
			{(["weight", "bias"] as const).map((kind) => (
				<Lines key={kind} kind={kind} layer={layer} recorder={recorder} visible={visible} cursor={cursor} />
			))}
		</div>
	);
}

interface LinesProps {
	readonly kind: Kind;
	readonly layer: string;
	readonly recorder: Record;
	readonly visible: boolean;
	readonly cursor: Signal<Cursor | null>;
}

function Lines({ kind, layer, recorder, visible, cursor }: LinesProps) {
	const scale = (): Scale => fitScale(sides.flatMap((side) => valuesOf(recorder, side, kind)));
	return (
		<section>
			<h3>{t(strings[kind])}</h3>
			<TwinPair>
				{(side, twin) => (
					<TimeCanvas
						label={t(strings.picture(t(strings[kind]), layer, twin))}
						height={200}
						visible={visible}
						cursor={cursor}
						source={recorder}
						axis={() => ({ scale: scale() })}
						paint={(painter) => paint(painter, recorder, side, kind)}
						read={(at) => read(at, recorder, side, kind, scale())}
						uses={[layer]}
					/>
				)}
			</TwinPair>
		</section>
	);
}

/** The first of the history's rows of this kind, and how many there are. */
function rows({ latest }: Record, side: Side, kind: Kind): [first: number, count: number] {
	const count = latest[side]?.channels.length ?? 0;
	return [kind === "weight" ? 0 : count, count];
}

function valuesOf(recorder: Record, side: Side, kind: Kind): number[] {
	const history = recorder.history(side);
	const [first, count] = rows(recorder, side, kind);
	const values: number[] = [];
	for (let i = 0; i < (history?.length ?? 0); i++) {
		for (let row = first; row < first + count; row++) values.push(history?.value(i, row) ?? Number.NaN);
	}
	return values;
}

function paint(painter: Painter, recorder: Record, side: Side, kind: Kind): void {
	const { context } = painter;
	const history = recorder.history(side);
	const [first, count] = rows(recorder, side, kind);
	const shown = Array.from({ length: count }, (_, i) => first + i);
	if (!history || !hasAny(history, shown)) {
		write(painter, t(strings.absent));
		return;
	}
	context.strokeStyle = cssColor(`--twin-${side}`);
	context.lineWidth = 1.25;
	context.globalAlpha = count > 12 ? 0.55 : 0.85;
	for (const row of shown) strokeRow(painter, history, row);
	context.globalAlpha = 1;
}

/** The channel whose line is nearest to the cursor. */
function read({ step, down }: Cursor, recorder: Record, side: Side, kind: Kind, scale: Scale): string {
	const history = recorder.history(side);
	const [first, count] = rows(recorder, side, kind);
	const i = history?.at(step) ?? -1;
	if (!history || i < 0 || Number.isNaN(history.value(i, first))) return t(strings.absent);
	const away = (row: number): number => Math.abs(1 - down - place(scale, history.value(i, row)));
	let best = first;
	for (let row = first + 1; row < first + count; row++) if (away(row) < away(best)) best = row;
	const channel = recorder.latest[side]?.channels[best - first] ?? 0;
	return `${t(strings.channel(String(channel)))} · ${t(words.at(formatValue(history.stepOf(i))))} · ${formatValue(history.value(i, best))}`;
}
