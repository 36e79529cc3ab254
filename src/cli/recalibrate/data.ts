// What the network is run on: images by name or from a folder, with labels to measure by, or any inputs from a .npy file.

import { readFileSync, statSync } from "node:fs";
import { TensorDataset } from "../../data/dataset.ts";
import { type Dataset, subset } from "../../data/index.ts";
import { EvenkeelError } from "../../errors.ts";
import { decodeNpy } from "../../model-files/npy.ts";
import { tensor, zeros } from "../../ops/creation.ts";
import { formatShape } from "../../tensor/shape.ts";
import { checkUsage } from "../errors.ts";
import { imageSplit, loadData } from "../train/load-data.ts";
import type { ProgressDisplay } from "../ui/progress.ts";
import type { Subject } from "./subject.ts";

export interface DataFlags {
	data: string;
	download: boolean;
	limit?: number;
}

/** Inputs to re-estimate statistics from, and examples with labels to measure by, if there are any. */
export interface RecalibrationInputs {
	readonly inputs: Dataset;
	readonly labeled: Dataset | null;
	/** Where they come from, in words. */
	readonly sources: readonly string[];
	/** What is left out of them, and why. */
	readonly notes: readonly string[];
}

type Loaded = Omit<RecalibrationInputs, "notes">;

type Needs = Pick<Subject, "source" | "preset" | "inputShape" | "batchSize">;

/** Loads what --data names, and checks that the network takes it. */
export async function loadInputs(
	subject: Needs,
	flags: DataFlags,
	display: ProgressDisplay,
): Promise<RecalibrationInputs> {
	const { data: from, download, limit } = flags;
	const loaded = await load(subject, from, download, display);
	const whole = limit === undefined ? loaded.inputs : subset(loaded.inputs, Math.min(limit, loaded.inputs.length));
	const inputs = fullBatches(whole, subject);
	const labeled = loaded.labeled && fullBatches(loaded.labeled, subject);
	const notes = [
		...leftOut(whole, inputs, "examples", subject),
		...(loaded.labeled && labeled ? leftOut(loaded.labeled, labeled, "test examples", subject) : []),
	];
	return { ...loaded, inputs, labeled, notes };
}

async function load(subject: Needs, from: string, download: boolean, display: ProgressDisplay): Promise<Loaded> {
	if (from.endsWith(".npy")) return fromArray(subject, from);
	if (subject.preset) {
		const { train, test, sources } = await loadData(subject.preset, { from, download, limit: undefined }, display);
		const { loss } = subject.preset;
		const classifies = loss === undefined || loss === "crossEntropy" || loss === "nll";
		return { inputs: train, labeled: (classifies && test) || null, sources };
	}
	const [train, test] = [
		await imageSplit("train", { from, download }, display),
		await imageSplit("test", { from, download }, display),
	];
	display.clear();
	checkShape(subject, train.images.shape, `--data ${from}`);
	return { inputs: train, labeled: test, sources: [...new Set([train.source, test.source])] };
}

function fromArray(subject: Needs, file: string): Loaded {
	checkUsage(
		statSync(file, { throwIfNoEntry: false })?.isFile(),
		() => `--data ${file}: there is no such file; check the path`,
	);
	const { shape, data } = decodeNpy(readFileSync(file), file);
	if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
		throw new EvenkeelError(`${file}: it holds 64-bit integers; save it as uint8 (images) or float32`);
	}
	checkShape(subject, shape, file);
	// Bytes [N, C, H, W] are images, x / 255.
	const isImages = data instanceof Uint8Array && shape.length === 4;
	const x = tensor(isImages ? data : Float32Array.from(data), shape);
	const none = zeros([shape[0] ?? 0], { dtype: "int32" });
	return { inputs: new TensorDataset(x, none), labeled: null, sources: [`${formatShape(shape)} from ${file}`] };
}

function checkShape({ source, inputShape }: Needs, [, ...shape]: readonly number[], what: string): void {
	const fits =
		inputShape?.every((length, axis) => length === null || length === shape[axis]) &&
		inputShape.length === shape.length;
	if (!inputShape || fits) return;
	throw new EvenkeelError(
		`${source}: it takes [${["N", ...inputShape.map((length) => length ?? "?")].join(", ")}], and ${what} holds ` +
			`[${["N", ...shape].join(", ")}]; give it data of that shape`,
	);
}

/** A network that takes batches of one size only cannot be given what is left at the end. */
function fullBatches(dataset: Dataset, { batchSize }: Needs): Dataset {
	const rest = batchSize === null ? 0 : dataset.length % batchSize;
	return rest === 0 || rest === dataset.length ? dataset : subset(dataset, dataset.length - rest);
}

function leftOut(all: Dataset, used: Dataset, what: string, { batchSize }: Needs): string[] {
	const rest = all.length - used.length;
	return rest === 0
		? []
		: [`the last ${rest} of ${all.length} ${what} are left out: it takes batches of ${batchSize} only`];
}
