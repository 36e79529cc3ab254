// What a twin makes of one picture: its answer in evaluation mode with every layer's output, and its answers in training
// mode, alone and in the company of others. The run goes on as if nobody had asked: buffers are put back.

import { concat, EvenkeelError, nn, scope, softmax, type Tensor, tensor, zeros } from "evenkeel";
import type { LayerKind } from "../../engine/protocol.ts";
import { defineQuery, defineTopic, type RunContext, type StateContext, type Twin } from "../../engine/topic.ts";

/** What a layer gave for the picture. */
export interface LayerOutput {
	readonly name: string;
	readonly kind: LayerKind;
	/** `[channels, height, width]` or `[units]` */
	readonly shape: readonly number[];
	readonly values: Float32Array;
}

/** A norm that takes its statistics from the batch, given the picture alone. */
export interface NormFacts {
	readonly name: string;
	/** Over how many values it takes a channel's mean and variance. */
	readonly values: number;
	/** The biased variance of the picture's values, the median over the channels. */
	readonly variance: number;
	/** The running one, likewise. */
	readonly remembered: number | null;
	/** Whether it refuses, having one value a channel. */
	readonly refuses: boolean;
}

/** Training mode: probabilities of the classes. */
export interface TrainingMode {
	/** The picture alone. Where a norm refuses, what would come of it if it gave its formula's x̂ = 0; null if that cannot be said. */
	readonly alone: Float32Array | null;
	/** Among the first test pictures, and among the next ones. */
	readonly company: readonly Float32Array[];
	readonly norms: readonly NormFacts[];
}

/** What a twin makes of a picture. */
export interface Attempt {
	/** The classes' probabilities in evaluation mode. */
	readonly probabilities: Float32Array;
	readonly layers: readonly LayerOutput[];
	readonly training: TrainingMode;
}

/** How many others keep the picture company. */
export const COMPANY = 31;

/** `pixels`: the picture's bytes, row by row. */
export const tryPicture = defineTopic({
	at: "rest",
	collect(context: StateContext, { pixels }: { pixels: readonly number[] }): Attempt {
		const { twin } = context;
		const x = inputOf(context, pixels);
		twin.net.eval();
		const { logits, layers } = runLayers(twin, x);
		const probabilities = rowOf(logits);
		return { probabilities, layers, training: undisturbed(twin.net, () => inTraining(context, x)) };
	},
});

/** Pictures of the test set, as bytes one after the other, and their labels. */
export const testPictures = defineQuery({
	answer(context: RunContext, { rows }: { rows: readonly number[] }) {
		return scope(() => {
			const { x, labels } = context.examples("test", rows);
			const { mean, std } = context.normalization;
			const pixels = Uint8Array.from(x.view().subarray(0, x.size), (value) =>
				Math.round(255 * (value * std[0] + mean[0])),
			);
			return { pixels, labels: Int32Array.from(labels.view().subarray(0, labels.size)) };
		});
	},
});

function inputOf({ data: { shape }, normalization: { mean, std } }: RunContext, pixels: readonly number[]): Tensor {
	const size = shape.reduce((a, b) => a * b, 1);
	if (pixels.length !== size) {
		throw new EvenkeelError(`a picture of this run has ${size} values, got ${pixels.length}; draw or choose it again`);
	}
	return tensor(
		Float32Array.from(pixels, (value) => (value / 255 - mean[0]) / std[0]),
		[1, ...shape],
	);
}

function runLayers({ net, layers }: Twin, x: Tensor): { logits: Tensor; layers: LayerOutput[] } {
	let y = x;
	const outputs = [...net].map((module, i): LayerOutput => {
		y = module.forward(y);
		const { name, kind } = layers[i];
		return { name, kind, shape: y.shape.slice(1), values: floats(y) };
	});
	return { logits: y, layers: outputs };
}

/** The norms as in training, everything else (dropout) as in evaluation. */
function inTraining(context: StateContext, x: Tensor): TrainingMode {
	const { twin } = context;
	for (const [i, module] of [...twin.net].entries()) module.train(twin.layers[i].kind === "norm");
	// First, as long as the norms remember what training left them with.
	const single = alone(twin, x);
	const company = [0, COMPANY].map((first) => {
		const rows = Array.from({ length: COMPANY }, (_, i) => first + i);
		return rowOf(twin.net.forward(concat([x, context.examples("test", rows).x], 0)));
	});
	return { ...single, company };
}

function alone({ net, layers }: Twin, x: Tensor): Pick<TrainingMode, "alone" | "norms"> {
	let y: Tensor | null = x;
	const norms: NormFacts[] = [];
	for (const [i, module] of [...net].entries()) {
		if (!y) break;
		const input: Tensor = y;
		const facts = layers[i].kind === "norm" ? factsOf(layers[i].name, module, input) : null;
		y = attempt(module, input);
		if (facts) norms.push({ ...facts, refuses: y === null });
		y ??= shiftAlone(module, input);
	}
	return { alone: y && rowOf(y), norms };
}

/** The layer's output; null if it refuses. */
function attempt(module: nn.Module, x: Tensor): Tensor | null {
	try {
		return module.forward(x);
	} catch (error) {
		if (error instanceof EvenkeelError) return null;
		throw error;
	}
}

/** Null for a norm that looks at each example by itself, in training as in evaluation. */
function factsOf(name: string, module: nn.Module, x: Tensor): Omit<NormFacts, "refuses"> | null {
	const running = [...module.namedBuffers()].find(([key]) => key === "running_var");
	if (!running) return null;
	const [, channels] = x.shape;
	return {
		name,
		values: x.size / channels,
		variance: median(variances(floats(x), channels)),
		remembered: median(floats(running[1])),
	};
}

/** What batch norm's formula gives where every value is its channel's mean: x̂ = 0, so y is the shift. Null for others. */
function shiftAlone(module: nn.Module, x: Tensor): Tensor | null {
	if (!(module instanceof nn.BatchNorm1d || module instanceof nn.BatchNorm2d)) return null;
	if (x.size !== x.shape[1]) return null;
	const bias = [...module.namedParameters()].find(([key]) => key === "bias");
	return bias ? bias[1].reshape(x.shape) : zeros(x.shape);
}

/** Runs `look`, and puts back what batches leave behind in the network. */
function undisturbed<T>(net: nn.Module, look: () => T): T {
	const before = [...net.namedBuffers()].map(([, buffer]) => [buffer, buffer.dataSync()] as const);
	try {
		return look();
	} finally {
		for (const [buffer, values] of before) {
			buffer.view().set(values);
			buffer.storage.version++;
		}
	}
}

/** The first row's probabilities. */
function rowOf(logits: Tensor): Float32Array {
	return floats(softmax(logits, 1)).slice(0, logits.shape[1]);
}

function floats(x: Tensor): Float32Array {
	return Float32Array.from(x.view().subarray(0, x.size));
}

/** The biased variance of each channel of one example. */
function variances(values: Float32Array, channels: number): Float32Array {
	const count = values.length / channels;
	return Float32Array.from({ length: channels }, (_, c) => {
		const own = values.subarray(c * count, (c + 1) * count);
		const mean = own.reduce((a, b) => a + b, 0) / count;
		return own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
	});
}

function median(values: Float32Array): number {
	const sorted = Float32Array.from(values).sort();
	const half = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
