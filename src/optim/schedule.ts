// Learning rates that change over time. A curve gives the rate at step t from the group's initial
// rate; a Schedule walks an optimizer along it. Values are PyTorch's, in closed form.

import { check } from "../errors.ts";

/** A group whose rate a schedule changes: a parameter group of an optimizer. */
export interface ScheduledGroup {
	lr: number;
	initialLr?: number;
	momentum?: number;
	betas?: readonly [number, number];
}

/** What a schedule needs of an optimizer. */
export interface Schedulable {
	readonly paramGroups: readonly ScheduledGroup[];
}

/** The learning rate of group `group` at step t, `initial` being its rate before any schedule. */
export interface Curve {
	lr(t: number, initial: number, group: number): number;
	/** The momentum (or beta1) at step t, where the curve moves that too; undefined leaves it. */
	momentum?(t: number): number | undefined;
	/** The last step that the curve is defined for. */
	readonly end?: number;
}

/** A schedule's place, for a checkpoint. */
export interface ScheduleState {
	step: number;
	/** The rate of each group before any schedule. */
	initialLrs: readonly number[];
}

/** Sets the learning rates of an optimizer's groups: at once for step 0, then at each `step()`. */
export class Schedule {
	/** The schedule's name in errors. */
	readonly name: string;
	readonly curve: Curve;
	readonly #optimizer: Schedulable;
	#step = 0;

	constructor(optimizer: Schedulable, name: string, curve: Curve) {
		check(
			typeof optimizer === "object" && optimizer !== null && Array.isArray(optimizer.paramGroups),
			() => `${name}: the first argument must be an optimizer, got ${String(optimizer)}`,
		);
		this.name = name;
		this.curve = curve;
		this.#optimizer = optimizer;
		for (const group of optimizer.paramGroups) group.initialLr ??= group.lr;
		this.#apply();
	}

	/** How many times `step()` was called. */
	get stepCount(): number {
		return this.#step;
	}

	/** The learning rate of each group now. */
	get lrs(): number[] {
		return this.#optimizer.paramGroups.map((group) => group.lr);
	}

	/**
	 * Moves on by one: call it after each `optimizer.step()`, or after each epoch, as the schedule's
	 * lengths are meant.
	 */
	step(): void {
		const { end } = this.curve;
		check(
			end === undefined || this.#step < end,
			() => `${this.name}: step ${this.#step + 1} is beyond the schedule, which ends at ${end}; give it more steps`,
		);
		this.#step++;
		this.#apply();
	}

	state(): ScheduleState {
		const { paramGroups } = this.#optimizer;
		return { step: this.#step, initialLrs: paramGroups.map((group) => group.initialLr ?? group.lr) };
	}

	/** Continues from `state`, and sets the learning rates to match. */
	setState(state: ScheduleState): void {
		const { paramGroups } = this.#optimizer;
		const { step, initialLrs } = state;
		const { end = Infinity } = this.curve;
		check(
			Number.isInteger(step) && step >= 0 && step <= end,
			() => `${this.name}.setState: step must be a whole number from 0 to ${end}, got ${step}`,
		);
		check(
			Array.isArray(initialLrs) && initialLrs.length === paramGroups.length && initialLrs.every(Number.isFinite),
			() =>
				`${this.name}.setState: expected the initial learning rates of ${paramGroups.length} groups, got ${String(initialLrs)}`,
		);
		paramGroups.forEach((group, i) => {
			group.initialLr = initialLrs[i];
		});
		this.#step = step;
		this.#apply();
	}

	#apply(): void {
		const momentum = this.curve.momentum?.(this.#step);
		this.#optimizer.paramGroups.forEach((group, i) => {
			group.lr = this.curve.lr(this.#step, group.initialLr ?? group.lr, i);
			if (momentum === undefined) return;
			if (group.betas) group.betas = [momentum, group.betas[1]];
			else group.momentum = momentum;
		});
	}
}

/** Internal, for schedules. */
export function checkWhole(what: string, value: number, least = 1): void {
	check(
		Number.isInteger(value) && value >= least,
		() => `${what} must be a whole number of at least ${least}, got ${value}`,
	);
}

/** Internal, for schedules. */
export function checkFinite(what: string, value: number): void {
	check(Number.isFinite(value) && value >= 0, () => `${what} must be a finite number of at least 0, got ${value}`);
}

/**
 * Multiplies the rate by `gamma` every `stepSize` steps (PyTorch's `StepLR`):
 * `lr(t) = initial gamma^floor(t / stepSize)`.
 *
 * @param options gamma defaults to 0.1
 */
export function stepLR(optimizer: Schedulable, options: { stepSize: number; gamma?: number }): Schedule {
	const { stepSize, gamma = 0.1 } = options;
	checkWhole("stepLR: stepSize", stepSize);
	checkFinite("stepLR: gamma", gamma);
	return new Schedule(optimizer, "stepLR", { lr: (t, initial) => initial * gamma ** Math.floor(t / stepSize) });
}

