// What all ranks of a run must have in common, beside the settings that a checkpoint remembers.

import { type Facts, sha256 } from "../../communicator/agreement.ts";
import type { DataLoader } from "../../data/data-loader.ts";
import type { Dataset } from "../../data/dataset.ts";
import { tensor } from "../../ops/creation.ts";
import { matmul } from "../../ops/matmul/op.ts";
import { Generator } from "../../random/generator.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { RunSettings } from "../checkpoint-state.ts";
import { asDataset, type Objective } from "../evaluate.ts";
import type { FitOptions } from "../fit.ts";
import type { TrainerOptions } from "../trainer.ts";

/** As many rows of a data set are compared: hashing all of a large one would take longer than a step. */
const SAMPLES = 1024;

/** The facts of the run `options` by `trainer`, in names that an error can show. */
export function runFacts(
	{ net }: Objective,
	trainer: TrainerOptions,
	loader: DataLoader,
	settings: RunSettings,
	options: FitOptions,
): Facts {
	const { epochs, earlyStopping, resume, validation } = options;
	const test = validation && asDataset(validation);
	const parameters = [...net.namedParameters()].map(([name, { shape, requiresGrad }]) => [name, shape, requiresGrad]);
	return {
		...settings,
		epochs,
		resume: resume !== undefined,
		earlyStopping: JSON.stringify(earlyStopping ?? null),
		"optimizer's options": JSON.stringify(scope(() => trainer.optimizer.stateDict().values.groups)),
		clipGradNorm: trainer.clipGradNorm ?? null,
		schedule: JSON.stringify(trainer.schedule?.state() ?? null),
		"hash of the parameters' names and shapes": text(JSON.stringify(parameters)),
		"seed of the order of the examples": JSON.stringify(loader.state().generator),
		"hash of training examples": sampleOf(loader.dataset),
		"validation examples": test?.length ?? 0,
		"hash of validation examples": test ? sampleOf(test) : null,
		"hash of a matrix product, the processor's arithmetic": arithmetic(),
	};
}

/** Of rows spread evenly over the data set. */
function sampleOf(dataset: Dataset): string {
	const count = Math.min(dataset.length, SAMPLES);
	const rows = Int32Array.from({ length: count }, (_, i) => Math.floor((i * dataset.length) / count));
	return scope(() => {
		const { x, y } = dataset.gather(rows, dataset.imageShape ? {} : undefined);
		return hex(sha256(bytesOf(x), bytesOf(y)));
	});
}

/** Machines with and without fused multiply-add round differently, and their weights would drift apart. */
function arithmetic(): string {
	return scope(() => {
		const random = new Generator(1);
		const [a, b] = [0, 1].map(() => tensor(random.fillUniform(new Float32Array(32 * 32), -1, 1), [32, 32]));
		return hex(sha256(bytesOf(matmul(a, b))));
	});
}

function text(value: string): string {
	return hex(sha256(new TextEncoder().encode(value)));
}

function hex(bytes: Uint8Array): string {
	return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOf(of: Tensor): Uint8Array {
	const { buffer, byteOffset, byteLength } = of.view().subarray(0, of.size);
	return new Uint8Array(buffer, byteOffset, byteLength);
}
