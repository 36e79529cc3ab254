// Findings about what a norm has learned and tracked.

import { isBatchNorm, type NormLayer } from "../nn/is-norm.ts";
import { ReLU } from "../nn/layers/activation.ts";
import type { BatchNorm } from "../nn/layers/batch-norm.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Finding } from "./inspect.ts";
import type { Observed } from "./observe.ts";
import { movesWhileFrozen } from "./placement-rules.ts";

/** A running mean is far from the data's beyond so many running deviations, … */
const FAR_MEAN = 1;
/** … a running variance if one is so many times the other. */
const FAR_VARIANCE = 4;
/** This share of the channels, and at least one, must be far off: single ones wander. */
const FAR_SHARE = 0.1;
/** Below this many values a channel the data say too little. */
const ENOUGH = 64;
/** A scale this much smaller than the typical one lets nothing through. */
const DEAD_SCALE = 1e-4;
const EXPLODING_SCALE = 1e2;
const EXPLODING_VARIANCE = 1e6;

/** Findings from parameters, running statistics and, where there are data, what was observed. */
export function stateFindings(
	layer: string,
	module: NormLayer,
	observed: Observed | null,
	next: readonly Module[],
	trained: boolean,
): Finding[] {
	const findings: (Omit<Finding, "layer"> | null)[] = [];
	const broken = notFinite(module);
	findings.push(broken);
	if (isBatchNorm(module)) {
		findings.push(frozenButTraining(module));
		if (trained && !broken) findings.push(...trackedFindings(module, observed));
	}
	const scale = trained && module.weight ? numbers(module.weight) : [];
	const variance = trained && isBatchNorm(module) && module.runningVar ? numbers(module.runningVar) : [];
	findings.push(dead(module, scale, observed, next), exploding(scale, variance));
	return findings.filter((finding) => finding !== null).map((finding) => ({ layer, ...finding }));
}

const numbers = (tensor: Tensor) => Array.from(tensor.view().subarray(0, tensor.size));

/** Three significant digits; small and large numbers with an exponent. */
function short(value: number): string {
	const rounded = Number(value.toPrecision(3));
	const size = Math.abs(rounded);
	return size > 0 && (size < 1e-3 || size >= 1e6) ? rounded.toExponential() : String(rounded);
}

/** NaN, infinity or a variance without a root in what a norm has learned or tracked: its output is no number either. */
function notFinite(module: NormLayer): Omit<Finding, "layer"> | null {
	const held = { weight: "scale", bias: "shift", runningMean: "running mean", runningVar: "running variance" };
	const parts = Object.entries(held).flatMap(([property, name]) => {
		const tensor: Tensor | null = Reflect.get(module, property) ?? null;
		const values = tensor ? numbers(tensor) : [];
		const bad = values.filter((v) => !Number.isFinite(v));
		return bad.length > 0 ? [`the ${name} is ${bad[0]} in ${bad.length} of ${values.length} channels`] : [];
	});
	if (isBatchNorm(module) && module.runningVar) {
		const variance = numbers(module.runningVar);
		const bad = variance.filter((v) => Number.isFinite(v) && v + module.eps <= 0);
		if (bad.length > 0)
			parts.push(
				`the running variance is ${short(Math.min(...bad))} in ${bad.length} of ${variance.length} channels, ` +
					`which with eps ${short(module.eps)} has no square root to divide by`,
			);
	}
	if (parts.length === 0) return null;
	const learned = parts.some((part) => part.startsWith("the s"));
	return {
		kind: "not-finite",
		evidence: parts.join("; "),
		remedy: learned
			? "go back to an earlier checkpoint, and train on with a smaller learning rate or clipGradNorm"
			: "re-estimate the running statistics on training data: recalibrate(net, data)",
		severity: "error",
	};
}

function frozenButTraining(module: BatchNorm): Omit<Finding, "layer"> | null {
	if (!movesWhileFrozen(module)) return null;
	return {
		kind: "frozen-but-training",
		evidence: "its parameters want no gradient, yet in training mode its running statistics still move",
		remedy: "freeze() it, or freezeNorms(net): that holds the statistics too, and train() does not undo it",
		severity: "warning",
	};
}

/** What the running statistics show. */
function trackedFindings(module: BatchNorm, observed: Observed | null): (Omit<Finding, "layer"> | null)[] {
	const { runningMean, runningVar, eps } = module;
	if (!runningMean || !runningVar) return [];
	const mean = numbers(runningMean);
	const variance = numbers(runningVar);
	if (mean.every((v) => v === 0) && variance.every((v) => v === 1)) {
		return [
			{
				kind: "never-updated",
				evidence: "the running mean is 0 and the running variance 1 in every channel, as they start",
				remedy: "train in training mode (net.train()), or re-estimate the statistics on training data",
				severity: "error",
			},
		];
	}
	return [far(mean, variance, eps, observed), epsNear(variance, eps)];
}

