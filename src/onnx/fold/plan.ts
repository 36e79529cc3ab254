// Which nodes can take a BatchNormalization: what it reads, or all that reads it. Plans only look; `apply` does it.

import { type NodeProto, nodeLabel, type OnnxGraph } from "../../model-files/onnx/index.ts";
import { type Affine, compose, keepsZero, repeatChannels } from "../../surgery/fold/affine.ts";
import { attempt, demand, refuse } from "../../surgery/fold/refusal.ts";
import { bothReasons, type FoldedNorm } from "../../surgery/fold/report.ts";
import { channelsOf, outputsOf, scaleInputs, scaleOutputs } from "../../surgery/fold/weights.ts";
import { numbersOf } from "../value.ts";
import { floatConstant, inType, rankOf } from "./constants.ts";
import {
	type LinearNode,
	linearMaking,
	linearReading,
	type NewWeights,
	newWeights,
	shiftProblem,
	storeInput,
	storeWeights,
} from "./linear-node.ts";
import { affineOfNode, isBatchNorm } from "./norm-node.ts";
import { computedInput, constantStep, passageOf, splitSize, throughStep } from "./passage.ts";

/** A norm that can go. */
export interface Change {
	readonly folded: FoldedNorm;
	/** Changes the graph: the norm's neighbors take it, and it goes. */
	apply(): void;
}

/** What to do with `norm`, or why nothing can be done. */
export function planFor(graph: OnnxGraph, norm: NodeProto): Change | string {
	const affine = attempt(() => affineOfNode(graph, norm));
	if (typeof affine === "string") return affine;
	const before = attempt(() => planBefore(graph, norm, affine));
	if (typeof before !== "string") return before;
	const behind = attempt(() => planBehind(graph, norm, affine));
	return typeof behind === "string" ? bothReasons(before, behind) : behind;
}

/** Takes a norm out, and what only it read. */
export function takeOut(graph: OnnxGraph, norm: NodeProto): void {
	const constants = norm.input.slice(1);
	graph.bypass(norm);
	for (const name of constants) graph.removeUnread(name);
}

/** Makes sure that nobody but `reader` would notice if `value` were another. */
function checkUnseen(graph: OnnxGraph, value: string, reader: NodeProto, what: string): void {
	const readers = graph.consumers(value);
	const other = readers.find(({ node }) => node !== reader);
	if (other) refuse(`the output of ${what} is also read by ${nodeLabel(other.node)}`);
	demand(readers.length === 1 && readers[0].input >= 0, () => `the output of ${what} is read twice`);
	checkPrivate(graph, value, what);
}

function checkPrivate(graph: OnnxGraph, value: string, what: string): void {
	demand(!graph.isOutput(value), () => `the graph also returns the output of ${what}`);
	checkPlain(graph, value, what);
}

/** What is said of a value for quantization would no longer hold. */
function checkPlain(graph: OnnxGraph, value: string, what: string): void {
	const annotated = graph.proto.quantizationAnnotation.some(({ tensorName }) => tensorName === value);
	demand(!annotated, () => `${what} is annotated for quantization`);
}

/** Into the linear node that makes what the norm reads. `path`: what lies between, the norm's end first. */
function planBefore(graph: OnnxGraph, norm: NodeProto, affine: Affine): Change {
	const path: NodeProto[] = [];
	let value = norm.input[0];
	let reader = norm;
	for (;;) {
		const made = graph.producer(value);
		if (!made) refuse(graph.isInput(value) ? "it reads an input of the graph" : "it reads a constant");
		const what = nodeLabel(made);
		checkUnseen(graph, value, reader, what);
		const linear = linearMaking(graph, value);
		if (linear) return intoLinear(graph, norm, linear, path, affine);
		if (isBatchNorm(made)) return intoNorm(graph, norm, made, path, affine);
		const input = passageOf(graph, made) ? 0 : computedInput(graph, made);
		demand(input !== null, () => `${what} makes its input, which cannot take it`);
		path.push(made);
		[value, reader] = [made.input[input], made];
	}
}

