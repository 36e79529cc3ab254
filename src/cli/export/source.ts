// What to export: a network (a preset, a checkpoint, weights of a network that is known), or weights alone.

import { existsSync, statSync } from "node:fs";
import { SafetensorsFile, type SafetensorsTensor } from "../../model-files/safetensors.ts";
import type { Module } from "../../nn/module.ts";
import { scope } from "../../tensor/scope.ts";
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
	if (isWeightsAlone(name, flags)) {
		using file = new SafetensorsFile(name);
		if (file.metadata["evenkeel.checkpoint"] === undefined) {
			return await use({ description: name, network: null, state: () => file.tensors() });
		}
	}
	const network = await loadNetwork(name, flags);
	checkUsage(network.preset, () => `${name}: the network is not known; name it with --preset`);
	return await use({ description: network.source, network, state: () => stateOf(network.net) });
}

function stateOf(net: Module): Record<string, SafetensorsTensor> {
	const entries = scope(() => Object.entries(net.stateDict()).map(([name, tensor]) => [name, entryOf(tensor)]));
	return Object.fromEntries(entries);
}

function isWeightsAlone(name: string, { preset }: NetworkFlags): boolean {
	if (preset !== undefined || !name.endsWith(".safetensors")) return false;
	checkUsage(existsSync(name), () => `${name}: there is no such file; check the path`);
	return statSync(name).isFile();
}
