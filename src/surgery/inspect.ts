// What is wrong, or will go wrong, with the normalization of a network: each finding names the layer,
// the evidence and the remedy.

import { check } from "../errors.ts";
import { isNorm } from "../nn/is-norm.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { declaredOrder, observedOrder, type PlacedLayer } from "./layer-order.ts";
import { observeNorms } from "./observe.ts";
import { placementFindings } from "./placement-rules.ts";
import { stateFindings } from "./state-rules.ts";

/** What a finding is about. */
export type FindingKind =
	| "small-batch"
	| "norm-before-dropout"
	| "dropout-before-norm"
	| "bias-before-norm"
	| "decayed-norm"
	| "frozen-but-training"
	| "not-finite"
	| "never-updated"
	| "statistics-far"
	| "dead-channels"
	| "exploding-channels"
	| "eps-near-variance"
	| "training-in-file";

export interface Finding {
	/** The layer's path in the network, `"features.1"`. */
	readonly layer: string;
	readonly kind: FindingKind;
	/** What was seen, with numbers. */
	readonly evidence: string;
	/** What to do about it. */
	readonly remedy: string;
	/** `"error"`: results are wrong now. `"warning"`: likely to hurt. `"info"`: harmless, could be better. */
	readonly severity: "error" | "warning" | "info";
}

/** Whatever has parameter groups with weight decay, such as SGD and AdamW. */
export interface HasDecay {
	readonly paramGroups: readonly object[];
}

export interface InspectOptions {
	/** The batch size it is, or will be, trained with: over all replicas. */
	batchSize: number;
	/** Among how many replicas a batch is split, each with statistics of its own. Default 1. */
	replicas?: number;
	/** Batches of inputs: shows whether the running statistics fit them, and which channels are dead. */
	data?: Tensor | Iterable<Tensor>;
	/**
	 * An input, of any values, where there is no `data`: the network is run on it to see which layer reads what. Without
	 * either, that is known of the layers in a Sequential alone.
	 */
	example?: Tensor;
	/** The optimizer: shows whether scales and shifts decay. */
	optimizer?: HasDecay;
	/** Whether the network has been trained; of one that has not, running statistics say nothing. Default true. */
	trained?: boolean;
}

/** What the rules are given. */
export interface InspectContext extends Omit<InspectOptions, "data" | "example"> {
	readonly replicas: number;
	readonly trained: boolean;
}

/**
 * Looks for what goes wrong with normalization in practice: batches too small for their statistics, norms beside
 * dropout, biases that a norm cancels, decaying scales, parameters that are frozen while statistics move, NaN, running
 * statistics never updated or far from those of the data, channels dead or exploding, eps close to the variance.
 *
 * The network is run in evaluation mode where `data` is given, and is left as it was.
 *
 * @returns findings in the order of the layers; none for a network that is sound
 * @throws EvenkeelError if batchSize or replicas is no whole number of at least 1, or data has no examples
 */
export function inspectNorms(net: Module, options: InspectOptions): Finding[] {
	const { batchSize, replicas = 1, data, example, optimizer, trained = true } = options;
	for (const [name, value] of Object.entries({ batchSize, replicas })) {
		check(
			Number.isInteger(value) && value >= 1,
			() => `inspectNorms: ${name} must be a whole number of at least 1, got ${value}`,
		);
	}
	const { layers, observed } = data
		? observeNorms(net, withRows("isEvenkeelTensor" in data ? [data] : data))
		: { layers: example ? runOrder(net, example) : declaredOrder(net), observed: new Map<Module, never>() };
	const context = { batchSize, replicas, optimizer, trained };
	const place = new Map(layers.map(({ module }, index) => [module, index]));
	const findings = [
		...placementFindings(layers, context),
		...layers.flatMap((layer) => {
			const next = layers.filter(({ input }) => input === layer).map(({ module }) => module);
			return isNorm(layer.module)
				? stateFindings(layer.name, layer.module, observed.get(layer.module) ?? null, next, trained)
				: [];
		}),
	];
	const order = new Map([...net.namedModules()].map(([name, module]) => [name, place.get(module) ?? -1]));
	return findings.sort((a, b) => (order.get(a.layer) ?? -1) - (order.get(b.layer) ?? -1));
}

/** The batches that have examples; throws at the end if none has. */
function* withRows(batches: Iterable<Tensor>): Generator<Tensor> {
	let none = true;
	for (const batch of batches) {
		if (batch.shape[0] === 0) continue;
		none = false;
		yield batch;
	}
	check(!none, "inspectNorms: the data has no examples; give it some, or leave data out");
}

/** The layers in the order in which they run; those that did not run last. */
function runOrder(net: Module, example: Tensor): PlacedLayer[] {
	const ran = observedOrder(net, [example], () => {});
	const seen = new Set(ran.map(({ module }) => module));
	const others = declaredOrder(net).filter(({ module }) => !seen.has(module));
	return [...ran, ...others.map((layer) => ({ ...layer, input: null }))];
}
