// The bar that starts, pauses and resets training, and tells how far and how fast it goes.

import { formatNumber, t } from "../i18n/i18n.ts";
import {
	engine,
	isRunning,
	pause,
	phase,
	progress,
	reset,
	settings,
	snapshot,
	speed,
	start,
	step,
	stepBy,
} from "../state/lab.ts";
import { PauseIcon, PlayIcon, ResetIcon, StepIcon } from "../ui/icons.tsx";
import { strings } from "./strings.ts";
import "./style.css";

export function Controls() {
	const running = isRunning.value;
	return (
		<section class="controls" aria-label={t(strings.training)}>
			<div class="controls-buttons">
				<button type="button" class="primary" onClick={() => void (running ? pause() : start())}>
					{running ? <PauseIcon /> : <PlayIcon />}
					{t(running ? strings.pause : strings.start)}
				</button>
				<button type="button" disabled={running} onClick={() => void stepBy(1)}>
					<StepIcon />
					{t(strings.step)}
				</button>
				<button type="button" disabled={running} onClick={() => void stepBy(10)}>
					{t(strings.ten)}
				</button>
				<button type="button" disabled={step.value === 0} onClick={() => void reset()}>
					<ResetIcon />
					{t(strings.reset)}
				</button>
			</div>
			<dl class="readings">
				<Reading label={t(strings.stepLabel)} value={formatNumber(step.value)} name="step" />
				<Reading label={t(strings.epochLabel)} value={epoch()} name="epoch" />
				<Reading label={t(strings.speedLabel)} value={rate()} name="speed" />
				<Reading
					label={t(strings.threadsLabel)}
					value={engine.value ? String(engine.value.threads) : "–"}
					name="threads"
				/>
			</dl>
			<p class="phase" role="status">
				{status()}
			</p>
		</section>
	);
}

/** `name`: for tests, and for styles. */
function Reading({ label, value, name }: { label: string; value: string; name: string }) {
	return (
		<div class="reading" data-reading={name}>
			<dt>{label}</dt>
			<dd>{value}</dd>
		</div>
	);
}

function epoch(): string {
	const done = snapshot.value?.epoch ?? 0;
	return formatNumber(done, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function rate(): string {
	const examples = speed.value?.examplesPerSecond ?? 0;
	return examples > 0 ? formatNumber(Number(examples.toPrecision(3))) : "–";
}

function status(): string {
	switch (phase.value) {
		case "asleep":
			return t(strings.asleep);
		case "starting":
			return t(strings.starting);
		case "loading":
			return t(strings.loadingData(progress.value > 0 ? `${Math.round(100 * progress.value)}%` : ""));
		case "running":
			return t(strings.running);
		case "failed":
			return t(strings.failedState);
		case "ready":
			// It was told to, and its first step may take a while.
			if (isRunning.value) return t(strings.running);
			return isDone() ? t(strings.done) : t(step.value === 0 ? strings.asleep : strings.ready);
	}
}

function isDone(): boolean {
	const { steps } = settings.value;
	return steps > 0 && step.value >= steps;
}
