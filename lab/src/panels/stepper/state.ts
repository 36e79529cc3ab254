// What the stepper shows: where its numbers come from, which step, which number is looked into, and what changed last.

import { computed, signal } from "@preact/signals";
import { EvenkeelError } from "../../../../src/errors.ts";
import type { TopicUpdate } from "../../engine/client.ts";
import type { Side } from "../../engine/protocol.ts";
import { t } from "../../i18n/i18n.ts";
import { activeSides, run } from "../../state/lab.ts";
import type { NormAtWork } from "./engine.ts";
import { type Cell, inputsOf, keyOf, placeOf } from "./expression.ts";
import { editableValue, formatValue } from "./format.ts";
import { letterOf } from "./letters.ts";
import { type Problem, problemOf } from "./problem.ts";
import {
	changes,
	compute,
	type Given,
	type GivenName,
	isGiven,
	kindOf,
	sliceOf,
	table,
	type Values,
	withNumber,
} from "./quantities.ts";
import { spell } from "./spell.ts";
import { expressionOf, stages } from "./stages.ts";
import { stageStrings, strings } from "./strings.ts";

/** Examples that the engine sends, and the most that can be shown. */
export const MOST_EXAMPLES = 8;
export const MOST_CHANNELS = 3;

/** A batch norm of a twin, or null: the table. */
export interface Source {
	readonly side: Side;
	readonly layer: string;
}

/** What the engine sent last. */
export const atWork = signal<TopicUpdate<readonly NormAtWork[]> | null>(null);
/** "table", or null: the first batch norm that there is. */
const chosen = signal<Source | "table" | null>(null);
export const examples = signal(5);
export const channels = signal(2);
export const firstChannel = signal(0);
/** Numbers held or edited; null: those of the source. */
const pinned = signal<{ given: Given; note: Work | null } | null>(null);
/** Which step is shown. */
export const position = signal(0);
/** The number that is looked into. */
export const looked = signal<Cell | null>(null);
/** What the last edit changed. */
export const changed = signal<ReadonlySet<string>>(new Set());
/** For the live region. */
export const announcement = signal("");

/** The batch norms that can be chosen. */
export const sources = computed<readonly Source[]>(() =>
	activeSides.value.flatMap((side) =>
		(run.value?.layers[side] ?? [])
			.filter(({ type }) => type === "BatchNorm1d" || type === "BatchNorm2d")
			.map(({ name }) => ({ side, layer: name })),
	),
);

/** The source in use; null: the table. */
export const source = computed<Source | null>(() => {
	const wanted = chosen.value;
	if (wanted === "table") return null;
	const known = sources.value.find(({ side, layer }) => side === wanted?.side && layer === wanted.layer);
	return known ?? sources.value[0] ?? null;
});

/** The chosen layer at work, with the step at which it was seen. */
interface Work {
	readonly norm: NormAtWork;
	readonly step: number;
}

const liveWork = computed<Work | null>(() => {
	const [from, seen] = [source.value, atWork.value];
	const norm = from && seen?.sides[from.side]?.find(({ name }) => name === from.layer);
	return norm && seen ? { norm, step: seen.step } : null;
});

/** The layer that the numbers come from; null for the table. */
export const work = computed<Work | null>(() => (pinned.value ? pinned.value.note : liveWork.value));
export const isHeld = computed(() => pinned.value !== null);

const live = computed<Given>(() => {
	const all = liveWork.value ? givenBy(liveWork.value.norm) : table;
	return sliceOf(all, examples.value, channels.value, firstChannel.value);
});

/** What is given, as it is shown. */
export const given = computed<Given>(() => pinned.value?.given ?? live.value);
/** The channel of the layer that column 0 is. */
export const offset = computed(() => {
	const all = work.value ? work.value.norm.gamma.length : table.c;
	return Math.max(0, Math.min(firstChannel.value, all - given.value.c));
});

let lastValues = compute(sliceOf(table, examples.peek(), channels.peek()));

/** All numbers; where they cannot be computed, the last that could, and why. */
export const result = computed<{ readonly values: Values; readonly problem: Problem | null }>(() => {
	try {
		lastValues = compute(given.value);
		return { values: lastValues, problem: null };
	} catch (error) {
		if (!(error instanceof EvenkeelError)) throw error;
		return { values: lastValues, problem: problemOf(error.message, offset.value) };
	}
});

/** A number as it is shown: what is given as it was given, also where nothing follows from it. */
export function numberOf({ name, index }: Cell): number {
	if (!isGiven(name)) return result.value.values[name][index];
	const all = given.value[name];
	return typeof all === "number" ? all : all[index];
}