function intoLinear(
	graph: OnnxGraph,
	norm: NodeProto,
	linear: LinearNode,
	path: readonly NodeProto[],
	affine: Affine,
): Change {
	const { label, layout, node } = linear;
	checkAnnotations(graph, linear);
	const rank = node.opType === "MatMul" ? rankOf(graph, linear.output) : layout.shape.length;
	demand(rank !== null, () => `it is not known how many axes ${label} makes: the channels may not be at the last`);
	demand(
		node.opType !== "MatMul" || rank === 2,
		() => `it normalizes axis 1 of ${rank}, and ${label} makes the last one`,
	);
	const { affine: moved, steps } = alongPath(graph, path, rank, channelsOf(layout).outputs, affine, label);
	const weight = scaleOutputs(numbersOf(linear.weight).data, layout, moved.scale);
	const bias = moved.shift.map((shift, o) => moved.scale[o] * linear.bias[o] + shift);
	const changed = newWeights(linear, weight, bias);
	return {
		folded: { norm: nodeLabel(norm), into: [label], how: "before" },
		apply() {
			storeWeights(graph, changed);
			for (const { node: step, input } of steps) {
				const constant = step.input[1 - input];
				graph.bypass(step, input);
				graph.removeUnread(constant);
			}
			takeOut(graph, norm);
		},
	};
}

/** Scale and shift as the linear node's outputs see them, and the constant steps on the way, which go into it too. */
function alongPath(
	graph: OnnxGraph,
	path: readonly NodeProto[],
	rank: number,
	outputs: number,
	affine: Affine,
	label: string,
) {
	// How many axes each node's input has, from the linear node on.
	const ranks: number[] = [];
	let axes = rank;
	for (const node of [...path].reverse()) {
		ranks.unshift(axes);
		const passage = passageOf(graph, node);
		if (passage === "join") axes = 2;
		else if (passage === "split") axes = splitSize(graph, node).rank;
	}
	let moved = affine;
	const steps: { node: NodeProto; input: number }[] = [];
	for (const [i, node] of path.entries()) {
		const channels = moved.scale.length;
		const passage = passageOf(graph, node);
		if (passage === "split") {
			const { channels: made, elements } = splitSize(graph, node);
			demand(
				ranks[i] === 2 && made === channels && elements === outputs,
				() => `${nodeLabel(node)} mixes the channels of ${label}`,
			);
			moved = repeatChannels(moved, outputs / channels);
		} else if (passage === null) {
			const step = constantStep(graph, node, ranks[i], channels);
			demand(step, () => `the constant of ${nodeLabel(node)} is not one value a channel`);
			moved = throughStep(step, moved);
			steps.push(step);
		}
	}
	demand(moved.scale.length === outputs, () => `it has ${moved.scale.length} channels, ${label} makes ${outputs}`);
	return { affine: moved, steps };
}

function checkAnnotations(graph: OnnxGraph, { node, label, output }: LinearNode): void {
	for (const name of [...node.input.slice(1), ...node.output, output]) checkPlain(graph, name, label);
}

/** Two norms in a row are one: the first one's statistics stay, its scale and shift become those of both. */
function intoNorm(
	graph: OnnxGraph,
	norm: NodeProto,
	inner: NodeProto,
	path: readonly NodeProto[],
	affine: Affine,
): Change {
	const label = nodeLabel(inner);
	demand(
		path.every((node) => passageOf(graph, node) === "same"),
		() => `${label} makes its input, with ${path.map(nodeLabel).join(", ")} between`,
	);
	const reason = attempt(() => affineOfNode(graph, inner));
	demand(typeof reason !== "string", () => `${label} before it: ${reason}`);
	const [scale, shift] = ["scale", "shift"].map((what, i) => floatConstant(graph, inner.input[i + 1], `its ${what}`));
	const values = (tensor: typeof scale) => Float64Array.from(numbersOf(tensor).data);
	const both = compose(affine, { scale: values(scale), shift: values(shift) });
	const stored = [inType(scale.type, scale.shape, both.scale), inType(shift.type, shift.shape, both.shift)];
	demand(
		both.scale.length === affine.scale.length &&
			stored.every(({ data }) => Array.prototype.every.call(data, Number.isFinite)),
		() => `${label} cannot hold both`,
	);
	return {
		folded: { norm: nodeLabel(norm), into: [label], how: "norm" },
		apply() {
			for (const [i, tensor] of stored.entries()) storeInput(graph, inner, i + 1, tensor, inner.input[i + 1]);
			takeOut(graph, norm);
		},
	};
}

