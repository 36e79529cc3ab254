// What one run of a comparison can be told: the options of `train`, the choices of a network, and how it is evaluated.
// One table for all of them, so that a file with a wrong one is answered with what it may be.

import { check } from "../errors.ts";
import { activationNames, normNames, presets } from "../presets/index.ts";

/** A value of an option. */
export type OptionValue = string | number | boolean;

/** The options of one run. What is left out is the preset's, or the default named here. */
export interface CellOptions {
	/** The network and how it is trained, one of the presets of `train`. */
	readonly preset: string;
	/** The normalization. Default: the preset's. */
	readonly norm?: string;
	/** Groups of group norm. Default 4. */
	readonly groups?: number;
	/** Whether norms stand before or after the activations. */
	readonly place?: "before" | "after";
	readonly activation?: string;
	/** In [0, 1), on hidden linear layers. Default 0. */
	readonly dropout?: number;
	/** Hidden layers of a fully connected network. */
	readonly depth?: number;
	/** Units of each of them. */
	readonly width?: number;
	/** A factor on the first weights. Default 1. */
	readonly initialScale?: number;
	/** Weight of the new batch in the running statistics. */
	readonly momentum?: number;
	/** Weight of the old running statistics, 1 - momentum. */
	readonly decay?: number;
	readonly epochs?: number;
	readonly batchSize?: number;
	readonly lr?: number;
	/** The batch size that `lr` is for: at another, lr is scaled in proportion. Default: lr is as it is. */
	readonly lrBatch?: number;
	/** Train on the first so many examples. Default: all. */
	readonly limit?: number;
	/** Leave out a last batch that is not full. Default false. */
	readonly dropLast?: boolean;
	/**
	 * Which statistics batch norms take in evaluation: `"running"` (default), those of each test batch (`"batch"`, which is
	 * what evaluating in training mode does), or those of test batches sorted by class (`"sorted-batch"`).
	 */
	readonly evalStatistics?: "running" | "batch" | "sorted-batch";
	/** Test examples a batch, for `evalStatistics` other than `"running"`. Default 256. */
	readonly evalBatchSize?: number;
	/** Of the weights, the order of the examples and dropout. */
	readonly seed: number;
}

/** The name of an option. */
export type OptionName = keyof CellOptions;

interface OptionRule {
	/** How tables and charts call it. */
	readonly label: string;
	/** What it must be, for errors. */
	readonly expected: string;
	readonly holds: (value: unknown) => boolean;
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function whole(label: string, min: number): OptionRule {
	return {
		label,
		expected: `a whole number of at least ${min}`,
		holds: (value) => isNumber(value) && Number.isSafeInteger(value) && value >= min,
	};
}

function between(label: string, expected: string, holds: (value: number) => boolean): OptionRule {
	return { label, expected, holds: (value) => isNumber(value) && holds(value) };
}

function oneOf(label: string, names: readonly string[]): OptionRule {
	return {
		label,
		expected: `one of ${names.join(", ")}`,
		holds: (value) => typeof value === "string" && names.includes(value),
	};
}

const rules: Readonly<Record<OptionName, OptionRule>> = {
	preset: oneOf(
		"network",
		presets.map(({ name }) => name),
	),
	norm: oneOf("norm", normNames),
	groups: whole("groups", 1),
	place: oneOf("norm's place", ["before", "after"]),
	activation: oneOf("activation", activationNames),
	dropout: between("dropout", "a number of at least 0 and below 1", (value) => value >= 0 && value < 1),
	depth: whole("hidden layers", 1),
	width: whole("units a layer", 1),
	initialScale: between("initial scale", "a number above 0", (value) => value > 0),
	momentum: between("momentum (weight of the new batch)", "a number from 0 to 1", (value) => value >= 0 && value <= 1),
	decay: between("decay (weight of the old)", "a number from 0 to 1", (value) => value >= 0 && value <= 1),
	epochs: whole("epochs", 1),
	batchSize: whole("batch size", 1),
	lr: between("learning rate", "a number of at least 0", (value) => value >= 0),
	lrBatch: whole("batch size of the learning rate", 1),
	limit: whole("training examples", 1),
	dropLast: { label: "last batch left out", expected: "true or false", holds: (value) => typeof value === "boolean" },
	evalStatistics: oneOf("statistics in evaluation", ["running", "batch", "sorted-batch"]),
	evalBatchSize: whole("evaluation's batch size", 1),
	seed: whole("seed", 0),
};

/** Every option's name, in the order of tables. */
export const optionNames = Object.keys(rules) as readonly OptionName[];

/** Whether `name` is an option. */
export function isOptionName(name: string): name is OptionName {
	return Object.hasOwn(rules, name);
}

/** How tables and charts call an option. */
export function optionLabel(name: OptionName): string {
	return rules[name].label;
}

/** How a value is written: in tables, legends and along axes. */
export function showValue(value: OptionValue | undefined): string {
	return value === undefined ? "default" : String(value);
}

/**
 * Throws unless `value` may be the option `name`. `where` opens the message.
 */
export function checkOption(name: string, value: unknown, where: string): asserts value is OptionValue {
	check(
		isOptionName(name),
		() => `${where}: there is no option "${name}"${nearest(name)}; there are ${optionNames.join(", ")}`,
	);
	check(rules[name].holds(value), () => `${where}.${name}: expected ${rules[name].expected}, got ${show(value)}`);
}

/** `value` as a message shows it: as JSON, shortened. */
export function show(value: unknown): string {
	const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
	return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

/** For `batch-size` and `batch_size` the name that was meant. */
function nearest(name: string): string {
	const plain = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, "");
	const meant = optionNames.find((known) => plain(known) === plain(name));
	return meant === undefined ? "" : `, did you mean ${meant}?`;
}
