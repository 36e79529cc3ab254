// The norms of a network of which only the weights are known: by their names and shapes, as PyTorch writes them.

import type { SafetensorsTensor } from "../../model-files/safetensors.ts";
import { BatchNorm2d } from "../../nn/layers/batch-norm.ts";
import { LayerNorm } from "../../nn/layers/layer-norm.ts";
import { Module } from "../../nn/module.ts";
import { tensor } from "../../ops/creation.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Norms under their paths, in no order of running. */
class Norms extends Module {
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
export function normsFromState(tensors: Readonly<Record<string, SafetensorsTensor>>): Module {
	const norms: [string, Module][] = [];
	const prefixes = new Set(Object.keys(tensors).map((name) => name.slice(0, Math.max(0, name.lastIndexOf(".")))));
	for (const prefix of prefixes) {
		const own = (name: string) => tensors[prefix === "" ? name : `${prefix}.${name}`];
		const made = makeNorm(own);
		if (!made) continue;
		scope(() => {
			const names = Object.keys(made.stateDict()).filter((name) => own(name) !== undefined);
			made.loadStateDict(
				Object.fromEntries(names.map((name) => [name, toTensor(name, own(name) as SafetensorsTensor)])),
				{ strict: false },
			);
		});
		norms.push([prefix, made]);
	}
	return new Norms(norms);
}

function makeNorm(own: (name: string) => SafetensorsTensor | undefined): Module | null {
	const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(own);
	if (mean && variance && mean.shape.length === 1) {
		return new BatchNorm2d(mean.shape[0], { affine: weight !== undefined, bias: bias !== undefined });
	}
	if (weight?.shape.length === 1 && bias?.shape.length === 1) return new LayerNorm(weight.shape[0]);
	return null;
}

/** Counts of batches are 64-bit on disk. */
export function toTensor(name: string, { data, shape }: SafetensorsTensor): Tensor {
	if (data instanceof BigInt64Array || data instanceof BigUint64Array || data instanceof Int32Array) {
		return tensor(Int32Array.from(data, Number), shape, { name, dtype: "int32" });
	}
	return tensor(Float32Array.from(data), shape, { name });
}
