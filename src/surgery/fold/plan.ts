// Which layer can take a norm: the one it reads, or all that read it. Plans only look; a Change does it.

import { isBatchNorm } from "../../nn/is-norm.ts";
import { type BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d } from "../../nn/layers/batch-norm.ts";
import { BatchRenorm1d, BatchRenorm2d, BatchRenorm3d } from "../../nn/layers/batch-renorm.ts";
import { FrozenAffine } from "../../nn/layers/frozen-affine.ts";
import { LazyBatchNorm1d, LazyBatchNorm2d, LazyBatchNorm3d } from "../../nn/layers/lazy-batch-norm.ts";
import { AdaptiveAvgPool2d, AvgPool2d } from "../../nn/layers/pool.ts";
import { SyncBatchNorm } from "../../nn/layers/sync-batch-norm.ts";
import type { Module } from "../../nn/module.ts";
import { normalizeAxis, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Affine, affineOf, compose, keepsZero, repeatChannels } from "./affine.ts";
import {
	channelAxisOf,
	checkAlone,
	checkFits,
	layerOf,
	layoutOf,
	type NewParameters,
	type RunLayer,
	shiftProblem,
} from "./layers.ts";
import { attempt, demand, refuse } from "./refusal.ts";
import { bothReasons, type FoldedNorm } from "./report.ts";
import type { Step, Trace } from "./trace.ts";
import { channelsOf, outputsOf, scaleInputs, scaleOutputs } from "./weights.ts";

/** A norm whose statistics may stand still. */
export type FoldableNorm = BatchNorm | FrozenAffine;

/** Whether `module` is a norm that folding looks at. */
export function isFoldableNorm(module: Module): module is FoldableNorm {
	return isBatchNorm(module) || module instanceof FrozenAffine;
}

/** A norm that can go, and what its neighbors become. */
export interface Change {
	readonly norm: FoldableNorm;
	readonly parameters: readonly NewParameters[];
	/** The layers that it changes. */
	readonly touches: readonly Module[];
	readonly folded: FoldedNorm;
}

/** A norm as it ran. */
interface RunNorm {
	readonly norm: FoldableNorm;
	readonly step: Step;
	readonly input: Tensor;
	readonly output: Tensor;
	readonly axis: number;
	readonly affine: Affine;
}

/** What to do with `norm`, or why nothing can be done. */
export function planFor(trace: Trace, norm: FoldableNorm): Change | string {
	const ran = attempt(() => runOf(trace, norm));
	if (typeof ran === "string") return ran;
	const before = attempt(() => planBefore(trace, ran));
	if (typeof before !== "string") return before;
	const behind = attempt(() => planBehind(trace, ran));
	return typeof behind === "string" ? bothReasons(before, behind) : behind;
}

const foldable = [
	...[BatchNorm1d, BatchNorm2d, BatchNorm3d, LazyBatchNorm1d, LazyBatchNorm2d, LazyBatchNorm3d],
	...[BatchRenorm1d, BatchRenorm2d, BatchRenorm3d, SyncBatchNorm, FrozenAffine],
];

function runOf(trace: Trace, norm: FoldableNorm): RunNorm {
	demand(
		foldable.some((one) => norm instanceof one),
		"what it normalizes by depends on the example, also in evaluation",
	);
	const { runningMean, runningVar, weight, bias, eps } = norm;
	demand(
		runningMean && runningVar,
		"it has no running statistics (trackRunningStats: false): it normalizes by those of the batch, also in evaluation",
	);
	const calls = trace.callsOf(norm);
	demand(calls.length > 0, "it did not run: the network calls it in a way of its own, or not at all");
	demand(calls.length === 1, `it is called ${calls.length} times`);
	const [{ input, output }] = calls;
	const step = trace.maker(output);
	demand(step?.name === "batchNorm" && step.inputs[0] === input, "it computes more than batch normalization");
	const values = (tensor: Tensor) => tensor.view().subarray(0, tensor.size);
	const affine = affineOf({
		weight: weight && Float64Array.from(values(weight)),
		bias: bias && Float64Array.from(values(bias)),
		mean: Float64Array.from(values(runningMean)),
		variance: values(runningVar),
		eps,
	});
	return { norm, step, input, output, axis: normalizeAxis(norm.channelAxis, input.ndim, norm.label), affine };
}