/**
 * Multiplies the rate by `gamma` at each milestone (PyTorch's `MultiStepLR`):
 * `lr(t) = initial gamma^(number of milestones <= t)`.
 *
 * @param options gamma defaults to 0.1
 */
export function multiStepLR(
	optimizer: Schedulable,
	options: { milestones: readonly number[]; gamma?: number },
): Schedule {
	const { milestones, gamma = 0.1 } = options;
	for (const milestone of milestones) checkWhole("multiStepLR: a milestone", milestone, 0);
	checkFinite("multiStepLR: gamma", gamma);
	const passed = (t: number) => milestones.filter((milestone) => milestone <= t).length;
	return new Schedule(optimizer, "multiStepLR", { lr: (t, initial) => initial * gamma ** passed(t) });
}

/**
 * Half a cosine from the initial rate down to `etaMin` at step `tMax` (PyTorch's `CosineAnnealingLR`):
 * `lr(t) = etaMin + (initial - etaMin) (1 + cos(pi t / tMax)) / 2`. Beyond tMax it rises again.
 *
 * @param options etaMin defaults to 0
 */
export function cosineAnnealingLR(optimizer: Schedulable, options: { tMax: number; etaMin?: number }): Schedule {
	const { tMax, etaMin = 0 } = options;
	checkWhole("cosineAnnealingLR: tMax", tMax);
	checkFinite("cosineAnnealingLR: etaMin", etaMin);
	return new Schedule(optimizer, "cosineAnnealingLR", {
		lr: (t, initial) => etaMin + ((initial - etaMin) * (1 + Math.cos((Math.PI * t) / tMax))) / 2,
	});
}

export interface LinearWarmupOptions {
	/** How many steps the rise takes. */
	steps: number;
	/** The share of the initial rate to start from. Default 1/3 (PyTorch's `LinearLR`). */
	startFactor?: number;
	/** The schedule to go on with, counted from the end of the rise, made on the same optimizer. Default: stay. */
	next?: Schedule;
}

/**
 * A straight rise from `startFactor` times the initial rate to that rate in `steps` steps (PyTorch's
 * `LinearLR`), and on with `next`:
 *
 *     linearWarmup(optimizer, { steps: 500, next: cosineAnnealingLR(optimizer, { tMax: 9500 }) })
 *
 * Only the schedule that is returned is stepped.
 */
export function linearWarmup(optimizer: Schedulable, options: LinearWarmupOptions): Schedule {
	const { steps, startFactor = 1 / 3, next } = options;
	checkWhole("linearWarmup: steps", steps);
	check(
		startFactor > 0 && startFactor <= 1,
		() => `linearWarmup: startFactor must be above 0 and at most 1, got ${startFactor}`,
	);
	const rise: Curve = {
		lr: (t, initial) => initial * (startFactor + ((1 - startFactor) * Math.min(t, steps)) / steps),
	};
	const curve = next ? joined([rise, next.curve], [steps]) : rise;
	return new Schedule(optimizer, "linearWarmup", curve);
}

/**
 * One schedule after the other (PyTorch's `SequentialLR`): number k from step `milestones[k - 1]` on,
 * counted from there. All are made on the same optimizer; only the one that is returned is stepped.
 *
 * @param milestones where the second schedule begins, the third, …: rising whole numbers
 */
export function sequentialLR(
	optimizer: Schedulable,
	schedules: readonly Schedule[],
	milestones: readonly number[],
): Schedule {
	check(
		schedules.length > 0 && milestones.length === schedules.length - 1,
		() =>
			`sequentialLR: ${schedules.length} schedules need ${schedules.length - 1} milestones, got ${milestones.length}`,
	);
	for (const [i, milestone] of milestones.entries()) {
		checkWhole("sequentialLR: a milestone", milestone, i > 0 ? milestones[i - 1] + 1 : 1);
	}
	const curves = schedules.map(({ curve }) => curve);
	return new Schedule(optimizer, "sequentialLR", joined(curves, milestones));
}

function joined(curves: readonly Curve[], milestones: readonly number[]): Curve {
	const at = (t: number) => {
		const k = milestones.filter((milestone) => milestone <= t).length;
		return { curve: curves[k], t: k === 0 ? t : t - milestones[k - 1] };
	};
	const last = curves[curves.length - 1].end;
	return {
		lr(step, initial, group) {
			const { curve, t } = at(step);
			return curve.lr(t, initial, group);
		},
		momentum(step) {
			const { curve, t } = at(step);
			return curve.momentum?.(t);
		},
		...(last === undefined ? {} : { end: last + (milestones.at(-1) ?? 0) }),
	};
}
