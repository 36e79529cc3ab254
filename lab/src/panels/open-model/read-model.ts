// A file of a model to an inspection: of the file only what is needed is read, the header first.

import { EvenkeelError, type Inspection, type InspectNetworkOptions, inspectNetwork, type nn, presets } from "evenkeel";
import { decodeOnnx } from "evenkeel/onnx";
import { normsFromState } from "../../../../src/cli/inspect/norms-from-state.ts";
import { networkOfModel } from "../../../../src/cli/inspect/onnx-network.ts";
import type { ByteSource } from "../../../../src/model-files/byte-source.ts";
import { readHeader } from "../../../../src/model-files/safetensors/header.ts";
import { TensorOnDisk } from "../../../../src/model-files/safetensors/stored-tensor.ts";
import { buildNetwork } from "../../../../src/presets/index.ts";
import { parseState } from "../../../../src/train/checkpoint-state.ts";

/** What findings assume where nobody knows. */
const BATCH_SIZE = 32;

type Tensors = Readonly<Record<string, TensorOnDisk>>;

/**
 * Looks at a .safetensors file (weights, or a checkpoint of evenkeel's) or an .onnx model, as `evenkeel inspect` does.
 *
 * @throws EvenkeelError that says in one line what is wrong with the file
 */
export async function readModel(source: ByteSource): Promise<Inspection> {
	if (/\.onnx$/i.test(source.name)) return ofOnnx(source);
	if (/\.safetensors$/i.test(source.name)) return ofSafetensors(source);
	throw new EvenkeelError(
		`${source.name}: only .safetensors and .onnx are read here; save the weights with safetensors, ` +
			"or export the model with torch.onnx.export",
	);
}

async function ofOnnx(source: ByteSource): Promise<Inspection> {
	const { net, known, inputShape, tensors, notes, ...rest } = await networkOfModel(
		decodeOnnx(source.read(0, source.size), { name: source.name }),
	);
	const inspection = look(net, { source: rest.source, batchSize: BATCH_SIZE, inputShape: inputShape ?? undefined });
	if (known) return { ...inspection, notes: [...inspection.notes, ...notes.map(withoutFlags)] };
	return onlyNorms(inspection, tensors, notes);
}

/** The page has no flags to name. */
function withoutFlags(note: string): string {
	return note.replace(/; --input-shape .*/, "; `evenkeel inspect --input-shape` says it.");
}

function ofSafetensors(source: ByteSource): Inspection {
	const { entries, metadata } = readHeader(source);
	const tensors: Tensors = Object.fromEntries(
		[...entries].map(([name, entry]) => [name, new TensorOnDisk(entry, source, `${source.name}: tensor "${name}"`)]),
	);
	const saved = metadata["evenkeel.checkpoint"];
	return saved === undefined ? ofWeights(source.name, tensors) : ofCheckpoint(source.name, tensors, saved);
}

function ofCheckpoint(name: string, tensors: Tensors, saved: string): Inspection {
	const { settings, step } = parseState(saved, name);
	const prefix = "model.";
	const model = Object.fromEntries(
		Object.entries(tensors).flatMap(([key, value]) =>
			key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
		),
	);
	const preset = settings.file ? undefined : presets.find((candidate) => candidate.name === settings.preset);
	const batchSize = typeof settings.batchSize === "number" ? settings.batchSize : BATCH_SIZE;
	if (!preset) return { ...ofWeights(`${name}, step ${step}`, model), batchSize };
	const net = buildNetwork(preset, {
		norm: typeof settings.norm === "string" ? settings.norm : (preset.norm ?? "batch"),
		groups: typeof settings.groups === "number" ? settings.groups : undefined,
	});
	net.loadStateDict(model);
	const inputShape = [1, ...preset.inputShape];
	return look(net, { source: `${name}: preset ${preset.name}, step ${step}`, batchSize, inputShape });
}

function ofWeights(name: string, tensors: Tensors): Inspection {
	const inspection = look(normsFromState(tensors), { source: name, batchSize: BATCH_SIZE });
	const listed = Object.entries(tensors).map(([key, { dtype, shape }]) => ({ name: key, dtype, shape }));
	return onlyNorms(inspection, listed, [
		"The file has weights and no network, so its norms are shown, and its tensors.",
	]);
}

/** Inspects a network that nobody needs afterwards: its memory is given back for the next file. */
function look(net: nn.Module, options: InspectNetworkOptions): Inspection {
	try {
		return inspectNetwork(net, options);
	} finally {
		for (const parameter of net.parameters()) parameter.dispose();
		for (const [, buffer] of net.namedBuffers()) buffer.dispose();
	}
}

/** Of a network that is not known the norms are all there is to see. */
function onlyNorms(inspection: Inspection, tensors: Inspection["tensors"], notes: Inspection["notes"]): Inspection {
	return { ...inspection, layers: [], totals: { parameters: 0, flops: null }, tensors, notes };
}