/** How errors name what made, or reads, a value: the layer, or else the op. */
function nameOf(trace: Trace, { output, name }: Step): string {
	const call = trace.calls.find((one) => one.output === output && one.module.namedChildren().next().done);
	return call?.module.label ?? `the function ${name}`;
}

/** Makes sure that nobody but `reader` would notice if `value` were another. */
function checkUnseen(trace: Trace, value: Tensor, reader: Step, what: string): void {
	const other = trace.readers(value).find((step) => step !== reader);
	if (other) refuse(`the output of ${what} is also read by ${nameOf(trace, other)}`);
	demand(reader.inputs.filter((one) => one === value).length === 1, () => `the output of ${what} is read twice`);
	checkPrivate(trace, value, what);
}

function checkPrivate(trace: Trace, value: Tensor, what: string): void {
	demand(!trace.isReturned(value), () => `the network also returns the output of ${what}`);
	demand(!trace.isObserved(value), () => `a forward hook looks at the output of ${what}`);
	demand(trace.aliasReaders(value).length === 0, () => `the output of ${what} is also read after detach()`);
}

/** Into the layer that makes what the norm reads; averaging and reshaping may lie between. */
function planBefore(trace: Trace, { norm, step, input, axis, affine }: RunNorm): Change {
	let value = input;
	let reader = step;
	let moved = affine;
	for (;;) {
		const maker = trace.maker(value);
		demand(maker, "it reads the network's input");
		const what = nameOf(trace, maker);
		checkUnseen(trace, value, reader, what);
		const host = layerOf(trace, maker);
		if (host) return intoBefore(trace, norm, host, value, axis, moved);
		const inner = innerNorm(trace, maker);
		if (inner && value === input) return intoNorm(trace, norm, inner, axis, affine);
		moved =
			passed(trace, maker, moved, axis, "before") ??
			refuse(`${what} makes its input, which is no layer that can take it`);
		[value, reader] = [maker.inputs[0], maker];
	}
}

function intoBefore(
	trace: Trace,
	norm: FoldableNorm,
	host: RunLayer,
	value: Tensor,
	axis: number,
	affine: Affine,
): Change {
	const { layer } = host;
	demand(
		axis === channelAxisOf(layer, value),
		() =>
			`it normalizes axis ${axis} of what ${layer.label} makes, whose channels are at axis ${channelAxisOf(layer, value)}`,
	);
	const layout = layoutOf(layer);
	const { outputs } = channelsOf(layout);
	demand(
		affine.scale.length === outputs,
		() => `it has ${affine.scale.length} channels, ${layer.label} makes ${outputs}`,
	);
	checkAlone(trace, host);
	const old = layer.bias?.view();
	const changed: NewParameters = {
		layer,
		weight: scaleOutputs(layer.weight.view().subarray(0, layer.weight.size), layout, affine.scale),
		bias: affine.shift.map((shift, o) => affine.scale[o] * (old?.[o] ?? 0) + shift),
	};
	checkFits(changed);
	const folded = { norm: norm.label, into: [layer.label], how: "before" } as const;
	return { norm, parameters: [changed], touches: [layer], folded };
}

/** The norm that is all of what made a value. */
function innerNorm(trace: Trace, maker: Step): RunNorm | null {
	for (const { module, output } of trace.calls) {
		if (output !== maker.output || !isFoldableNorm(module)) continue;
		const ran = attempt(() => runOf(trace, module));
		if (typeof ran !== "string") return ran;
	}
	return null;
}

/** Two norms in a row are one: the inner one's statistics stay, its scale and shift become those of both. */
function intoNorm(trace: Trace, norm: FoldableNorm, inner: RunNorm, axis: number, affine: Affine): Change {
	const layer = inner.norm;
	const { weight, bias, label } = layer;
	demand(!(layer instanceof FrozenAffine), () => `${label} makes its input, whose numbers are fixed`);
	demand(axis === inner.axis, () => `it normalizes axis ${axis}, and ${label} before it axis ${inner.axis}`);
	for (const parameter of [weight, bias]) {
		const others = parameter ? trace.readers(parameter).filter((step) => step !== inner.step) : [];
		demand(others.length === 0, () => `${label} shares its parameters`);
	}
	const size = affine.scale.length;
	const own = { scale: valuesOr(weight, 1, size), shift: valuesOr(bias, 0, size) };
	const both = compose(affine, own);
	const changed: NewParameters = { layer, weight: both.scale, bias: both.shift };
	checkFits(changed);
	return {
		norm,
		parameters: [changed],
		touches: [layer],
		folded: { norm: norm.label, into: [label], how: "norm" },
	};
}

