// A checkpoint: everything a run needs to go on as if it had never stopped, in one safetensors file.
// Tensors (parameters, buffers, what the optimizer remembers) are its entries, the rest is JSON in its metadata.

import { check, EvenkeelError } from "../errors.ts";
import {
	decodeSafetensors,
	encodeSafetensors,
	type SafetensorsTensor,
	type StoredTensor,
} from "../model-files/safetensors.ts";
import type { Module } from "../nn/module.ts";
import { messageOf, needNodeModule, systemErrorCode } from "../node.ts";
import { tensor } from "../ops/creation.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import type { Schedule, ScheduleState } from "../optim/schedule.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type CheckpointState, formatState, parseState, type RunSettings } from "./checkpoint-state.ts";
import { firstNotFinite } from "./diagnose.ts";
import type { TrainerOptimizer } from "./trainer.ts";
import { entryOf, writeFileIn } from "./weights-file.ts";

/** The name of the file within its folder. */
export const checkpointFile = "checkpoint.safetensors";

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
	readonly tensors: Readonly<Record<string, StoredTensor>>;
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
		writeFileIn(dir, checkpointFile, encodeSafetensors(entries, { [key]: formatState(saved) }));
	});
}

/**
 * Reads the checkpoint in `dir`.
 *
 * @throws EvenkeelError if there is none, or the file is damaged or something else
 */
export function readCheckpoint(dir: string): SavedCheckpoint {
	return decodeCheckpoint(readCheckpointBytes(dir), dir);
}

/** The bytes of the checkpoint in `dir`. @throws EvenkeelError if there is none, or it cannot be read */
export function readCheckpointBytes(dir: string): Uint8Array {
	const file = fileIn(dir);
	try {
		return needNodeModule("node:fs", "resume").readFileSync(file);
	} catch (error) {
		if (systemErrorCode(error) !== "ENOENT") throw new EvenkeelError(`${file}: it cannot be read: ${messageOf(error)}`);
		throw new EvenkeelError(
			`${dir}: there is no ${checkpointFile} in this folder, so there is nothing to go on from; check the path`,
		);
	}
}

/**
 * The checkpoint in `dir` whose bytes these are.
 *
 * @throws EvenkeelError if the file is damaged or something else
 */
export function decodeCheckpoint(bytes: Uint8Array, dir: string): SavedCheckpoint {
	const file = fileIn(dir);
	const { tensors, metadata } = decodeSafetensors(bytes, file);
	check(
		metadata[key] !== undefined,
		() => `${file}: these are tensors, but not a checkpoint of evenkeel; load them as weights`,
	);
	const { optimizer, schedule, ...state } = parseState(metadata[key], file);
	return { file, state, tensors, optimizer, schedule };
}

function fileIn(dir: string): string {
	return needNodeModule("node:path", "resume").join(dir, checkpointFile);
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
			net.loadStateDict(saved.tensors, { prefix: modelPrefix });
			optimizer.loadStateDict({ tensors: unprefixed(optimizerPrefix, saved.tensors), values: saved.optimizer });
		});
		if (saved.schedule) schedule?.setState(saved.schedule);
	} catch (error) {
		throw new EvenkeelError(`resume: ${saved.file} does not fit this run: ${messageOf(error)}`);
	}
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, SafetensorsTensor> {
	return Object.fromEntries(Object.entries(tensors).map(([name, of]) => [prefix + name, entryOf(of)]));
}

function unprefixed(prefix: string, entries: Readonly<Record<string, StoredTensor>>): Record<string, Tensor> {
	const tensors: Record<string, Tensor> = {};
	for (const [name, { dtype, shape, data }] of Object.entries(entries)) {
		if (!name.startsWith(prefix)) continue;
		check(
			data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array,
			() => `"${name}" is of the type ${dtype}, which no checkpoint has`,
		);
		tensors[name.slice(prefix.length)] = tensor(data, shape, { name });
	}
	return tensors;
}