function far(
	mean: readonly number[],
	variance: readonly number[],
	eps: number,
	observed: Observed | null,
): Omit<Finding, "layer"> | null {
	if (!observed || observed.count < ENOUGH) return null;
	let worst = 0;
	let worstAt = 0;
	let count = 0;
	for (let i = 0; i < mean.length; i++) {
		const shift = Math.abs(observed.mean[i] - mean[i]) / Math.sqrt(variance[i] + eps);
		const ratio = Math.abs(Math.log((observed.variance[i] + eps) / (variance[i] + eps)));
		// How often its limit each is; NaN, from values that are not finite, counts as far.
		const distance = Math.max(shift / FAR_MEAN, ratio / Math.log(FAR_VARIANCE));
		if (distance <= 1) continue;
		count++;
		if (distance > worst || Number.isNaN(distance)) [worst, worstAt] = [distance, i];
	}
	if (count === 0 || count < FAR_SHARE * mean.length) return null;
	const i = worstAt;
	return {
		kind: "statistics-far",
		evidence:
			`${count} of ${mean.length} channels; worst channel ${i}: running mean ${short(mean[i])}, variance ${short(variance[i])}, ` +
			`the data's ${short(observed.mean[i])} and ${short(observed.variance[i])}`,
		remedy:
			"re-estimate the running statistics on training data; check that the data is prepared as in training, and that " +
			"momentum is not too small for the length of the run",
		severity: "error",
	};
}

function epsNear(variance: readonly number[], eps: number): Omit<Finding, "layer"> | null {
	const near = variance.filter((v) => v < 10 * eps && v >= eps / 1000);
	if (near.length === 0) return null;
	return {
		kind: "eps-near-variance",
		evidence: `the running variance of ${near.length} of ${variance.length} channels is down to ${short(Math.min(...near))}, eps is ${short(eps)}`,
		remedy: "scale the input up, or build the norm with a smaller eps: the output is smaller than its variance of 1",
		severity: "warning",
	};
}

/** Channels that say the same whatever the input. */
function dead(
	module: NormLayer,
	scale: readonly number[],
	observed: Observed | null,
	next: readonly Module[],
): Omit<Finding, "layer"> | null {
	const reasons: string[] = [];
	const say = (indices: number[], what: string) => {
		if (indices.length > 0)
			reasons.push(`channel ${indices.slice(0, 4).join(", ")}${indices.length > 4 ? ", …" : ""}: ${what}`);
	};
	const indicesOf = (values: ArrayLike<number>, test: (value: number) => boolean) =>
		Array.from(values).flatMap((value, i) => (test(value) ? [i] : []));
	const sizes = scale
		.map(Math.abs)
		.filter((size) => size > 0)
		.sort((a, b) => a - b);
	const typical = sizes[sizes.length >> 1] ?? 0;
	// All at zero is how the last norm of a residual branch may start, and not a channel's death.
	if (typical > 0)
		say(
			indicesOf(scale, (v) => Math.abs(v) <= DEAD_SCALE * typical),
			"its scale is next to 0",
		);
	const { eps } = module;
	const variance = observed?.variance ?? (scale.length > 0 && isBatchNorm(module) && module.runningVar?.view()) ?? [];
	if (variance)
		say(
			indicesOf(variance, (v) => v >= 0 && v < eps / 1000),
			"what it is given does not vary",
		);
	if (observed && observed.count >= ENOUGH && next.length > 0 && next.every((reader) => reader instanceof ReLU)) {
		say(
			indicesOf(observed.largest, (v) => v <= 0),
			"ReLU cuts all of it off",
		);
	}
	if (reasons.length === 0) return null;
	return {
		kind: "dead-channels",
		evidence: reasons.join("; "),
		remedy: "a smaller learning rate keeps channels alive; dead ones can be pruned",
		severity: "warning",
	};
}

function exploding(scale: readonly number[], variance: readonly number[]): Omit<Finding, "layer"> | null {
	const large = (values: readonly number[], limit: number) =>
		values.filter((v) => Number.isFinite(v) && Math.abs(v) > limit);
	const scales = large(scale, EXPLODING_SCALE);
	const variances = large(variance, EXPLODING_VARIANCE);
	if (scales.length + variances.length === 0) return null;
	const parts = [
		...(scales.length > 0 ? [`the scale of ${scales.length} channels reaches ${short(extreme(scales))}`] : []),
		...(variances.length > 0
			? [`the running variance of ${variances.length} reaches ${short(extreme(variances))}`]
			: []),
	];
	return {
		kind: "exploding-channels",
		evidence: parts.join("; "),
		remedy: "a smaller learning rate, a warmup or clipGradNorm; scale the input to a deviation near 1",
		severity: "warning",
	};
}

/** The one furthest from zero. */
function extreme(values: readonly number[]): number {
	return values.reduce((most, v) => (Math.abs(v) > Math.abs(most) ? v : most));
}
