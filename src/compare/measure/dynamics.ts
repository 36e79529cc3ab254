// What one step of gradient descent does to a network, after Santurkar et al. 2018, "How Does Batch Normalization Help
// Optimization?" (https://arxiv.org/abs/1805.11604): how far it shifts what the layers above see, and how smooth the loss
// is along it. Everything is measured on one batch from the weights as they are, which are put back afterwards.

import { backward } from "../../autograd/backward.ts";
import type { Module } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { crossEntropy } from "../../ops/loss/op.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { withoutTraces } from "../../train/diagnose.ts";
import { inMode } from "../../train/evaluate.ts";
import { activationShift, type UnitStatistics, watchActivations } from "./activations.ts";
import { angleBetween, distance, norm, rms } from "./vectors.ts";

/** One measurement. Names are those of the metrics of `compare`. */
export interface Dynamics {
	/**
	 * Internal covariate shift (definition 2.1 of the paper), relative, on average over the layers above the first:
	 * |G'_i - G_i| / |G_i|, with G_i the gradient of layer i's weights and G'_i the same after the layers below, and only
	 * they, took their step.
	 */
	readonly covariateShift: number;
	/** The angle between G'_i and G_i in degrees, on average over the same layers. */
	readonly covariateShiftAngle: number;
	/** |mean' - mean| / std of a unit's input to its activation over one step, on average over all units. */
	readonly activationShift: number;
	/** |ln(std' / std)| of the same, on average over all units. */
	readonly activationSpread: number;
	/** max L(W - s lr g) - min L(W - s lr g) over the steps s (section 3.1: the variation of the loss). */
	readonly lossRange: number;
	/** max |∇L(W - s lr g) - g| / |g| (section 3.1: gradient predictiveness, relative to the gradient). */
	readonly gradientChange: number;
	/** log10 of max |∇L(W - s lr g) - g| / |s lr g| (section 3.1: "effective" β-smoothness). */
	readonly smoothness: number;
	/** |log10(rms(g_first) / rms(g_last))|: decades by which gradients vanish, or explode, between last and first layer. */
	readonly gradientDecay: number;
	/** log10 of (|g_first| / |W_first|) / (|g_last| / |W_last|): how fast the lowest layer moves beside the highest. */
	readonly lowerRate: number;
}

/** The steps along the gradient, in learning rates: from a half to four, as in the paper. */
const steps = [0.5, 1, 2, 4] as const;

/** A batch to measure on, and the step to measure. */
export interface DynamicsOptions {
	readonly x: Tensor;
	/** Labels, int32 `[N]`. */
	readonly y: Tensor;
	/** The learning rate of the step W' = W - lr g. */
	readonly lr: number;
}

/**
 * Measures `net` with the cross entropy of one batch, in training mode. Parameters, running statistics, modes and random
 * generators are afterwards what they were; gradients are cleared. A figure that is not finite says that the step led to
 * where the loss is not.
 */
export function measureDynamics(net: Module, { x, y, lr }: DynamicsOptions): Dynamics {
	const weights = [...net.namedParameters()].map(([, parameter]) => parameter);
	const start = weights.map((parameter) => copyOf(parameter));
	const layers = weights.flatMap((parameter, index) => (parameter.ndim >= 2 ? [index] : []));
	const probe = (): Probe => probeAt(net, weights, x, y);
	try {
		return inMode(net, true, () => {
			const here = probe();
			const along = steps.map((step) => {
				move(weights, start, here.gradients, step * lr);
				return probe();
			});
			const shifts = layers.slice(1).map((layer) => {
				move(weights, start, here.gradients, lr, layer);
				return [here.gradients[layer], probe().gradients[layer]] as const;
			});
			return {
				...covariateShift(shifts),
				...activationShift(here.units, along[steps.indexOf(1)].units),
				...smoothness(here, along, lr),
				...layerRates(here.gradients, start, layers),
			};
		});
	} finally {
		move(weights, start, start, 0);
		net.zeroGrad();
	}
}

/** Loss, gradients and activations at one point. Each draws the same random numbers: dropout drops the same units. */
interface Probe {
	readonly loss: number;
	/** One a parameter. */
	readonly gradients: readonly Float64Array[];
	/** One a unit, over all activations. */
	readonly units: readonly UnitStatistics[];
}

function probeAt(net: Module, weights: readonly Parameter[], x: Tensor, y: Tensor): Probe {
	const watch = watchActivations(net);
	try {
		return withoutTraces(net, () =>
			scope(() => {
				net.zeroGrad();
				const loss = crossEntropy(net.forward(x), y);
				backward(loss);
				const gradients = weights.map(({ grad, size }) => (grad ? copyOf(grad) : new Float64Array(size)));
				return { loss: loss.item(), gradients, units: watch.units };
			}),
		);
	} finally {
		watch.stop();
	}
}

/** Sets the parameters before `end` to start - distance direction, and the others to where they started. */
function move(
	weights: readonly Parameter[],
	start: readonly Float64Array[],
	direction: readonly Float64Array[],
	distance: number,
	end = weights.length,
): void {
	for (const [index, parameter] of weights.entries()) {
		const values = parameter.view();
		const step = index < end ? distance : 0;
		for (let i = 0; i < parameter.size; i++) values[i] = start[index][i] - step * direction[index][i];
		parameter.storage.version++;
	}
}

function covariateShift(
	shifts: readonly (readonly [Float64Array, Float64Array])[],
): Pick<Dynamics, "covariateShift" | "covariateShiftAngle"> {
	const lengths = shifts.map(([before, after]) => distance([after], [before]) / norm([before]));
	const angles = shifts.map(([before, after]) => angleBetween(before, after));
	return { covariateShift: average(lengths), covariateShiftAngle: average(angles) };
}

function smoothness(
	here: Probe,
	along: readonly Probe[],
	lr: number,
): Pick<Dynamics, "lossRange" | "gradientChange" | "smoothness"> {
	const losses = along.map(({ loss }) => loss);
	const length = norm(here.gradients);
	const changes = along.map(({ gradients }) => distance(gradients, here.gradients));
	const rates = changes.map((change, i) => change / (steps[i] * lr * length));
	return {
		lossRange: Math.max(...losses) - Math.min(...losses),
		gradientChange: Math.max(...changes) / length,
		smoothness: Math.log10(Math.max(...rates)),
	};
}

function layerRates(
	gradients: readonly Float64Array[],
	start: readonly Float64Array[],
	layers: readonly number[],
): Pick<Dynamics, "gradientDecay" | "lowerRate"> {
	const [first, last] = [layers[0], layers[layers.length - 1]];
	const rate = (layer: number): number => norm([gradients[layer]]) / norm([start[layer]]);
	return {
		gradientDecay: Math.abs(Math.log10(rms(gradients[first]) / rms(gradients[last]))),
		lowerRate: Math.log10(rate(first) / rate(last)),
	};
}

function copyOf(tensor: Tensor): Float64Array {
	return Float64Array.from(tensor.view().subarray(0, tensor.size));
}

function average(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}