function valuesOr(parameter: Tensor | null, missing: number, size: number): Float64Array {
	return parameter ? Float64Array.from(parameter.view().subarray(0, size)) : new Float64Array(size).fill(missing);
}

/** Into all the layers that read the norm's output. */
function planBehind(trace: Trace, { norm, output, axis, affine }: RunNorm): Change {
	const found: { host: RunLayer; affine: Affine }[] = [];
	findReaders(trace, output, norm.label, axis, affine, found);
	const parameters = found.map(({ host, affine: moved }) => intoBehind(trace, host, moved));
	const layers = found.map(({ host }) => host.layer);
	return {
		norm,
		parameters,
		touches: layers,
		folded: { norm: norm.label, into: layers.map(({ label }) => label), how: "behind" },
	};
}

/** Collects the layers that read `value`, through averages and reshapes, each with the scale and shift as it sees them. */
function findReaders(
	trace: Trace,
	value: Tensor,
	what: string,
	axis: number,
	affine: Affine,
	found: { host: RunLayer; affine: Affine }[],
): void {
	checkPrivate(trace, value, what);
	const readers = trace.readers(value);
	demand(readers.length > 0, () => `nothing reads the output of ${what}`);
	for (const step of readers) {
		const name = nameOf(trace, step);
		const host = layerOf(trace, step);
		demand(
			!host || axis === channelAxisOf(host.layer, value),
			() => `it normalizes axis ${axis}, and ${name} reads another`,
		);
		if (host) {
			found.push({ host, affine });
			continue;
		}
		const moved = step.inputs.length === 1 ? passed(trace, step, affine, axis, "behind") : null;
		findReaders(
			trace,
			step.output,
			name,
			axis,
			moved ?? refuse(`${name} reads it, which is no layer that can take it`),
			found,
		);
	}
}

function intoBehind(trace: Trace, host: RunLayer, affine: Affine): NewParameters {
	const { layer } = host;
	const layout = layoutOf(layer);
	const { inputs } = channelsOf(layout);
	demand(affine.scale.length === inputs, () => `${layer.label} reads ${inputs} channels, not ${affine.scale.length}`);
	const problem = keepsZero(affine) ? null : shiftProblem(host);
	demand(problem === null, () => `${layer.label}: ${problem}`);
	checkAlone(trace, host);
	const old = layer.bias?.view();
	const weight = layer.weight.view().subarray(0, layer.weight.size);
	const changed: NewParameters = {
		layer,
		weight: scaleInputs(weight, layout, affine.scale),
		bias: outputsOf(weight, layout, affine.shift).map((shift, o) => (old?.[o] ?? 0) + shift),
	};
	checkFits(changed);
	return changed;
}

/**
 * Scale and shift on the other side of an op that leaves channels apart: an average of pixels, or a reshape that joins
 * or splits each channel's own. Null for others.
 */
function passed(trace: Trace, step: Step, affine: Affine, axis: number, side: "before" | "behind"): Affine | null {
	if (axis !== 1) return null;
	if (step.name === "avgPool") return isPlainAverage(trace, step) ? affine : null;
	if (step.name !== "reshape") return null;
	const [near, far] = side === "before" ? [step.output, step.inputs[0]] : [step.inputs[0], step.output];
	if (near.ndim < 2 || far.ndim < 2 || near.shape[0] !== far.shape[0] || near.shape[1] !== affine.scale.length)
		return null;
	// How many elements of an example each channel holds; a channel of the other side must not span two of these.
	const [ours, theirs] = [sizeOf(near.shape.slice(2)), sizeOf(far.shape.slice(2))];
	return ours % theirs === 0 ? repeatChannels(affine, ours / theirs) : null;
}

/** Whether a pool averages pixels of the input alone, no zeros around it. */
function isPlainAverage(trace: Trace, step: Step): boolean {
	const pool = trace.calls.find(({ output, input }) => output === step.output && input === step.inputs[0])?.module;
	if (pool instanceof AdaptiveAvgPool2d) return true;
	if (!(pool instanceof AvgPool2d)) return false;
	const { padding = 0, countIncludePad = true } = pool.options;
	return !countIncludePad || [padding].flat().every((zeros) => zeros === 0);
}
