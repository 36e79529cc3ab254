// The part of a checkpoint that is not tensors, and whether what a file holds in its place is one: a run that goes
// on from a number that is none would end anywhere.

import type { DataLoaderState } from "../data/data-loader.ts";
import { check } from "../errors.ts";
import { isObject, parseJson } from "../model-files/json.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import type { ScheduleState } from "../optim/schedule.ts";
import type { GeneratorState } from "../random/generator.ts";
import type { EpochRecord, Totals } from "./history.ts";

/** What must be the same when a run goes on: the network's preset, the batch size, the data's hash, … */
export type RunSettings = Record<string, string | number | boolean | null>;

/** The part of a checkpoint that is not tensors: plain data. */
export interface CheckpointState {
	version: 1;
	/** Steps taken since the run began. */
	step: number;
	/** How many epochs the run was to have. */
	epochs: number;
	/** Where the data loader stands: the epoch under way and the batch within it. */
	loader: DataLoaderState;
	/** The sums over the epoch under way, and the seconds it has trained. */
	totals: Totals;
	trainedSeconds: number;
	epochSeconds: number;
	/** Of everything that draws random numbers, by name. */
	generators: Record<string, GeneratorState>;
	history: EpochRecord[];
	settings: RunSettings;
}

/** All of it, with what the optimizer and the schedule add. */
export interface SavedState extends CheckpointState {
	optimizer: OptimizerState["values"];
	schedule: ScheduleState | null;
}

/** The state as JSON. JSON has no numbers that are not finite: they are written as the texts `"NaN"`, `"Infinity"`, `"-Infinity"`. */
export function formatState(state: SavedState): string {
	return JSON.stringify(state, (_, value: unknown) =>
		typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
	);
}

/**
 * Reads the state from a file's metadata. `file` names it in errors.
 *
 * @throws EvenkeelError naming the first part that is not what it must be
 */
export function parseState(text: string, file: string): SavedState {
	const state = parseJson(text, `${file}: its metadata`);
	const version = isObject(state) ? state.version : undefined;
	check(
		isObject(state) && version === 1,
		() =>
			`${file}: this is a checkpoint of version ${typeof version === "number" ? version : "unknown"}, ` +
			"and this evenkeel reads version 1; use the one that wrote it",
	);
	const numbers = withNumbers(state);
	checkParts(numbers, file);
	return numbers;
}

/** The parts that hold figures: files that an earlier evenkeel wrote have null there for what is not finite. */
const figureParts: readonly string[] = ["totals", "history"];

/** With the texts and nulls that stand for numbers as numbers; settings are the user's own, and stay. */
function withNumbers(state: Record<string, unknown>): Record<string, unknown> {
	const parts = Object.entries(state).map(([name, part]) => [
		name,
		name === "settings" ? part : numbersIn(part, figureParts.includes(name)),
	]);
	return Object.fromEntries(parts);
}

function numbersIn(value: unknown, nulls: boolean): unknown {
	if (value === null) return nulls ? Number.NaN : null;
	if (Array.isArray(value)) return value.map((entry) => numbersIn(entry, nulls));
	if (isObject(value)) {
		return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, numbersIn(entry, nulls)]));
	}
	return value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : value;
}

type Test = (value: unknown) => boolean;

const isCount: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isNumber: Test = (value) => typeof value === "number";
const isFlag: Test = (value) => typeof value === "boolean";
const isSetting: Test = (value) => value === null || ["string", "number", "boolean"].includes(typeof value);
const listOf =
	(test: Test): Test =>
	(value) =>
		Array.isArray(value) && value.every(test);
const recordOf =
	(test: Test): Test =>
	(value) =>
		isObject(value) && Object.values(value).every(test);
const withFields =
	(fields: Readonly<Record<string, Test>>): Test =>
	(value) =>
		isObject(value) && Object.entries(fields).every(([name, test]) => test(value[name]));

const isGenerator = withFields({ seed: isCount, stream: listOf(isCount), counter: isCount });

const parts: Readonly<Record<keyof Omit<SavedState, "version">, Test>> = {
	step: isCount,
	epochs: isCount,
	loader: withFields({
		generator: isGenerator,
		epoch: isCount,
		position: isCount,
		rows: isCount,
		batchSize: isCount,
		dropLast: isFlag,
		shuffle: isFlag,
	}),
	totals: withFields({ loss: isNumber, metrics: listOf(isNumber), seen: isCount }),
	trainedSeconds: isNumber,
	epochSeconds: isNumber,
	generators: recordOf(isGenerator),
	history: listOf(
		(record) => withFields({ epoch: isCount })(record) && recordOf((v) => isNumber(v) || isObject(v))(record),
	),
	settings: recordOf(isSetting),
	optimizer: withFields({
		optimizer: (value) => typeof value === "string",
		groups: listOf(isObject),
		steps: recordOf(isCount),
	}),
	schedule: (value) => value === null || withFields({ step: isCount, initialLrs: listOf(isNumber) })(value),
};

function checkParts(
	state: Record<string, unknown>,
	file: string,
): asserts state is Record<string, unknown> & SavedState {
	for (const [name, holds] of Object.entries(parts)) {
		check(
			holds(state[name]),
			() => `${file}: "${name}" is ${name in state ? "not what it must be" : "missing"}; the file is damaged`,
		);
	}
}
