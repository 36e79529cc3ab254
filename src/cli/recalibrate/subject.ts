// What is recalibrated: a network of evenkeel's with its weights, or an ONNX model; and how it is written afterwards.

import { mkdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import type { ImageTransform } from "../../data/transform.ts";
import type { Module } from "../../nn/module.ts";
import type { Preset } from "../../presets/index.ts";
import type { RecalibrationReport } from "../../surgery/index.ts";
import { checkpointFile, saveWeights } from "../../train/index.ts";
import { checkUsage } from "../errors.ts";
import { loadNetwork, type NetworkFlags } from "../inspect/load-network.ts";
import { checkNoPickle } from "../train/load-preset.ts";
import { checkFolder, checkWritable } from "../train/outputs.ts";
import { rewriteTensors } from "./rewrite-tensors.ts";

/** A network that can be run, and where its state goes. */
export interface Subject {
	/** What it is, in words. */
	readonly source: string;
	readonly net: Module;
	/** Null for an ONNX model. */
	readonly preset: Preset | null;
	/** The shape of one example, with null for a length that may be any; null if nothing is known of it. */
	readonly inputShape: readonly (number | null)[] | null;
	/** The one batch size that it takes; null: any. */
	readonly batchSize: number | null;
	readonly transform: ImageTransform;
	/** What must be known of it. */
	readonly notes: readonly string[];
	/** Writes it with the new statistics. Returns the files. */
	write(report: RecalibrationReport): Promise<string[]>;
}

const weightsFile = "model.safetensors";

/** Loads what `name` stands for, and makes sure that `out` can be written. */
export async function openSubject(name: string, out: string, flags: NetworkFlags): Promise<Subject> {
	const onnx = extname(name).toLowerCase() === ".onnx";
	checkUsage(
		onnx === (extname(out).toLowerCase() === ".onnx"),
		() =>
			`--out ${out}: ${name} is ${onnx ? "an ONNX model, and is written as one; name a file that ends with .onnx" : "no ONNX model; name a folder, or a file that ends with .safetensors"}`,
	);
	if (onnx) {
		checkWritable("--out", out);
		// Loaded only now: nothing else needs protobuf.
		const { openOnnx } = await import("./onnx.ts");
		return await openOnnx(name, out);
	}
	return await openNetwork(name, out, flags);
}

async function openNetwork(given: string, out: string, flags: NetworkFlags): Promise<Subject> {
	const name = basename(given) === checkpointFile ? dirname(given) : given;
	const isRun = statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
	if (!isRun) checkNoPickle(name);
	checkUsage(
		isRun || /\.(safetensors|keras|h5|hdf5)$/.test(name),
		() => `${name}: it has no weights to re-estimate statistics of; name a run's folder, or a file of weights`,
	);
	checkUsage(
		isRun || extname(out) === ".safetensors",
		() => `--out ${out}: ${name} holds weights; name a file that ends with .safetensors`,
	);
	const { net, preset, source, prefix } = await loadNetwork(name, flags);
	checkUsage(preset, () => `${name}: the network is not known; name it with --preset`);
	if (extname(out) === ".safetensors") checkWritable("--out", out);
	else checkFolder("--out", out);
	const { mean, std } = preset.transform ?? {};
	const { inputShape } = preset;
	const write = async (report: RecalibrationReport) => writeNetwork(net, name, out, report, prefix);
	return { source, net, preset, inputShape, batchSize: null, transform: { mean, std }, notes: [], write };
}

/** A run's folder as a run's folder: its checkpoint, all else as it was, and its weights. Else weights alone. */
function writeNetwork(net: Module, name: string, out: string, report: RecalibrationReport, prefix = ""): string[] {
	if (extname(out) !== ".safetensors") {
		const files = [join(out, checkpointFile), join(out, weightsFile)];
		mkdirSync(out, { recursive: true });
		rewriteTensors(join(name, checkpointFile), files[0], newStatistics(net, report, "model."));
		saveWeights(net, files[1]);
		return files;
	}
	if (extname(name) === ".safetensors") rewriteTensors(name, out, newStatistics(net, report, prefix));
	else saveWeights(net, out);
	return [out];
}

/** The state dict's entries that are new, by name. */
function newStatistics(net: Module, { layers }: RecalibrationReport, prefix: string): Map<string, ArrayLike<number>> {
	const paths = new Set(layers.map(({ layer }) => layer));
	const entries = [...net.namedBuffers()].filter(([name]) =>
		paths.has(name.slice(0, Math.max(0, name.lastIndexOf(".")))),
	);
	return new Map(entries.map(([name, tensor]) => [prefix + name, tensor.dataSync()]));
}
