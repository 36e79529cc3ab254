// A network by its name on the command line: a preset as it is built, a checkpoint of one, or weights, Keras's too.

import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { EvenkeelError } from "../../errors.ts";
import { readKerasWeights } from "../../model-files/index.ts";
import { SafetensorsFile, type TensorOnDisk } from "../../model-files/safetensors.ts";
import type { Module } from "../../nn/module.ts";
import { buildNetwork, type NormChoice, ownNorm, type Preset } from "../../presets/index.ts";
import type { Finding, InspectedTensor } from "../../surgery/index.ts";
import { loadKerasWeights } from "../../surgery/index.ts";
import type { Shape } from "../../tensor/shape.ts";
import { checkpointFile, readCheckpoint } from "../../train/index.ts";
import { checkUsage } from "../errors.ts";
import { checkNormHeeded, loadPreset } from "../train/load-preset.ts";
import { fromOnnx } from "./load-onnx.ts";
import { normsFromState } from "./norms-from-state.ts";

/** A network to look at. */
export interface LoadedNetwork {
	readonly net: Module;
	/** Null where it is none: an ONNX model, or weights of which the network is not known. */
	readonly preset: Preset | null;
	/** Whether `net` is the network; if not, it is the norms that were found. */
	readonly known: boolean;
	/** The shape of an input, the batch included; null where none is known. */
	readonly inputShape: Shape | null;
	/** What the file holds, where the network is not known. */
	readonly tensors: readonly InspectedTensor[];
	/** What could not be seen, and why. */
	readonly notes: readonly string[];
	/** What the file itself shows to be wrong; left out for nothing. */
	readonly findings?: readonly Finding[];
	/** What it is, in words. */
	readonly source: string;
	/** What stands before each name in the file, and is none of the network's own; left out for nothing. */
	readonly prefix?: string;
	/** Whether it has been trained. */
	readonly trained: boolean;
	/** The batch size it was trained with, where a checkpoint says so. */
	readonly batchSize: number | null;
}

export interface NetworkFlags {
	/** The network that weights are of. */
	preset?: string;
	norm?: string;
	groups?: number;
	/** The shape of an ONNX model's input, where the file leaves it open. */
	inputShape?: Shape;
}

/** Loads what `name` stands for. */
export async function loadNetwork(name: string, flags: NetworkFlags): Promise<LoadedNetwork> {
	if (/\.(keras|h5|hdf5)$/.test(name)) return fromKeras(name, flags);
	if (/\.onnx$/i.test(name)) return fromOnnx(name, flags);
	const folder = statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
	const file = folder ? join(name, checkpointFile) : name;
	if (!file.endsWith(".safetensors")) return fromPreset(name, flags);
	checkUsage(existsSync(file), () => `${file}: there is no such file; check the path`);
	using weights = new SafetensorsFile(file);
	if (weights.metadata["evenkeel.checkpoint"] === undefined) return await fromWeights(file, weights.tensors(), flags);
	checkUsage(
		file.endsWith(checkpointFile),
		() => `${file}: a checkpoint is called ${checkpointFile}; give it that name again`,
	);
	return await fromCheckpoint(file, weights.tensors(), flags);
}

/** What is the same of every trained network of a preset. */
function ofPreset(preset: Preset) {
	const inputShape = [1, ...preset.inputShape];
	return { preset, known: true, inputShape, tensors: [], notes: [], trained: true, batchSize: null };
}

/** What is the same of everything of which the network is not known. */
const unknown = { preset: null, known: false, inputShape: null, notes: [], trained: true, batchSize: null };

function choiceOf(preset: Preset, { norm, groups }: NetworkFlags): NormChoice {
	checkNormHeeded(preset, norm);
	return { norm: norm ?? ownNorm(preset) ?? "batch", groups };
}

async function fromPreset(name: string, flags: NetworkFlags): Promise<LoadedNetwork> {
	const { preset } = await loadPreset(name);
	const choice = choiceOf(preset, flags);
	const norm = ownNorm(preset) === null ? "" : `norm ${choice.norm}, `;
	const source = `preset ${preset.name}, ${norm}not trained`;
	return { ...ofPreset(preset), net: buildNetwork(preset, choice), source, trained: false };
}

async function fromKeras(file: string, flags: NetworkFlags): Promise<LoadedNetwork> {
	checkUsage(existsSync(file), () => `${file}: there is no such file; check the path`);
	checkUsage(
		flags.preset !== undefined,
		() => `${file}: Keras's weights are loaded into a network that is known; name it with --preset`,
	);
	const { preset } = await loadPreset(flags.preset);
	const net = buildNetwork(preset, choiceOf(preset, flags));
	using weights = readKerasWeights(file);
	loadKerasWeights(net, weights, { inputShape: preset.inputShape });
	const source = `preset ${preset.name} with the weights of ${file}, written by Keras`;
	return { ...ofPreset(preset), net, source };
}

async function fromCheckpoint(
	file: string,
	tensors: Readonly<Record<string, TensorOnDisk>>,
	flags: NetworkFlags,
): Promise<LoadedNetwork> {
	const { settings, step } = readCheckpoint(dirname(file)).state;
	const known = flags.preset ?? settings.file ?? settings.preset;
	const model = Object.fromEntries(
		Object.entries(tensors).flatMap(([key, value]) => (key.startsWith("model.") ? [[key.slice(6), value]] : [])),
	);
	const { norm, groups } = settings;
	const saved: NetworkFlags = {
		norm: flags.norm ?? (typeof norm === "string" ? norm : undefined),
		groups: flags.groups ?? (typeof groups === "number" ? groups : undefined),
	};
	const loaded = await fromWeights(file, model, { ...saved, preset: typeof known === "string" ? known : undefined });
	const batchSize = typeof settings.batchSize === "number" ? settings.batchSize : null;
	return { ...loaded, batchSize, source: `${loaded.source}, step ${step}` };
}

async function fromWeights(
	file: string,
	tensors: Readonly<Record<string, TensorOnDisk>>,
	flags: NetworkFlags,
): Promise<LoadedNetwork> {
	if (flags.preset === undefined) {
		const notes = [
			"Which network these weights belong to is not known, so only its norms are shown; --preset names one.",
		];
		const listed = Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
		return { ...unknown, net: normsFromState(tensors), source: file, tensors: listed, notes };
	}
	const { preset } = await loadPreset(flags.preset);
	const net = buildNetwork(preset, choiceOf(preset, flags));
	const prefix = wrapperOf(Object.keys(tensors), Object.keys(net.stateDict()));
	try {
		net.loadStateDict(tensors, { prefix });
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new EvenkeelError(`${file}: it is not of the preset ${preset.name} (--preset, --norm, --groups): ${reason}`);
	}
	const taken = prefix === "" ? "" : `, whose names begin with "${prefix}", which is left out`;
	return { ...ofPreset(preset), net, prefix, source: `preset ${preset.name} with the weights of ${file}${taken}` };
}

/** What PyTorch's DataParallel and torch.compile put before every name, one in the other too; not what the network has. */
function wrapperOf(names: readonly string[], own: readonly string[]): string {
	const [prefix] = /^(module\.|_orig_mod\.)*/.exec(names[0] ?? "") ?? [""];
	const common = names.every((name) => name.startsWith(prefix));
	return common && !own.some((name) => name.startsWith(prefix)) ? prefix : "";
}
