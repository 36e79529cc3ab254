// What to export: a network (a preset, a checkpoint, weights of a network that is known), or weights alone.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { SafetensorsFile, type SafetensorsTensor } from "../../model-files/safetensors.ts";
import type { Module } from "../../nn/module.ts";
import { scope } from "../../tensor/scope.ts";
import { checkpointFile } from "../../train/index.ts";
import { entryOf } from "../../train/weights-file.ts";
import { checkUsage } from "../errors.ts";
import { type LoadedNetwork, loadNetwork, type NetworkFlags } from "../inspect/load-network.ts";

/** What was named on the command line, loaded. */
export interface ExportSource {
	/** What it is, in words. */
	readonly description: string;
	/** Null for weights of which the network is not known: formats that hold a network need `--preset`. */
	readonly network: LoadedNetwork | null;
	/**
	 * Parameters and buffers by their names, PyTorch's own: those of `network`, where there is one. They are views,
	 * valid until the next tensor is made.
	 */
	state(): Readonly<Record<string, SafetensorsTensor>>;
}

/** Loads what `name` stands for, and calls `use` with it while its file is open. */
export async function withExportSource<Result>(
	name: string,
	flags: NetworkFlags,
	use: (source: ExportSource) => Promise<Result>,
): Promise<Result> {
	if (flags.preset === undefined && isWeightsAlone(name)) {
		using file = open(name);
		return await use({ description: name, network: null, state: () => file.tensors() });
	}
	const network = await loadNetwork(name, flags);
	if (network.known) return await use({ description: network.source, network, state: () => stateOf(network.net) });
	// A checkpoint of a network that only the program that trained it knows.
	using file = open(isFolder(name) ? join(name, checkpointFile) : name);
	const weights = () => withoutPrefix(file.tensors(), "model.");
	return await use({ description: file.path, network: null, state: weights });
}

const isFolder = (name: string) => statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;

/** Whether `name` is a file of weights that is no checkpoint, which says what it is of. */
function isWeightsAlone(name: string): boolean {
	if (isFolder(name) || !name.endsWith(".safetensors")) return false;
	using file = open(name);
	return file.metadata["evenkeel.checkpoint"] === undefined;
}

function open(name: string): SafetensorsFile {
	checkUsage(existsSync(name), () => `${name}: there is no such file; check the path`);
	return new SafetensorsFile(name);
}

function withoutPrefix<T>(entries: Readonly<Record<string, T>>, prefix: string): Record<string, T> {
	const own = Object.entries(entries).filter(([name]) => name.startsWith(prefix));
	return Object.fromEntries(own.map(([name, entry]) => [name.slice(prefix.length), entry]));
}

function stateOf(net: Module): Record<string, SafetensorsTensor> {
	const entries = scope(() => Object.entries(net.stateDict()).map(([name, tensor]) => [name, entryOf(tensor)]));
	return Object.fromEntries(entries);
}