/** Whether the number was changed since there were results: one of these is why there are none. */
export function isSuspect({ name, index }: Cell): boolean {
	const { values, problem } = result.value;
	return problem !== null && !Object.is(numberOf({ name, index }), values[name][index]);
}

/** The numbers that the one looked into was made of. */
export const lit = computed<ReadonlySet<string>>(() => {
	const cell = looked.value;
	const expression = cell && expressionOf(cell.name);
	const { values } = result.value;
	if (!cell || !expression || cell.index >= values[cell.name].length) return new Set();
	return new Set(inputsOf(expression, placeOf(cell, values.c), values).map(keyOf));
});

function givenBy(norm: NormAtWork): Given {
	return {
		n: norm.examples,
		c: norm.gamma.length,
		x: [...norm.x],
		dy: [...norm.dy],
		gamma: [...norm.gamma],
		beta: [...norm.beta],
		runningMean: [...norm.runningMean],
		runningVar: [...norm.runningVar],
		eps: norm.eps,
		momentum: norm.momentum,
	};
}

/** Chooses where the numbers come from. Edits are dropped. */
export function choose(wanted: Source | "table"): void {
	release();
	firstChannel.value = 0;
	chosen.value = wanted;
}

/** How many examples and channels, and from which on. Edits are dropped. */
export function resize(part: { examples?: number; channels?: number; first?: number }): void {
	release();
	examples.value = clamp(part.examples ?? examples.value, 2, MOST_EXAMPLES);
	channels.value = clamp(part.channels ?? channels.value, 1, MOST_CHANNELS);
	const all = liveWork.value ? liveWork.value.norm.gamma.length : table.c;
	firstChannel.value = clamp(part.first ?? firstChannel.value, 0, Math.max(0, all - channels.value));
}

function clamp(value: number, least: number, most: number): number {
	return Math.min(most, Math.max(least, Math.round(value) || least));
}

/** Keeps the numbers as they are while training goes on. */
export function hold(): void {
	pinned.value = { given: given.value, note: work.value };
}

/** Back to the numbers of the source. */
export function release(): void {
	pinned.value = null;
	looked.value = null;
	changed.value = new Set();
}

/** Changes a number that is given; all that follows is computed anew. */
export function edit(cell: Cell & { readonly name: GivenName }, value: number): void {
	const before = result.value.values;
	pinned.value = { given: withNumber(given.value, cell.name, cell.index, value), note: work.value };
	const { values, problem } = result.value;
	if (problem) return;
	changed.value = changes(before, values);
	const { length } = stages.filter(({ assignments }) => assignments.some(({ name }) => hasChanged(name)));
	const others = [...changed.value].filter((key) => key !== keyOf(cell)).length;
	announcement.value = t(strings.edited(describe(cell), editableValue(value), String(others), String(length)));
}

/** Whether the last edit changed any number of the quantity. */
export function hasChanged(name: string): boolean {
	for (const key of changed.value) if (key.startsWith(`${name}:`)) return true;
	return false;
}

/** Goes to a step. */
export function walk(to: number): void {
	position.value = clamp(to, 0, stages.length - 1);
	looked.value = null;
	const { title } = stageStrings[stages[position.value].id];
	announcement.value = t(strings.walked(String(position.value + 1), String(stages.length), t(title)));
}

/** Looks into a number, and says where it came from. */
export function look(cell: Cell | null, aloud = false): void {
	looked.value = cell;
	if (!cell || !aloud) return;
	const expression = expressionOf(cell.name);
	const { values } = result.value;
	if (expression) announcement.value = spell(cell, expression, values);
}

/** `x, example 0, channel 5` */
export function describe({ name, index }: Cell): string {
	const kind = kindOf(name);
	const letter = letterOf(name);
	if (kind === "scalar") return letter;
	const { channel, example } = placeOf({ name, index }, given.value.c);
	const shown = String(channel + offset.value);
	if (kind === "channel") return t(strings.cellChannel(letter, shown));
	return t(strings.cellElement(letter, String(example), shown));
}

/** Mean and variance of the whole batch, of the channels shown: `μ₀ = 0.12, σ²₀ = 1.3`. */
export function wholeBatch({ norm }: Work): string {
	return Array.from({ length: given.value.c }, (_, i) => {
		const c = i + offset.value;
		return `${t(strings.channel)} ${c}: μ = ${formatValue(norm.mean[c])}, σ² = ${formatValue(norm.variance[c])}`;
	}).join("; ");
}
