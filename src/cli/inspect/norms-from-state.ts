// The norms of a network of which only the weights are known: by their names and shapes, as PyTorch writes them.

import { BatchNorm2d } from "../../nn/layers/batch-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import type { StateEntry } from "../../nn/load-state.ts";
import { Module } from "../../nn/module.ts";

/** The norms of a network that is not known, under their paths, in no order of running. */
export class Norms extends Module {
	readonly #norms: readonly [string, Module][];

	constructor(norms: readonly [string, Module][]) {
		super();
		this.#norms = norms;
	}

	override *namedChildren(): Generator<[string, Module]> {
		yield* this.#norms;
	}

	override forward(): never {
		throw new TypeError("the network is not known, only its norms are");
	}
}

/**
 * What has running statistics is a batch norm; what has a vector for weight and a bias alike, another
 * norm, shown as LayerNorm.
 */
export function normsFromState(tensors: Readonly<Record<string, StateEntry>>): Module {
	const norms: [string, Module][] = [];
	const prefixes = new Set(Object.keys(tensors).map((name) => name.slice(0, Math.max(0, name.lastIndexOf(".")))));
	for (const prefix of prefixes) {
		const own = (name: string) => tensors[prefix === "" ? name : `${prefix}.${name}`];
		const made = makeNorm(own);
		if (!made) continue;
		const names = Object.keys(made.stateDict());
		const entries = names.flatMap((name): [string, StateEntry][] => {
			const entry = own(name);
			return entry ? [[name, entry]] : [];
		});
		made.loadStateDict(Object.fromEntries(entries), { strict: false });
		norms.push([prefix, made]);
	}
	return new Norms(norms);
}

function makeNorm(own: (name: string) => StateEntry | undefined): Module | null {
	const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(own);
	if (mean && variance && mean.shape.length === 1) {
		return new BatchNorm2d(mean.shape[0], { affine: weight !== undefined, bias: bias !== undefined });
	}
	if (weight?.shape.length === 1 && bias?.shape.length === 1) return new LayerNorm(weight.shape[0]);
	return null;
}
