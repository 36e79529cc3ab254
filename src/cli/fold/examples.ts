// What both networks are run on, to see how far the outputs move: given arrays, or random numbers.

import { readFileSync } from "node:fs";
import { decodeNpy } from "../../model-files/npy.ts";
import { Generator } from "../../random/generator.ts";
import { formatShape, type Shape, sizeOf } from "../../tensor/shape.ts";
import { checkUsage } from "../errors.ts";

/** An array, row-major. */
export interface Example {
	readonly shape: Shape;
	readonly values: Float32Array;
	/** Whether the network takes whole numbers. */
	readonly whole?: boolean;
}

/** An input of a network. A length that is null may be anything. */
export interface InputShape {
	readonly name: string;
	readonly shape: readonly (number | null)[] | null;
	/** Whether it takes whole numbers: random ones would be out of range, so they are 0. */
	readonly whole?: boolean;
}

/** Examples a batch, where any number will do. */
const BATCH = 4;

export interface ExampleFlags {
	/** `x.npy`, or `name=x.npy` for a network of several inputs. */
	input?: readonly string[];
	seed: number;
}

/** The array of each input, by name; a reason where the shape of one is not known. */
export function examplesFor(
	inputs: readonly InputShape[],
	{ input = [], seed }: ExampleFlags,
): Map<string, Example> | string {
	const given = givenExamples(inputs, input);
	const random = new Generator(seed);
	const examples = new Map<string, Example>();
	for (const one of inputs) {
		const found = given.get(one.name) ?? randomExample(one, random);
		if (typeof found === "string") return found;
		examples.set(one.name, found);
	}
	return examples;
}

/** What the outputs were compared on, in words. */
export function describeExamples({ input = [], seed }: ExampleFlags): string {
	return input.length > 0 ? `on ${input.join(" ")}` : `on random inputs (seed ${seed})`;
}

function givenExamples(inputs: readonly InputShape[], files: readonly string[]): Map<string, Example> {
	const names = inputs.map(({ name }) => name);
	return new Map(
		files.map((text): [string, Example] => {
			const named = names.find((name) => text.startsWith(`${name}=`));
			checkUsage(
				named !== undefined || names.length === 1,
				() => `--input ${text}: the network takes ${names.join(", ")}; say which: --input ${names[0]}=${text}`,
			);
			const file = named === undefined ? text : text.slice(named.length + 1);
			const { shape, data } = decodeNpy(readFileSync(file), file);
			const input = inputs[named === undefined ? 0 : names.indexOf(named)];
			checkFits(file, shape, input);
			return [input.name, { shape, values: Float32Array.from<number | bigint>(data, Number), whole: input.whole }];
		}),
	);
}

function checkFits(file: string, found: Shape, { name, shape }: InputShape): void {
	const fits =
		shape === null ||
		(shape.length === found.length && shape.every((length, i) => length === null || length === found[i]));
	checkUsage(
		fits,
		() => `--input ${file}: it is ${formatShape(found)}, and "${name}" takes ${formatOpen(shape ?? [])}`,
	);
}

function randomExample({ name, shape, whole }: InputShape, random: Generator): Example | string {
	const known = shape?.map((length, axis) => length ?? (axis === 0 ? BATCH : null));
	if (!known?.every((length) => length !== null)) {
		const what = shape ? `is ${formatOpen(shape)}` : "is not said to have any shape";
		return `the input "${name}" ${what}; give an example with --input FILE.npy`;
	}
	const values = new Float32Array(sizeOf(known));
	return { shape: known, values: whole ? values : random.fillNormal(values), whole };
}

function formatOpen(shape: readonly (number | null)[]): string {
	return `[${shape.map((length) => length ?? "?").join(", ")}]`;
}