/** Into all the linear nodes that read what the norm makes. */
function planBehind(graph: OnnxGraph, norm: NodeProto, affine: Affine): Change {
	const changes = readersOf(graph, norm).map(({ linear, joined, value }) => {
		checkAnnotations(graph, linear);
		return scaledInputs(graph, linear, affine, joined, value);
	});
	return {
		folded: { norm: nodeLabel(norm), into: changes.map(({ linear }) => linear.label), how: "behind" },
		apply() {
			for (const change of changes) storeWeights(graph, change);
			takeOut(graph, norm);
		},
	};
}

interface Reader {
	readonly linear: LinearNode;
	/** Whether each channel's elements have become channels of their own on the way. */
	readonly joined: boolean;
	/** What the node reads. */
	readonly value: string;
}

function readersOf(graph: OnnxGraph, norm: NodeProto): Reader[] {
	const found: Reader[] = [];
	const pending = [{ value: norm.output[0], joined: false, what: nodeLabel(norm) }];
	for (let next = pending.pop(); next; next = pending.pop()) {
		const { value, joined, what } = next;
		checkPrivate(graph, value, what);
		const uses = graph.consumers(value);
		demand(uses.length > 0, () => `nothing reads the output of ${what}`);
		for (const { node, input } of uses) {
			const name = nodeLabel(node);
			demand(
				input === 0 && uses.every((use) => use.node !== node || use.input === 0),
				() => `${name} reads it, which cannot take it`,
			);
			const linear = linearReading(graph, node);
			if (linear) {
				found.push({ linear, joined, value });
				continue;
			}
			const passage = passageOf(graph, node);
			demand(passage === "same" || (passage === "join" && !joined), () => `${name} reads it, which cannot take it`);
			pending.push({ value: node.output[0], joined: joined || passage === "join", what: name });
		}
	}
	return found;
}

function scaledInputs(
	graph: OnnxGraph,
	linear: LinearNode,
	affine: Affine,
	joined: boolean,
	value: string,
): NewWeights {
	const { node, label, layout } = linear;
	const { inputs } = channelsOf(layout);
	const channels = affine.scale.length;
	checkAxis(graph, node, label, joined, value);
	demand(
		inputs === channels || (joined && inputs % channels === 0),
		() => `${label} reads ${inputs} channels, not ${channels}`,
	);
	const moved = repeatChannels(affine, inputs / channels);
	const problem = keepsZero(moved) ? null : shiftProblem(linear);
	demand(problem === null, () => `${label}: ${problem}`);
	const weight = numbersOf(linear.weight).data;
	const added = outputsOf(weight, layout, moved.shift);
	const bias = linear.bias.map((old, o) => old + linear.gain * added[o]);
	return newWeights(linear, scaleInputs(weight, layout, moved.scale), bias);
}

/** Makes sure that the channels are at the axis over which a product sums. */
function checkAxis(graph: OnnxGraph, node: NodeProto, label: string, joined: boolean, value: string): void {
	if (node.opType === "Gemm") {
		const transposed = node.attribute.some(({ name, i }) => name === "transA" && i !== 0n);
		demand(!transposed, () => `${label} reads it transposed, and sums over examples`);
	}
	if (node.opType !== "MatMul" || joined) return;
	const rank = rankOf(graph, value);
	demand(rank !== null, () => `it is not known how many axes ${label} reads: the channels may not be at the last`);
	demand(rank === 2, () => `it normalizes axis 1 of ${rank}, and ${label} sums over the last one`);
}
