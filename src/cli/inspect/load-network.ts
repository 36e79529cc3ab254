// A network by its name on the command line: a preset as it is built, a checkpoint of one, or weights, Keras's too.

import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { EvenkeelError } from "../../errors.ts";
import { readKerasWeights } from "../../model-files/index.ts";
import { SafetensorsFile, type TensorOnDisk } from "../../model-files/safetensors.ts";
import type { Module } from "../../nn/module.ts";
import { buildNetwork, type NormChoice, type Preset } from "../../presets/index.ts";
import { loadKerasWeights } from "../../surgery/index.ts";
import { checkpointFile, readCheckpoint } from "../../train/index.ts";
import { checkUsage } from "../errors.ts";
import { loadPreset } from "../train/load-preset.ts";
import { normsFromState } from "./norms-from-state.ts";

/** A network to look at. */
export interface LoadedNetwork {
	readonly net: Module;
	/** Null for weights of which the network is not known: then `net` is their norms alone. */
	readonly preset: Preset | null;
	/** What it is, in words. */
	readonly source: string;
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
}

/** Loads what `name` stands for. */
export async function loadNetwork(name: string, flags: NetworkFlags): Promise<LoadedNetwork> {
	if (/\.(keras|h5|hdf5)$/.test(name)) return fromKeras(name, flags);
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

const choiceOf = (preset: Preset, { norm, groups }: NetworkFlags): NormChoice => ({
	norm: norm ?? preset.norm ?? "batch",
	groups,
});

async function fromPreset(name: string, flags: NetworkFlags): Promise<LoadedNetwork> {
	const { preset } = await loadPreset(name);
	const choice = choiceOf(preset, flags);
	const source = `preset ${preset.name}, norm ${choice.norm}, not trained`;
	return { net: buildNetwork(preset, choice), preset, source, trained: false, batchSize: null };
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
	return { net, preset, source, trained: true, batchSize: null };
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
	const shared = { trained: true, batchSize: null };
	if (flags.preset === undefined) {
		const net = normsFromState(tensors);
		return { ...shared, net, preset: null, source: `the norms in ${file} (--preset names the network)` };
	}
	const { preset } = await loadPreset(flags.preset);
	const net = buildNetwork(preset, choiceOf(preset, flags));
	try {
		net.loadStateDict(tensors);
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new EvenkeelError(`${file}: it is not of the preset ${preset.name} (--preset, --norm, --groups): ${reason}`);
	}
	return { ...shared, net, preset, source: `preset ${preset.name} with the weights of ${file}` };
}
