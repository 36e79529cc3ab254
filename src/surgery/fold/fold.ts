// fold: batch normalizations by fixed statistics go into the weights of the layers next to them.

import { check, EvenkeelError } from "../../errors.ts";
import { Sequential } from "../../nn/containers.ts";
import { Identity } from "../../nn/layers/shape.ts";
import type { Module } from "../../nn/module.ts";
import { messageOf } from "../../node.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { placesOf } from "../replace-module.ts";
import { type Difference, differenceOf } from "./difference.ts";
import { setParameters } from "./layers.ts";
import { type Change, type FoldableNorm, isFoldableNorm, planFor } from "./plan.ts";
import type { FoldedNorm, FoldReport, LeftNorm } from "./report.ts";
import { type Trace, traceOf } from "./trace.ts";

export interface FoldOptions {
	/** How far the outputs may move, as a share of the largest of them. Default 1e-3; float32 rounding takes about 1e-6. */
	tolerance?: number;
	/**
	 * Leave an Identity in the place of each norm, so that the other layers of a Sequential keep their numbers and with
	 * them their names in the state dict. Default false: a Sequential closes up, and has the names of one built without
	 * norms. Norms that are properties of a module of your own always leave an Identity.
	 */
	keepNames?: boolean;
}

/** What {@link fold} did. */
export interface NetworkFoldReport extends FoldReport {
	/** Layers without children, before and after; what passes its input on does not count. */
	readonly layers: { readonly before: number; readonly after: number };
	/** How far the output for the example is from what it was. */
	readonly difference: Difference;
}

/**
 * Folds the batch normalizations (and FrozenAffine layers) of `net` into the convolutions and linear layers next to them, in place, for
 * evaluation:
 *
 *     scale = weight / sqrt(runningVar + eps),  shift = bias - runningMean scale
 *     behind a layer:    W' = scale W (an output channel at a time),  b' = scale b + shift
 *     in front of one:   W' = W scale (an input channel at a time),   b' = b + W shift
 *
 * What reads what is found by running `net` on the example `x`, every op of it, so any forward method will do. A norm
 * stays where folding it would change what the network computes, or what somebody sees of it: where its neighbor's
 * output is also read elsewhere, returned or hooked, where the neighbor runs twice, or pads with zeros that a shift
 * would have to reach. The report says why. Computed in float64, stored in float32.
 *
 * The network is in evaluation mode from then on; training it further trains another parametrization.
 *
 * @param x an example to run on, or one for each of forward's arguments; one row of any values, but the way through the network
 *   must be that of all examples
 * @returns what was folded, what was left and why, and how far the output for `x` has moved
 * @throws EvenkeelError if the network does not run on `x`, or if its output moves by more than `tolerance`; it is then
 *   as it was
 */
export function fold(net: Module, x: Tensor | readonly Tensor[], options: FoldOptions = {}): NetworkFoldReport {
	const { tolerance = 1e-3, keepNames = false } = options;
	check(tolerance >= 0, () => `fold: tolerance must be at least 0, got ${tolerance}`);
	const inputs = "isEvenkeelTensor" in x ? [x] : x;
	const modes = net.modules().map((module): [Module, boolean] => [module, module.training]);
	const restoreModes = () => {
		for (const [module, mode] of modes) module.training = mode;
	};
	const undo: (() => void)[] = [restoreModes];
	net.eval();
	try {
		return foldRounds(net, inputs, { tolerance, keepNames }, undo);
	} catch (error) {
		for (const step of undo.reverse()) step();
		throw error;
	}
}

function foldRounds(
	net: Module,
	inputs: readonly Tensor[],
	{ tolerance, keepNames }: Required<FoldOptions>,
	undo: (() => void)[],
): NetworkFoldReport {
	const before = countLayers(net);
	const first = traceOf(net, inputs);
	const folded: FoldedNorm[] = [];
	let trace = first;
	for (;;) {
		const { changes, left } = planRound(net, trace);
		if (changes.length === 0) {
			const difference = differenceOf(trace.values, first.values);
			check(
				difference.relative <= tolerance,
				() =>
					`fold: the outputs move by ${difference.relative.toExponential(1)} of the largest, more than the tolerance of ` +
					`${tolerance}: statistics or weights are extreme, or forward reads the weights of a layer itself; nothing was changed`,
			);
			return { folded, left, layers: { before, after: countLayers(net) }, difference };
		}
		for (const change of changes) {
			undo.push(
				...change.parameters.map((parameters) => setParameters(parameters, parameters.layer.weight ?? inputs[0])),
			);
			undo.push(...takeOut(net, change.norm, trace, keepNames));
			folded.push(change.folded);
		}
		trace = retrace(net.eval(), inputs);
	}
}

/** Changes that do not touch the same layers: what else there is waits for the next trace. */
function planRound(net: Module, trace: Trace): { changes: Change[]; left: LeftNorm[] } {
	const changes: Change[] = [];
	const left: LeftNorm[] = [];
	const touched = new Set<Module>();
	for (const [, norm] of net.namedModules()) {
		if (!isFoldableNorm(norm)) continue;
		const plan = whyFixed(net, norm) ?? planFor(trace, norm);
		if (typeof plan === "string") {
			left.push({ norm: norm.label, reason: plan });
			continue;
		}
		const layers = [norm, ...plan.touches];
		if (layers.some((layer) => touched.has(layer))) continue;
		for (const layer of layers) touched.add(layer);
		changes.push(plan);
	}
	return { changes, left };
}

/** Why a norm cannot be taken out, whatever it stands beside; null if it can. */
function whyFixed(net: Module, norm: FoldableNorm): string | null {
	const places = placesOf(net, norm);
	if (places.length === 0) return "it is the network itself";
	const holder = places.find(({ put }) => put === null)?.parent;
	if (holder) return `${holder.label} holds it in a way of its own, in which nothing can take its place`;
	// What an imported graph returns beyond that is not to be seen in its forward.
	const several = "outputNames" in net && Array.isArray(net.outputNames) && net.outputNames.length > 1;
	return several
		? "the network has several outputs, and forward returns the first; fold the model itself, by foldOnnx"
		: null;
}

/** Takes a norm out of wherever it stands. Returns what puts it back. */
function takeOut(net: Module, norm: FoldableNorm, trace: Trace, keepNames: boolean): (() => void)[] {
	return placesOf(net, norm).map(({ parent, name, put }) => {
		// A list whose items somebody else calls by their numbers keeps them.
		if (parent instanceof Sequential && !keepNames && trace.callsOf(parent).length > 0) {
			parent.splice(Number(name), 1);
			return () => void parent.splice(Number(name), 0, norm);
		}
		put?.(new Identity());
		return () => put?.(norm);
	});
}

/** Runs the network again. It ran before, so what fails now is for want of a layer. */
function retrace(net: Module, inputs: readonly Tensor[]): Trace {
	try {
		return traceOf(net, inputs);
	} catch (error) {
		throw new EvenkeelError(
			`fold: without its norms the network does not run: ${messageOf(error)}; if it calls layers by their numbers, ` +
				"fold(net, x, { keepNames: true }) leaves an Identity in their places. Nothing was changed",
		);
	}
}

function countLayers(net: Module): number {
	return net.modules().filter((module) => !(module instanceof Identity) && module.namedChildren().next().done).length;
}
