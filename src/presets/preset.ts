// A preset: a network and how it is trained, under one name. What `train` runs.

import type { ImageTransform } from "../data/transform.ts";
import { check } from "../errors.ts";
import { Module } from "../nn/module.ts";
import type { Schedulable, Schedule } from "../optim/schedule.ts";
import type { Examples } from "../train/evaluate.ts";
import type { LossFunction, LossName } from "../train/objective.ts";
import type { TrainerOptimizer } from "../train/trainer.ts";
import { checkVariations, type NetworkChoice, scaleWeights, type Variation } from "./network-choice.ts";

/** How long a run will be: what a schedule needs to know. */
export interface RunLength {
	/** The learning rate asked for. */
	lr: number;
	epochs: number;
	/** Steps in all epochs together. */
	steps: number;
}

/** An optimizer, such as SGD, Adam and AdamW. */
export type PresetOptimizer = TrainerOptimizer & Schedulable;

/** A network and how it is trained. A file given to `evenkeel train` exports one, or a function that makes one. */
export interface Preset {
	/** What it is called: in messages, and the folder under `runs/`. */
	readonly name: string;
	/** One line for lists. */
	readonly description?: string;
	/** The shape of one example, `[C, H, W]` for images. */
	readonly inputShape: readonly number[];
	/** How many classes the network tells apart. Default: as many as the data has. */
	readonly classes?: number;
	/** The normalization it is built with unless another is asked for. Default `"batch"`, or none of its own if `build` takes no argument. */
	readonly norm?: string;
	readonly batchSize: number;
	readonly epochs: number;
	readonly lr: number;
	/** Default `"crossEntropy"`. */
	readonly loss?: LossName | LossFunction;
	/** How images become floats. Default: x / 255. */
	readonly transform?: ImageTransform;
	/** What `build` lets one choose beyond the normalization and its groups. Default: nothing. */
	readonly varies?: readonly Variation[];
	/** Builds the network, with weights from the default generator and the normalization asked for. */
	build(choice: NetworkChoice): Module;
	/** The optimizer of the network that `build` made. */
	optimizer(net: Module, lr: number): PresetOptimizer;
	/** How the learning rate changes from step to step. Default: it does not. */
	schedule?(optimizer: PresetOptimizer, length: RunLength): Schedule;
	/** Data of its own, instead of that of `--data`. */
	data?(): PresetData | Promise<PresetData>;
}

/** Data that a preset brings along. */
export interface PresetData {
	train: Examples;
	test?: Examples;
	/** One sentence on where it comes from. */
	source?: string;
}

/** The normalization that `preset` is built with unless another is asked for; null if it does not let one choose. */
export function ownNorm({ norm, build }: Preset): string | null {
	return norm ?? (build.length > 0 ? "batch" : null);
}

const numbers = ["batchSize", "epochs"] as const;

/**
 * Throws unless `value` is a {@link Preset}. `what` names it in the message, which says which property is wrong.
 */
export function checkPreset(value: unknown, what: string): asserts value is Preset {
	check(
		value !== null && typeof value === "object",
		() =>
			`${what}: expected a preset { name, inputShape, batchSize, epochs, lr, build, optimizer }, got ${describe(value)}`,
	);
	const preset: Partial<Record<keyof Preset, unknown>> = value;
	check(
		typeof preset.name === "string" && preset.name !== "",
		() => `${what}: name must be a text, got ${describe(preset.name)}`,
	);
	for (const name of numbers) {
		const count = preset[name];
		check(
			Number.isInteger(count) && Number(count) >= 1,
			() => `${what}: ${name} must be a whole number of at least 1, got ${describe(count)}`,
		);
	}
	check(
		typeof preset.lr === "number" && preset.lr >= 0 && preset.lr < Infinity,
		() => `${what}: lr must be a number of at least 0, got ${describe(preset.lr)}`,
	);
	check(
		Array.isArray(preset.inputShape) && preset.inputShape.every((length) => Number.isInteger(length) && length > 0),
		() =>
			`${what}: inputShape must be the shape of one example, such as [1, 28, 28], got ${describe(preset.inputShape)}`,
	);
	for (const name of ["build", "optimizer"] as const) {
		check(
			typeof preset[name] === "function",
			() => `${what}: ${name} must be a function, got ${describe(preset[name])}`,
		);
	}
	for (const name of ["schedule", "data"] as const) {
		const method = preset[name];
		check(
			method === undefined || typeof method === "function",
			() => `${what}: ${name} must be a function or left out, got ${describe(method)}`,
		);
	}
}

/**
 * Builds the network of `preset`, its weights scaled by `choice.initialScale`; what it built must be a Module of this
 * evenkeel.
 *
 * @throws EvenkeelError if `choice` asks for what the preset does not let one choose
 */
export function buildNetwork(preset: Preset, choice: NetworkChoice): Module {
	checkVariations(preset.name, preset.varies ?? [], choice);
	const net = preset.build(choice);
	check(
		net instanceof Module,
		() =>
			`preset ${preset.name}: build() must return a Module, got ${describe(net)}; if it is one of another copy of ` +
			"evenkeel, export a function and take nn from its argument: export default ({ nn, optim }) => ({ … })",
	);
	scaleWeights(net, choice.initialScale ?? 1);
	return net;
}

function describe(value: unknown): string {
	if (value !== null && typeof value === "object" && !Array.isArray(value))
		return `a ${value.constructor?.name ?? "object"}`;
	return value === undefined ? "nothing" : typeof value === "function" ? "a function" : JSON.stringify(value);
}
