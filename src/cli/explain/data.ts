// The numbers of the lesson: the default table, a file, a cotangent.

import { EvenkeelError } from "../../errors.ts";
import { MersenneTwister } from "../../random/mt19937.ts";
import { formatShape, sameShape, sizeOf } from "../../tensor/shape.ts";
import { checkUsage } from "../errors.ts";
import type { NumberArray } from "./lesson.ts";
import { readNumbers } from "./read-numbers.ts";

/** A batch, the names of its columns, and words for where it comes from. */
export interface Batch {
	x: NumberArray;
	columns: string[];
	source: string;
}

/** 10 samples x 5 features, uniform in [0, 1): NumPy's numbers for seed 42. */
export function defaultBatch(): Batch {
	const x = { shape: [10, 5], data: new MersenneTwister(42).rand(50) };
	return { x, columns: ["0", "1", "2", "3", "4"], source: "numpy.random.seed(42); numpy.random.rand(10, 5)" };
}

/**
 * The batch in a .npy or .csv file: `[N, C]`, or `[N, C, …]` in .npy.
 *
 * @throws EvenkeelError if the file cannot be read, or holds no batch with statistics
 */
export async function batchFromFile(path: string): Promise<Batch> {
	const { columns, ...x } = await readNumbers(path);
	const { shape } = x;
	if (shape.length < 2 || shape[1] === 0) {
		throw new EvenkeelError(
			`${path}: expected a table [samples, features] or [N, C, …], got shape ${formatShape(shape)}`,
		);
	}
	if (sizeOf(shape) / shape[1] < 2) {
		throw new EvenkeelError(
			`${path}: shape ${formatShape(shape)} has fewer than two values a feature, and one value has no deviation; add samples`,
		);
	}
	checkFinite(x, path);
	return { x, columns: columns ?? Array.from({ length: shape[1] }, (_, c) => String(c)), source: path };
}

/** The default gradient by the output: NumPy's uniform numbers for seed 43, in [-0.5, 0.5). */
export function defaultCotangent(shape: readonly number[]): { dy: NumberArray; source: string } {
	const data = new MersenneTwister(43).rand(sizeOf(shape)).map((value) => value - 0.5);
	return { dy: { shape, data }, source: `numpy.random.seed(43); numpy.random.rand(${shape.join(", ")}) - 0.5` };
}

/** The gradient in a file, which must have x's shape. */
export async function cotangentFromFile(
	path: string,
	shape: readonly number[],
): Promise<{ dy: NumberArray; source: string }> {
	const dy = await readNumbers(path);
	if (!sameShape(dy.shape, shape)) {
		throw new EvenkeelError(
			`${path}: the gradient must have the shape of x, ${formatShape(shape)}, got ${formatShape(dy.shape)}`,
		);
	}
	checkFinite(dy, path);
	return { dy, source: path };
}

/** One value a channel from an option: a list of as many, or one value for all. */
export function channelValues(
	option: string,
	values: readonly number[] | undefined,
	channels: number,
	fallback: number,
): number[] {
	if (values === undefined) return new Array<number>(channels).fill(fallback);
	if (values.length === 1) return new Array<number>(channels).fill(values[0]);
	checkUsage(
		values.length === channels,
		() => `${option} has ${values.length} values, x has ${channels} features; give ${channels}, or one for all`,
	);
	return [...values];
}

function checkFinite({ shape, data }: NumberArray, path: string): void {
	for (let i = 0; i < data.length; i++) {
		if (Number.isFinite(data[i])) continue;
		const spatial = sizeOf(shape.slice(2));
		const sample = Math.floor(i / (spatial * shape[1]));
		const channel = Math.floor(i / spatial) % shape[1];
		throw new EvenkeelError(
			`${path}: sample ${sample}, feature ${channel} (counted from 0) is ${data[i]}; replace it or leave the sample out`,
		);
	}
}
