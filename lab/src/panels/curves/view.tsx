// Loss and accuracy of both twins, step by step, and how they stand now.

import type { Side } from "../../engine/protocol.ts";
import { formatNumber, language, t } from "../../i18n/i18n.ts";
import { twinName } from "../../setup/twin-name.ts";
import { activeSides, curves, run, settings, snapshot, speed, step, tests } from "../../state/lab.ts";
import { Chart } from "../../ui/chart.tsx";
import type { Curve, Dot } from "../../ui/chart-drawing.ts";
import type { PanelProps } from "../panel.ts";
import { strings } from "./strings.ts";
import "./style.css";

/** Steps over which the scores are averaged. */
const RECENT = 20;
/** Dots drawn at most: of more, some are left out. */
const MOST_DOTS = 80;

type Measure = "loss" | "accuracy";

export function View({ visible }: PanelProps) {
	const classes = run.value?.data.classes.length ?? 10;
	const shared = {
		guideText: t(strings.guessing),
		stepText: (at: number) => t(strings.step(formatNumber(at))),
		visible,
	};
	// What the charts are drawn anew for: twins that come and go, and the language.
	const key = `${activeSides.value.join("")} ${language.value}`;
	return (
		<>
			<Scores />
			<div class="curves" key={key}>
				<Chart
					{...shared}
					title={t(strings.loss)}
					description={t(strings.describeLoss(formatNumber(step.value), standing("loss", formatLoss)))}
					curves={() => lines("loss")}
					guide={Math.log(classes)}
					format={formatLoss}
				/>
				<Chart
					{...shared}
					title={t(strings.accuracy)}
					description={t(strings.describeAccuracy(formatNumber(step.value), standing("accuracy", formatShare)))}
					curves={() => lines("accuracy")}
					dots={dots}
					guide={1 / classes}
					range={[0, 1]}
					format={formatShare}
				/>
			</div>
		</>
	);
}

function lines(measure: Measure): Curve[] {
	return activeSides.value.map((side) => ({ side, series: curves[side][measure] }));
}

function dots(): Dot[] {
	const every = Math.ceil(tests.length / MOST_DOTS);
	const drawn = tests.filter((_, i) => i % every === 0 || i === tests.length - 1);
	return drawn.flatMap(({ step: at, accuracy }) =>
		activeSides.value.map((side) => ({ side, step: at, value: accuracy[side] ?? Number.NaN })),
	);
}

function recent(side: Side, measure: Measure): number | null {
	// The curves change in place, with each snapshot.
	void snapshot.value;
	return curves[side][measure].recent(RECENT);
}

function standing(measure: Measure, format: (value: number) => string): string {
	return activeSides.value.map((side) => `${side.toUpperCase()} ${shown(recent(side, measure), format)}`).join(", ");
}

function Scores() {
	const test = tests.at(-1);
	return (
		<table class="scores">
			<caption class="unseen">{t(strings.scores)}</caption>
			<thead>
				<tr>
					<th scope="col">{t(strings.network)}</th>
					<th scope="col">{t(strings.loss)}</th>
					<th scope="col">{t(strings.trainAccuracy)}</th>
					<th scope="col">{t(strings.testAccuracy)}</th>
					<th scope="col">{t(strings.speed)}</th>
				</tr>
			</thead>
			<tbody>
				{activeSides.value.map((side) => (
					<tr key={side} class={`twin-${side}`} data-side={side}>
						<th scope="row">
							<span class="badge" role="img" aria-label={t(strings.twin(side.toUpperCase()))}>
								{side.toUpperCase()}
							</span>{" "}
							{twinName(side, settings.value)}
						</th>
						<td data-score="loss">{shown(recent(side, "loss"), formatLoss)}</td>
						<td data-score="train">{shown(recent(side, "accuracy"), formatShare)}</td>
						<td data-score="test">{shown(test?.accuracy[side] ?? null, formatShare)}</td>
						<td data-score="speed">{shown(speed.value?.own[side] || null, formatRate)}</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

function shown(value: number | null, format: (value: number) => string): string {
	return value === null || Number.isNaN(value) ? "–" : format(value);
}

function formatLoss(value: number): string {
	if (value >= 1000) return value.toExponential(1);
	return formatNumber(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
}

function formatShare(value: number): string {
	return formatNumber(value, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function formatRate(value: number): string {
	return formatNumber(Number(value.toPrecision(3)));
}
