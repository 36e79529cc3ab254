// What `evenkeel explain` shows, computed: batch normalization of one batch in training, what that
// does to the running averages, and the same batch in inference.

import type { NestedNumbers } from "../../ops/creation.ts";
import { explainBatchNorm, type SomeStages } from "../../ops/norm/batch-norm/explain.ts";
import { nestValues } from "../../ops/norm/batch-norm/explain-values.ts";
import { sizeOf } from "../../tensor/shape.ts";

/** Row-major numbers with their shape. */
export interface NumberArray {
	readonly shape: readonly number[];
	readonly data: ArrayLike<number>;
}

export interface LessonInput {
	x: NumberArray;
	/** One value a channel. */
	gamma: readonly number[];
	beta: readonly number[];
	eps: number;
	/** Weight of the old running average; the new batch has `1 - decay`. */
	decay: number;
	/** Which variance the running average follows; the one that normalizes is always biased. */
	runningVariance: "biased" | "unbiased";
	/** The gradient by the output, of x's shape; null leaves the backward pass out. */
	dy: NumberArray | null;
}

/** Running averages of each channel. */
export interface RunningAverages {
	mean: number[];
	var: number[];
}

export interface Lesson {
	stages: SomeStages<number[], NestedNumbers>;
	running: { before: RunningAverages; batch: RunningAverages; after: RunningAverages };
	inference: { xmu: NestedNumbers; xhat: NestedNumbers; out: NestedNumbers };
}

/**
 * The whole lesson. The running averages start at mean 0 and variance 1 and see this batch once:
 *
 *     running = decay * running + (1 - decay) * batch
 *     inference: out = gamma * (x - running.mean) / sqrt(running.var + eps) + beta
 */
export function computeLesson(input: LessonInput): Lesson {
	const { x, gamma, beta, eps, decay, runningVariance, dy } = input;
	const stages = explainBatchNorm(x, gamma, beta, { eps, dy: dy ?? undefined });
	const m = sizeOf(x.shape) / gamma.length;
	const correction = runningVariance === "unbiased" ? m / (m - 1) : 1;
	const before = { mean: gamma.map(() => 0), var: gamma.map(() => 1) };
	const batch = { mean: stages.mu, var: stages.var.map((value) => value * correction) };
	const blend = (old: number[], now: number[]): number[] => old.map((value, c) => decay * value + (1 - decay) * now[c]);
	const after = { mean: blend(before.mean, batch.mean), var: blend(before.var, batch.var) };
	return { stages, running: { before, batch, after }, inference: infer(input, after) };
}

function infer({ x, gamma, beta, eps }: LessonInput, { mean, var: variance }: RunningAverages): Lesson["inference"] {
	const xmu = mapChannels(x, (value, c) => value - mean[c]);
	const xhat = mapChannels(xmu, (value, c) => value / Math.sqrt(variance[c] + eps));
	const out = mapChannels(xhat, (value, c) => gamma[c] * value + beta[c]);
	const nested = (values: NumberArray): NestedNumbers => nestValues(values.data, values.shape);
	return { xmu: nested(xmu), xhat: nested(xhat), out: nested(out) };
}

/** The values as rows, one a sample (and position, for images), one column a channel. */
export function asRows({ shape, data }: NumberArray): number[][] {
	const channels = shape[1];
	const spatial = sizeOf(shape.slice(2));
	return Array.from({ length: shape[0] * spatial }, (_, row) =>
		Array.from(
			{ length: channels },
			(_, c) => data[(Math.floor(row / spatial) * channels + c) * spatial + (row % spatial)],
		),
	);
}

/** The names of the rows of {@link asRows}: `7`, or `7:2,3` for sample 7 at height 2, width 3. */
export function rowLabels(shape: readonly number[]): string[] {
	const positions = shape.slice(2);
	const spatial = sizeOf(positions);
	return Array.from({ length: shape[0] * spatial }, (_, row) => {
		let rest = row % spatial;
		const place: number[] = [];
		for (const length of [...positions].reverse()) {
			place.unshift(rest % length);
			rest = Math.floor(rest / length);
		}
		return `${Math.floor(row / spatial)}${place.length > 0 ? `:${place.join(",")}` : ""}`;
	});
}

function mapChannels({ shape, data }: NumberArray, fn: (value: number, channel: number) => number): NumberArray {
	const spatial = sizeOf(shape.slice(2));
	return { shape, data: Float64Array.from(data, (value, i) => fn(value, Math.floor(i / spatial) % shape[1])) };
}

/** Nested arrays as row-major numbers of a known shape. */
export function unnest(values: NestedNumbers, shape: readonly number[]): NumberArray {
	const flat: number[] = [];
	const walk = (level: NestedNumbers): void => {
		if (typeof level === "number") flat.push(level);
		else for (const item of level) walk(item);
	};
	walk(values);
	return { shape, data: flat };
}
