// Batch normalization on a batch that fits the screen, step by step: what is given, the step's formula and numbers, and
// where the number comes from that is pointed at.

import { useEffect } from "preact/hooks";
import { formatNumber, type Text, t } from "../../i18n/i18n.ts";
import { isRunning, run, step, stepBy } from "../../state/lab.ts";
import { useTopic } from "../../state/use-topic.ts";
import type { PanelProps } from "../panel.ts";
import { formatValue } from "./format.ts";
import { Formula } from "./formula.tsx";
import { Ladder } from "./ladder.tsx";
import { Numbers } from "./numbers.tsx";
import type { GivenName } from "./quantities.ts";
import { isGiven } from "./quantities.ts";
import { spell } from "./spell.ts";
import { expressionOf, readBy, stages } from "./stages.ts";
import {
	announcement,
	atWork,
	channels,
	choose,
	describe,
	examples,
	firstChannel,
	hold,
	isHeld,
	looked,
	MOST_CHANNELS,
	MOST_EXAMPLES,
	numberOf,
	position,
	release,
	resize,
	result,
	source,
	sources,
	walk,
	wholeBatch,
	work,
} from "./state.ts";
import { stageStrings, strings } from "./strings.ts";
import "./style.css";

const PER_SECOND = 3;

export function View({ visible }: PanelProps) {
	const update = useTopic("normsAtWork", { examples: MOST_EXAMPLES }, visible, PER_SECOND).value;
	useEffect(() => {
		atWork.value = update;
	}, [update]);
	return (
		// biome-ignore lint/a11y/noStaticElementInteractions: the keys are a shortcut for the buttons inside
		<div class="stepper" onKeyDown={walkByKey}>
			<Where />
			<div class="stepper-desk">
				<Ladder />
				<Given />
				<Step />
			</div>
			<p class="stepper-live" role="status" aria-live="polite">
				{announcement.value}
			</p>
		</div>
	);
}

function walkByKey(event: KeyboardEvent): void {
	const { target } = event;
	if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
	if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
	const steps: Partial<Record<string, number>> = {
		ArrowLeft: position.value - 1,
		ArrowRight: position.value + 1,
		Home: 0,
		End: stages.length - 1,
	};
	const to = steps[event.key];
	if (to === undefined) return;
	event.preventDefault();
	walk(to);
}

/** Where the numbers come from, and how many. */
function Where() {
	const from = source.value;
	// Until the layer has been at work, the numbers are the table's.
	const shown = from && work.value ? `${from.side}:${from.layer}` : "table";
	return (
		<div class="stepper-where">
			<div class="stepper-choices">
				<label>
					{t(strings.source)}
					<select
						value={shown}
						onChange={({ currentTarget }) => {
							const [side, layer] = currentTarget.value.split(":");
							choose(side === "a" || side === "b" ? { side, layer } : "table");
							if (!work.value) currentTarget.value = "table";
						}}
					>
						{sources.value.map(({ side, layer }) => (
							<option key={side + layer} value={`${side}:${layer}`}>
								{t(strings.layer(side.toUpperCase(), layer))}
							</option>
						))}
						<option value="table">{t(strings.table)}</option>
					</select>
				</label>
				<Count label={t(strings.examples)} value={examples.value} least={2} most={MOST_EXAMPLES} part="examples" />
				<Count label={t(strings.channels)} value={channels.value} least={1} most={MOST_CHANNELS} part="channels" />
				<Count
					label={t(strings.first)}
					value={firstChannel.value}
					least={0}
					most={(work.value?.norm.gamma.length ?? MOST_CHANNELS) - channels.value}
					part="first"
				/>
				<button type="button" disabled={isRunning.value} onClick={() => void stepBy(1)}>
					{t(strings.train)}
				</button>
				<Hold />
			</div>
			<Note />
		</div>
	);
}

interface CountProps {
	label: string;
	value: number;
	least: number;
	most: number;
	part: "examples" | "channels" | "first";
}

function Count({ label, value, least, most, part }: CountProps) {
	return (
		<label>
			{label}
			<input
				type="number"
				min={least}
				max={Math.max(least, most)}
				value={value}
				onChange={({ currentTarget }) => {
					resize({ [part]: currentTarget.valueAsNumber });
					currentTarget.value = String({ examples, channels, first: firstChannel }[part].value);
				}}
			/>
		</label>
	);
}

function Hold() {
	if (isHeld.value) {
		return (
			<button type="button" onClick={release}>
				{t(work.value ? strings.release : strings.undo)}
			</button>
		);
	}
	return work.value ? (
		<button type="button" onClick={hold}>
			{t(strings.hold)}
		</button>
	) : null;
}

