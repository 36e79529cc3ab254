// A checkpoint: everything a run needs to go on as if it had never stopped, in one safetensors file.
// Tensors (parameters, buffers, what the optimizer remembers) are its entries, the rest is JSON in its metadata.

import type { DataLoaderState } from "../data/data-loader.ts";
import { check, EvenkeelError } from "../errors.ts";
import { writeFileAtomicSync } from "../model-files/atomic-write.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from "../model-files/safetensors.ts";
import type { Module } from "../nn/module.ts";
import { messageOf, needNodeModule, systemErrorCode } from "../node.ts";
import { tensor } from "../ops/creation.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import type { Schedule, ScheduleState } from "../optim/schedule.ts";
import type { GeneratorState } from "../random/generator.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { firstNotFinite } from "./diagnose.ts";
import type { EpochRecord, Totals } from "./history.ts";
import type { TrainerOptimizer } from "./trainer.ts";

/** The name of the file within its folder. */
export const checkpointFile = "checkpoint.safetensors";

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

/** What a checkpoint restores. */
export interface CheckpointParts {
	readonly net: Module;
	readonly optimizer: TrainerOptimizer;
	readonly schedule?: Schedule;
}

/** A checkpoint as it was read: nothing has been restored yet. */
export interface SavedCheckpoint {
	/** The file, for messages. */
	readonly file: string;
	readonly state: CheckpointState;
	readonly tensors: Readonly<Record<string, SafetensorsTensor>>;
	readonly optimizer: OptimizerState["values"];
	readonly schedule: ScheduleState | null;
}

const key = "evenkeel.checkpoint";
const modelPrefix = "model.";
const optimizerPrefix = "optimizer.";

/**
 * Writes `checkpoint.safetensors` into `dir`, in one piece: a process that ends half way, or a full disk, leaves the
 * checkpoint before as it was.
 *
 * @throws EvenkeelError if a parameter is not finite, or the file cannot be written
 */
export function saveCheckpoint(dir: string, parts: CheckpointParts, state: CheckpointState): void {
	const { net, optimizer, schedule } = parts;
	for (const [name, parameter] of net.namedParameters()) {
		const bad = firstNotFinite(parameter);
		check(
			bad === null,
			() =>
				`checkpoint: the parameter ${name} holds ${bad?.value} after step ${state.step}, so the checkpoint before is kept; ` +
				"lower the learning rate, or clip the gradients (clipGradNorm)",
		);
	}
	scope(() => {
		const { tensors, values } = optimizer.stateDict();
		const entries = { ...prefixed(modelPrefix, net.stateDict()), ...prefixed(optimizerPrefix, tensors) };
		const saved = { ...state, optimizer: values, schedule: schedule?.state() ?? null };
		writeInto(dir, checkpointFile, encodeSafetensors(entries, { [key]: JSON.stringify(saved) }));
	});
}

/**
 * Reads the checkpoint in `dir`.
 *
 * @throws EvenkeelError if there is none, or the file is damaged or something else
 */
export function readCheckpoint(dir: string): SavedCheckpoint {
	const fs = needNodeModule("node:fs", "resume");
	const file = needNodeModule("node:path", "resume").join(dir, checkpointFile);
	let bytes: Uint8Array;
	try {
		bytes = fs.readFileSync(file);
	} catch (error) {
		if (systemErrorCode(error) !== "ENOENT") throw new EvenkeelError(`${file}: it cannot be read: ${messageOf(error)}`);
		throw new EvenkeelError(
			`${dir}: there is no ${checkpointFile} in this folder, so there is nothing to go on from; check the path`,
		);
	}
	const { tensors, metadata } = decodeSafetensors(bytes, file);
	check(
		metadata[key] !== undefined,
		() => `${file}: these are tensors, but not a checkpoint of evenkeel; load them as weights`,
	);
	const { optimizer, schedule, ...state } = parseState(metadata[key], file);
	return { file, state, tensors, optimizer, schedule };
}

type SavedState = CheckpointState & Pick<SavedCheckpoint, "optimizer" | "schedule">;

