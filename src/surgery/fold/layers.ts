// The layers that can take a scale and a shift: those that are linear in their input.

import { withBackend } from "../../backend/backend.ts";
import { Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d } from "../../nn/layers/conv.ts";
import { Linear } from "../../nn/layers/linear.ts";
import type { Module } from "../../nn/module.ts";
import { Parameter } from "../../nn/parameter.ts";
import type { ConvAttrs } from "../../ops/conv/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { demand } from "./refusal.ts";
import type { Step, Trace } from "./trace.ts";
import { tapsOf, type WeightLayout } from "./weights.ts";

/** A layer with `y = W x + b`. */
export type LinearLayer = Conv1d | Conv2d | ConvTranspose1d | ConvTranspose2d | Linear;

const classes = [Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Linear];

export function isLinearLayer(module: Module): module is LinearLayer {
	return classes.some((one) => module instanceof one);
}

/** A layer as it ran. */
export interface RunLayer {
	readonly layer: LinearLayer;
	readonly step: Step;
}

/** The layer that computed `step`: its own weight times its own input, and nothing else. */
export function layerOf(trace: Trace, step: Step): RunLayer | null {
	const ran = trace.calls.find(({ module, input, output }) => {
		if (!isLinearLayer(module) || output !== step.output || input !== step.inputs[0]) return false;
		return module.weight === step.inputs[1] && module.bias === (step.inputs[2] ?? null);
	});
	return ran && isLinearLayer(ran.module) ? { layer: ran.module, step } : null;
}

export function layoutOf(layer: LinearLayer): WeightLayout {
	const { shape } = layer.weight;
	if (layer instanceof Linear) return { first: "outputs", shape, groups: 1 };
	const transposed = layer instanceof ConvTranspose1d || layer instanceof ConvTranspose2d;
	return { first: transposed ? "inputs" : "outputs", shape, groups: layer.options.groups ?? 1 };
}

/** Where the layer's channels are, in what it reads and in what it returns. */
export function channelAxisOf(layer: LinearLayer, value: Tensor): number {
	return layer instanceof Linear ? value.ndim - 1 : 1;
}

/** Why what reads a shift of its input does not give the same everywhere; null if it does. */
export function shiftProblem({ layer, step }: RunLayer): string | null {
	if (layer instanceof Linear) return null;
	const { attrs } = step;
	if (!isConvAttrs(attrs)) return "its padding is not known";
	if (layer instanceof ConvTranspose1d || layer instanceof ConvTranspose2d) {
		const dense = tapsOf(layoutOf(layer)) === 1 && attrs.stride.every((step) => step === 1);
		return dense
			? null
			: "it is transposed, so a shift of its input reaches each pixel through another number of weights";
	}
	const padded = attrs.padding.some((side) => side.some((zeros) => zeros > 0));
	return padded ? "it pads with zeros, which the norm's shift would have to reach" : null;
}

function isConvAttrs(attrs: unknown): attrs is ConvAttrs {
	return typeof attrs === "object" && attrs !== null && "padding" in attrs && "stride" in attrs;
}

/**
 * Makes sure that other weights in `layer` change nothing but this one call of it.
 *
 * @throws Refusal
 */
export function checkAlone(trace: Trace, { layer, step }: RunLayer): void {
	demand(trace.callsOf(layer).length === 1, () => `${layer.label} is called more than once`);
	for (const name of ["weight", "bias"] as const) {
		const parameter = layer[name];
		if (!parameter) continue;
		for (const other of trace.readers(parameter)) {
			// Another layer that shares the parameter keeps the old one; a function would find the new.
			demand(
				other === step || layerOf(trace, other) !== null,
				() => `the ${name} of ${layer.label} is also read by ${other.name}, outside of that layer`,
			);
		}
	}
}

/** What a layer's parameters become. */
export interface NewParameters {
	readonly layer: { weight: Parameter | null; bias: Parameter | null; readonly label: string };
	readonly weight: Float64Array;
	readonly bias: Float64Array;
}

/**
 * Makes sure that the new values fit into float32.
 *
 * @throws Refusal
 */
export function checkFits({ layer, weight, bias }: NewParameters): void {
	const fits = (values: Float64Array) => values.every((value) => Number.isFinite(Math.fround(value)));
	demand(fits(weight) && fits(bias), () => `weights of ${layer.label} would be too large for float32`);
}

/**
 * Gives a layer other parameters; those it had stay as they are, for whoever shares them. Returns what undoes it.
 *
 * @param like what the new ones are like: trained or not, and on which backend
 */
export function setParameters({ layer, weight, bias }: NewParameters, like: Tensor): () => void {
	const { weight: oldWeight, bias: oldBias } = layer;
	const trained = oldWeight?.requiresGrad ?? true;
	const make = (values: Float64Array, shape: readonly number[], name: string) => {
		const parameter = withBackend(like.backend, () => new Parameter(shape, name));
		parameter.view().set(values);
		return parameter.setRequiresGrad(trained);
	};
	layer.weight = make(weight, oldWeight?.shape ?? [weight.length], "weight");
	layer.bias = make(bias, [bias.length], "bias");
	return () => {
		layer.weight = oldWeight;
		layer.bias = oldBias;
	};
}
