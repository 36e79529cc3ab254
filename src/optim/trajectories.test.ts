// Optimizers and schedules step by step against PyTorch's, from cases.json.

import { describe, expect, test } from "vitest";
import { onEachBackend } from "../../test/support/backends.ts";
import { tensor } from "../ops/creation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Adam, AdamW } from "./adam.ts";
import cases from "./cases.json";
import { clipGradNorm } from "./clip-grad-norm.ts";
import { type OneCycleOptions, oneCycleLR } from "./one-cycle.ts";
import type { Optimizer } from "./optimizer.ts";
import { cosineAnnealingLR, linearWarmup, multiStepLR, type Schedulable, type Schedule, stepLR } from "./schedule.ts";
import { SGD } from "./sgd.ts";

interface OptimizerCase {
	optimizer: string;
	options: object;
	groups?: { params: number[] }[];
	after: number[][][];
}

const optimizers = { SGD, Adam, AdamW };

function parameters(): Tensor[] {
	return cases.start.map((values, i) => tensor(values, cases.shapes[i], { requiresGrad: true, name: `p${i}` }));
}

function setGradients(params: Tensor[], step: number): void {
	params.forEach((param, i) => {
		const values = cases.gradients[step][i];
		param.grad = values ? tensor(values, cases.shapes[i]) : null;
	});
}

function make({ optimizer, options, groups }: OptimizerCase, params: Tensor[]): Optimizer {
	const kind = optimizers[optimizer as keyof typeof optimizers];
	const input = groups ? groups.map((group) => ({ ...group, params: group.params.map((i) => params[i]) })) : params;
	return new kind(input, options);
}

function distance(actual: ArrayLike<number>, expected: readonly number[]): number {
	let difference = 0;
	let norm = 0;
	expected.forEach((value, i) => {
		difference += (actual[i] - value) ** 2;
		norm += value ** 2;
	});
	return Math.sqrt(difference / norm);
}

onEachBackend("optimizers", ({ exact }) => {
	const tolerance = exact ? 1e-12 : 1e-6;

	test.each((cases.optimizers as OptimizerCase[]).map((one) => [label(one), one] as const))("%s", (_, one) => {
		const params = parameters();
		const optimizer = make(one, params);
		one.after.forEach((expected, step) => {
			setGradients(params, step);
			optimizer.step();
			params.forEach((param, i) => {
				expect(distance(param.view(), expected[i]), `step ${step}, parameter ${i}`).toBeLessThan(tolerance);
			});
			optimizer.zeroGrad();
		});
	});

	test("clipGradNorm", () => {
		const params = parameters();
		setGradients(params, 0);
		const norm = clipGradNorm(params, cases.clip.maxNorm);
		expect(Math.abs(norm / cases.clip.norm - 1)).toBeLessThan(tolerance);
		params.forEach((param, i) => {
			expect(distance(param.grad?.view() ?? [], cases.clip.gradients[i])).toBeLessThan(tolerance);
		});
	});
});

function label({ optimizer, options, groups }: OptimizerCase): string {
	return `${optimizer} ${JSON.stringify(options)}${groups ? ` in groups ${JSON.stringify(groups)}` : ""}`;
}

interface ScheduleCase {
	schedule: string;
	options: object;
	betas: boolean;
	rates: number[][];
}

function makeSchedule(name: string, options: object, optimizer: Schedulable): Schedule {
	const given = options as never;
	switch (name) {
		case "stepLR":
			return stepLR(optimizer, given);
		case "multiStepLR":
			return multiStepLR(optimizer, given);
		case "cosineAnnealingLR":
			return cosineAnnealingLR(optimizer, given);
		case "oneCycleLR":
			return oneCycleLR(optimizer, options as OneCycleOptions);
		case "linearWarmup": {
			const { next, ...own } = options as { steps: number; next?: ScheduleCase };
			return linearWarmup(optimizer, { ...own, next: next && makeSchedule(next.schedule, next.options, optimizer) });
		}
		default:
			throw new Error(`no schedule ${name}`);
	}
}

describe("schedules", () => {
	const twoGroups = (betas: boolean) => ({
		paramGroups: [0.5, 0.02].map((lr) => ({ lr, ...(betas ? { betas: [0.9, 0.999] as const } : { momentum: 0.9 }) })),
	});
	const momentumOf = (group: object) =>
		"betas" in group ? (group.betas as number[])[0] : (group as { momentum: number }).momentum;

	test.each(
		(cases.schedules as ScheduleCase[]).map(
			(one) => [`${one.schedule} ${JSON.stringify(one.options)}${one.betas ? ", beta1" : ""}`, one] as const,
		),
	)("%s", (_, { schedule: name, options, betas, rates }) => {
		const optimizer = twoGroups(betas);
		const schedule = makeSchedule(name, options, optimizer);
		rates.forEach(([first, second, momentum], step) => {
			const [one, two] = optimizer.paramGroups;
			expect(Math.abs(one.lr - first), `step ${step}`).toBeLessThan(1e-15);
			expect(Math.abs(two.lr - second), `step ${step}`).toBeLessThan(1e-15);
			expect(Math.abs(momentumOf(one) - momentum), `step ${step}`).toBeLessThan(1e-15);
			schedule.step();
		});
		// From any state onwards, the same rates again: a resumed run goes on as if it had never stopped.
		const half = Math.floor(rates.length / 2);
		const resumed = twoGroups(betas);
		const again = makeSchedule(name, options, resumed);
		again.setState(JSON.parse(JSON.stringify({ ...schedule.state(), step: half })));
		expect(again.stepCount).toBe(half);
		expect(resumed.paramGroups[0].lr).toBeCloseTo(rates[half][0], 14);
	});
});