/** Which numbers these are, and what the layer itself averages. */
function Note() {
	const at = work.value;
	if (!at) return <p class="stepper-note">{t(noteOfTable())}</p>;
	const { name, shape, examples: sent, position: place } = at.norm;
	const [n, , ...positions] = shape;
	const count = positions.reduce((a, b) => a * b, n);
	const shown = Math.min(sent, examples.value);
	return (
		<p class="stepper-note">
			{t(strings.slice(name, formatNumber(at.step), String(shown), shape.join(", "), place?.join(", ") ?? ""))}{" "}
			{t(strings.whole(formatNumber(count), wholeBatch(at)))} {isHeld.value && t(strings.held)}
		</p>
	);
}

/** Why the numbers are the table's. */
function noteOfTable(): Text {
	if (sources.value.length === 0) return run.value ? strings.noNorm : strings.waiting;
	const from = source.value;
	if (!from) return strings.tableNote;
	return step.value > 0 ? strings.oneMore(from.side.toUpperCase(), from.layer) : strings.waiting;
}

const given: readonly GivenName[] = ["x", "gamma", "beta", "eps", "momentum", "runningMean", "runningVar", "dy"];

function Given() {
	return (
		<section class="stepper-given" aria-label={t(strings.given)}>
			<h3>{t(strings.given)}</h3>
			<div class="stepper-tables">
				{given.map((name) => (
					<Numbers key={name} name={name} />
				))}
			</div>
		</section>
	);
}

/** The step that is shown: formula, numbers it reads and gives, and the number that is looked into. */
function Step() {
	const stage = stages[position.value];
	const { title, why } = stageStrings[stage.id];
	const read = readBy(stage).filter((name) => !isGiven(name));
	const { problem } = result.value;
	return (
		<section class="stepper-step" aria-label={t(title)}>
			<Walk />
			<p class="stepper-pass">{t(stage.pass === "backward" ? strings.backward : strings.forward)}</p>
			<h3>{t(title)}</h3>
			<p class="stepper-why">{t(why)}</p>
			{problem && (
				<p class="stepper-problem" role="alert">
					{typeof problem === "string" ? (
						<>
							{t(strings.impossible(""))}
							<span lang="en">{problem}</span>
							{t(strings.inEnglish)}
						</>
					) : (
						t(strings.impossible(t(problem)))
					)}
				</p>
			)}
			{stage.assignments.map(({ name, expression }) => (
				<Formula key={name} name={name} expression={expression} />
			))}
			<div class="stepper-tables">
				{read.length > 0 && (
					<div class="stepper-group">
						<h4>{t(strings.reads)}</h4>
						<div class="stepper-tables">
							{read.map((name) => (
								<Numbers key={name} name={name} />
							))}
						</div>
					</div>
				)}
				{stage.assignments.length > 0 && (
					<div class="stepper-group is-result">
						<h4>{t(strings.gives)}</h4>
						<div class="stepper-tables">
							{stage.assignments.map(({ name }) => (
								<Numbers key={name} name={name} />
							))}
						</div>
					</div>
				)}
			</div>
			<Origin />
		</section>
	);
}

function Walk() {
	const last = stages.length - 1;
	return (
		<div class="stepper-walk">
			<button
				type="button"
				aria-disabled={position.value === 0}
				aria-label={t(strings.previous)}
				title={t(strings.previous)}
				onClick={() => walk(position.value - 1)}
			>
				←
			</button>
			<span>{t(strings.count(String(position.value + 1), String(last + 1)))}</span>
			<button
				type="button"
				aria-disabled={position.value === last}
				aria-label={t(strings.next)}
				title={t(strings.next)}
				onClick={() => walk(position.value + 1)}
			>
				→
			</button>
			<small>{t(strings.keys)}</small>
		</div>
	);
}

function Origin() {
	const cell = looked.value;
	const { values } = result.value;
	const expression = cell && expressionOf(cell.name);
	const isThere = cell && cell.index < values[cell.name].length;
	return (
		<section class="stepper-origin" aria-label={t(strings.origin)}>
			<h4>{t(strings.origin)}</h4>
			{cell && expression && isThere && (
				<>
					<p>{describe(cell)}</p>
					<p class="stepper-arithmetic">{spell(cell, expression, values)}</p>
				</>
			)}
			{cell && !expression && isThere && <p>{t(strings.isGiven(describe(cell), formatValue(numberOf(cell))))}</p>}
			{(!cell || !isThere) && <p>{t(strings.originHint)}</p>}
		</section>
	);
}
