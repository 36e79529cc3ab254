// One cycle: up to a large learning rate and far down again, with the momentum moving the other way.

import { check } from "../errors.ts";
import { type Curve, checkFinite, checkWhole, type Schedulable, Schedule } from "./schedule.ts";

export interface OneCycleOptions {
	/** The peak of the rate; one number, or one for each group. */
	maxLr: number | readonly number[];
	/** Steps of the whole cycle: usually epochs times batches an epoch. */
	totalSteps: number;
	/** The share of the steps that the rise takes. Default 0.3. */
	pctStart?: number;
	/** `"cos"` (default) or `"linear"`. */
	annealStrategy?: "cos" | "linear";
	/** Whether momentum (SGD) or beta1 (Adam) moves too, from `maxMomentum` to `baseMomentum` and back. Default true. */
	cycleMomentum?: boolean;
	/** Default 0.85. */
	baseMomentum?: number;
	/** Default 0.95. */
	maxMomentum?: number;
	/** The rate starts at maxLr / divFactor. Default 25. */
	divFactor?: number;
	/** It ends at the start's rate / finalDivFactor. Default 1e4. */
	finalDivFactor?: number;
	/** Fall to the start's rate as fast as the rise was, then on to the end's. Default false. */
	threePhase?: boolean;
}

/** A stretch of the cycle: values go from one stop to the next until step `end`. */
interface Phase {
	readonly end: number;
	/** Factors on maxLr. */
	readonly lr: readonly [from: number, to: number];
	readonly momentum: readonly [from: number, to: number];
}

type Settings = Required<OneCycleOptions>;

/** An option that is there but undefined has its default too. */
function settingsOf({
	pctStart = 0.3,
	annealStrategy = "cos",
	cycleMomentum = true,
	baseMomentum = 0.85,
	maxMomentum = 0.95,
	divFactor = 25,
	finalDivFactor = 1e4,
	threePhase = false,
	...required
}: OneCycleOptions): Settings {
	return {
		...required,
		...{ pctStart, annealStrategy, cycleMomentum, baseMomentum, maxMomentum, divFactor, finalDivFactor, threePhase },
	};
}

function phasesOf(settings: Settings): Phase[] {
	const {
		totalSteps,
		pctStart,
		baseMomentum: low,
		maxMomentum: high,
		divFactor,
		finalDivFactor,
		threePhase,
	} = settings;
	const start = 1 / divFactor;
	const end = start / finalDivFactor;
	const peakAt = pctStart * totalSteps - 1;
	const rise: Phase = { end: peakAt, lr: [start, 1], momentum: [high, low] };
	if (!threePhase) return [rise, { end: totalSteps - 1, lr: [1, end], momentum: [low, high] }];
	return [
		rise,
		{ end: 2 * peakAt, lr: [1, start], momentum: [low, high] },
		{ end: totalSteps - 1, lr: [start, end], momentum: [high, high] },
	];
}

function annealed([from, to]: readonly [number, number], share: number, strategy: "cos" | "linear"): number {
	if (strategy === "linear") return from + (to - from) * share;
	return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}

function checkSettings(settings: Settings, groups: number): void {
	const { maxLr, totalSteps, pctStart, annealStrategy, divFactor, finalDivFactor } = settings;
	checkWhole("oneCycleLR: totalSteps", totalSteps);
	for (const lr of typeof maxLr === "number" ? [maxLr] : maxLr) checkFinite("oneCycleLR: maxLr", lr);
	check(
		typeof maxLr === "number" || maxLr.length === groups,
		() => `oneCycleLR: maxLr has ${(maxLr as readonly number[]).length} rates for ${groups} parameter groups`,
	);
	check(pctStart >= 0 && pctStart <= 1, () => `oneCycleLR: pctStart must be in [0, 1], got ${pctStart}`);
	check(
		annealStrategy === "cos" || annealStrategy === "linear",
		() => `oneCycleLR: annealStrategy must be "cos" or "linear", got "${annealStrategy}"`,
	);
	for (const [name, value] of Object.entries({ divFactor, finalDivFactor })) {
		check(value > 0 && value < Infinity, () => `oneCycleLR: ${name} must be a finite number above 0, got ${value}`);
	}
	for (const key of ["baseMomentum", "maxMomentum"] as const) {
		const value = settings[key];
		check(value >= 0 && value < 1, () => `oneCycleLR: ${key} must be at least 0 and below 1, got ${value}`);
	}
}

/** The learning rate's factor, or the momentum, at step t. Past the last phase it stays. */
function valueAt(phases: readonly Phase[], of: "lr" | "momentum", t: number, strategy: "cos" | "linear"): number {
	const k = phases.findIndex(({ end }) => t <= end);
	if (k < 0) return phases[phases.length - 1][of][1];
	const start = k === 0 ? 0 : phases[k - 1].end;
	const span = phases[k].end - start;
	return annealed(phases[k][of], span > 0 ? (t - start) / span : 1, strategy);
}

/**
 * The one-cycle policy (Smith and Topin, 2018) as PyTorch's `OneCycleLR` has it: the rate rises from
 * maxLr / divFactor to maxLr over `pctStart` of the steps and falls to maxLr / divFactor /
 * finalDivFactor over the rest, along cosines, while the momentum falls from 0.95 to 0.85 and rises
 * again. The groups' own learning rates play no part. It ends after `totalSteps`: one step more is
 * an error.
 *
 * @throws EvenkeelError if an option is out of range, or momentum is to move and the optimizer has none
 */
export function oneCycleLR(optimizer: Schedulable, options: OneCycleOptions): Schedule {
	const settings = settingsOf(options);
	checkSettings(settings, optimizer.paramGroups.length);
	const { maxLr, cycleMomentum, totalSteps, annealStrategy } = settings;
	check(
		!cycleMomentum || optimizer.paramGroups.every((group) => group.betas || (group.momentum ?? 0) > 0),
		"oneCycleLR: the optimizer has no momentum to move; give it momentum, or pass cycleMomentum: false",
	);
	const phases = phasesOf(settings);
	const peak = (group: number) => (typeof maxLr === "number" ? maxLr : maxLr[group]);
	const curve: Curve = {
		lr: (t, _initial, group) => peak(group) * valueAt(phases, "lr", t, annealStrategy),
		end: totalSteps,
		...(cycleMomentum ? { momentum: (t) => valueAt(phases, "momentum", t, annealStrategy) } : {}),
	};
	return new Schedule(optimizer, "oneCycleLR", curve);
}