function parseState(text: string, file: string): SavedState {
	let state: Partial<SavedState> | null;
	try {
		state = JSON.parse(text);
	} catch (error) {
		throw new EvenkeelError(`${file}: its metadata is not JSON (${messageOf(error)}); the file is damaged`);
	}
	check(
		state?.version === 1,
		() =>
			`${file}: this is a checkpoint of version ${state?.version}, and this evenkeel reads version 1; use the one that wrote it`,
	);
	for (const name of ["loader", "totals", "generators", "history", "settings", "optimizer"] as const) {
		check(
			state[name] !== null && typeof state[name] === "object",
			() => `${file}: "${name}" is missing; the file is damaged`,
		);
	}
	return state as SavedState;
}

/**
 * Throws unless the run that `saved` is of had these settings.
 */
export function checkSettings({ file, state }: SavedCheckpoint, settings: RunSettings): void {
	for (const [name, now] of Object.entries(settings)) {
		const before = state.settings[name] ?? null;
		check(
			before === now,
			() =>
				`resume: ${name} was ${JSON.stringify(before)} when ${file} was written, and is ${JSON.stringify(now)} now; ` +
				"go on with what it was, or start a new run",
		);
	}
}

/** Puts the saved values into network, optimizer and schedule. */
export function restoreCheckpoint(saved: SavedCheckpoint, { net, optimizer, schedule }: CheckpointParts): void {
	check(
		(saved.schedule === null) === (schedule === undefined),
		() => `resume: ${saved.file} is of a run ${saved.schedule ? "with" : "without"} a schedule, this one is not`,
	);
	try {
		scope(() => {
			net.loadStateDict(unprefixed(modelPrefix, saved.tensors));
			optimizer.loadStateDict({ tensors: unprefixed(optimizerPrefix, saved.tensors), values: saved.optimizer });
		});
		if (saved.schedule) schedule?.setState(saved.schedule);
	} catch (error) {
		throw new EvenkeelError(`resume: ${saved.file} does not fit this run: ${messageOf(error)}`);
	}
}

/**
 * Writes the network's parameters and buffers to `file`, in one piece, as safetensors with PyTorch's names and types.
 *
 * @throws EvenkeelError if it cannot be written; a file that was there is kept
 */
export function saveWeights(net: Module, file: string): void {
	scope(() => {
		const entries = prefixed("", net.stateDict());
		for (const [name, { shape, data }] of Object.entries(entries)) {
			// PyTorch counts batches in 64 bits.
			if (data instanceof Int32Array) entries[name] = { dtype: "I64", shape, data: BigInt64Array.from(data, BigInt) };
		}
		const { basename, dirname } = needNodeModule("node:path", "saveWeights");
		writeInto(dirname(file), basename(file), encodeSafetensors(entries, { format: "pt" }));
	});
}

function writeInto(dir: string, file: string, bytes: Uint8Array): void {
	const { join } = needNodeModule("node:path", "checkpoint");
	try {
		needNodeModule("node:fs", "checkpoint").mkdirSync(dir, { recursive: true });
	} catch (error) {
		throw new EvenkeelError(`${dir}: the folder cannot be made: ${messageOf(error)}`);
	}
	writeFileAtomicSync(join(dir, file), bytes);
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, SafetensorsTensor> {
	return Object.fromEntries(
		Object.entries(tensors).map(([name, of]): [string, SafetensorsTensor] => [prefix + name, entryOf(of)]),
	);
}

/** The tensor as the file holds it: a view, valid until the next tensor is made. */
function entryOf(of: Tensor): SafetensorsTensor {
	const data = of.view().subarray(0, of.size);
	const dtype = { float32: "F32", float64: "F64", int32: "I32", uint8: "U8" } as const;
	return { dtype: dtype[of.dtype], shape: of.shape, data };
}

function unprefixed(prefix: string, entries: Readonly<Record<string, SafetensorsTensor>>): Record<string, Tensor> {
	const tensors: Record<string, Tensor> = {};
	for (const [name, { shape, data }] of Object.entries(entries)) {
		if (!name.startsWith(prefix)) continue;
		check(
			data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array,
			() => `"${name}" is of a type that no checkpoint has`,
		);
		tensors[name.slice(prefix.length)] = tensor(data, shape, { name });
	}
	return tensors;
}
