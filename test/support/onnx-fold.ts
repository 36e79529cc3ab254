// Folds a model and holds it to the one it was, with ONNX Runtime as the judge.

import { expect } from "vitest";
import { encodeOnnx, type OnnxModel, type TensorProto } from "../../src/model-files/onnx/index.ts";
import { type FoldOnnxOptions, foldOnnx } from "../../src/onnx/fold/fold-onnx.ts";
import { type ModelParts, model, node, noise, weight } from "./onnx-builder.ts";
import { difference, input } from "./onnx-compare.ts";
import { runOnnxRuntime, type Values } from "./onnxruntime.ts";

export interface FoldTest extends FoldOnnxOptions {
	inputs: Readonly<Record<string, Values>>;
	/** Default 1e-5. */
	tolerance?: number;
}

/** The four constants of a batch normalization named `bn`: none of them 0 or 1. */
export function normConstants(name: string, channels: number, seed = 5) {
	const values = (index: number, low: number, high: number) =>
		noise(channels, seed + index).map((value) => low + ((high - low) * (value + 1)) / 2);
	return [
		weight(`${name}.scale`, [channels], values(0, 0.5, 1.5)),
		weight(`${name}.shift`, [channels], values(1, -0.6, 0.9)),
		weight(`${name}.mean`, [channels], values(2, -0.8, 0.5)),
		weight(`${name}.var`, [channels], values(3, 0.4, 2)),
	];
}

/** The inputs of such a node. */
export const normInputs = (x: string, name: string) => [
	x,
	...["scale", "shift", "mean", "var"].map((part) => `${name}.${part}`),
];

/** Folds, runs both models, and returns what was folded and left, with the folded model. */
export async function foldAndCompare(
	parts: ModelParts | OnnxModel,
	{ inputs, tolerance = 1e-5, ...options }: FoldTest,
) {
	const made = "nodes" in parts ? model(parts) : parts;
	const bytes = encodeOnnx(made);
	const { model: folded, report } = foldOnnx(made, options);
	expect(Buffer.compare(encodeOnnx(made), bytes), "the model that was given").toBe(0);
	folded.check();
	const expected = await runOnnxRuntime(await plain(made), inputs);
	const found = await runOnnxRuntime(await plain(folded), inputs);
	expect(Object.keys(found)).toEqual(Object.keys(expected));
	for (const [name, { shape, data }] of Object.entries(expected)) {
		expect(found[name].shape, name).toEqual(shape);
		expect(difference(found[name].data, data), name).toBeLessThan(tolerance);
	}
	return {
		folded,
		report,
		how: report.folded.map(({ norm, into, how }) => [norm, how, ...into].join(" ")),
		left: report.left.map(({ norm, reason }) => `${norm}: ${reason}`),
		operators: folded.graph.node.map(({ opType }) => opType),
		initializers: folded.graph.initializer.map(({ name }) => name),
	};
}

/** The model's bytes with all data in it: ONNX Runtime is given no folder. */
async function plain(one: OnnxModel): Promise<Uint8Array> {
	const copy = one.copy();
	copy.inlineExternalData();
	return encodeOnnx(copy);
}

/** Random numbers as an initializer. */
export const random = (name: string, shape: number[], seed = 2) =>
	weight(
		name,
		shape,
		noise(
			shape.reduce((a, b) => a * b, 1),
			seed,
		),
	);
/** A batch normalization of the constants that {@link normConstants} makes. */
export const bn = (x: string, y: string, name = "bn", attributes = {}, more: string[] = []) =>
	node("BatchNormalization", normInputs(x, name), [y, ...more], attributes, { name });
/** What the graphs of these tests take as x. */
const shape = [2, 3, 6, 6];
export const inputs = { x: input(shape) };

/** A convolution and its norm "first", then `rest`, which reads what they make as "h": four channels. */
export function behindFoldable(
	rest: ModelParts["nodes"],
	initializers: readonly TensorProto[],
	more: Partial<ModelParts> = {},
): ModelParts {
	return {
		nodes: [node("Conv", ["x", "w0"], ["a0"]), bn("a0", "h", "first"), ...rest],
		initializers: [
			random("w0", [4, 3, 3, 3], 9),
			...normConstants("first", 4, 40),
			...normConstants("bn", 4),
			...initializers,
		],
		...more,
	};
}

/** Folds; the norm "first" goes and "bn" stays. Returns why. */
export async function refused(parts: ModelParts, options: { runs?: boolean } = {}): Promise<string> {
	const { left, how } = options.runs === false ? folding(model(parts)) : await foldAndCompare(parts, { inputs });
	expect(how).toEqual([expect.stringContaining('"first" before Conv')]);
	expect(left).toHaveLength(1);
	expect(left[0]).toContain('BatchNormalization "bn": ');
	return left[0];
}

/** What is folded and left, in words. */
export function folding(made: OnnxModel) {
	const { report } = foldOnnx(made);
	return {
		how: report.folded.map(({ norm, into, how }) => [norm, how, ...into].join(" ")),
		left: report.left.map(({ norm, reason }) => `${norm}: ${reason}`),
	};
}
