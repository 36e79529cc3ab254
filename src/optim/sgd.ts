// Stochastic gradient descent, with momentum and weight decay.

import { check } from "../errors.ts";
import { type SgdSettings, type SgdUpdate, sgdStep } from "../ops/optimizer-step/op.ts";
import { BaseOptimizer, flag, nonNegative } from "./optimizer.ts";
import type { ParamsInput } from "./param-groups.ts";

export interface SgdOptions {
	/** The learning rate. Must be given, here or in every group. */
	lr: number;
	/** The share of the buffer that each step keeps. Default 0. */
	momentum?: number;
	/** The share of the gradient kept out of the buffer. Default 0. */
	dampening?: number;
	/** Nesterov's momentum; needs momentum and no dampening. Default false. */
	nesterov?: boolean;
	/** Added to the gradient, times the parameter (L2). Default 0. */
	weightDecay?: number;
}

const BUFFER = "momentum_buffer";

/**
 * Stochastic gradient descent with PyTorch's formulas and defaults:
 *
 *     d = grad + weightDecay p
 *     buffer = momentum buffer + (1 - dampening) d   (= d the first time)
 *     p -= lr buffer,   Nesterov: p -= lr (d + momentum buffer),   without momentum: p -= lr d
 *
 * A parameter whose `grad` is null is left alone. The state of a parameter is `momentum_buffer`.
 *
 * @throws EvenkeelError if there are no parameters, one is given twice, or an option is out of range
 */
export class SGD extends BaseOptimizer<SgdSettings> {
	constructor(params: ParamsInput<SgdSettings>, options: Partial<SgdOptions> = {}) {
		const rules = {
			lr: nonNegative(),
			momentum: nonNegative(0),
			dampening: { ...nonNegative(0), expected: "a finite number", holds: Number.isFinite },
			nesterov: flag(false),
			weightDecay: nonNegative(0),
		};
		super("SGD", params, options, rules, [BUFFER]);
	}

	protected override checkTogether({ nesterov, momentum, dampening }: SgdSettings, where: string): void {
		check(
			!nesterov || (momentum > 0 && dampening === 0),
			() =>
				`${where}: nesterov needs momentum above 0 and dampening 0, got momentum ${momentum} and dampening ${dampening}`,
		);
	}

	protected override update(): void {
		const updates: SgdUpdate[] = [];
		this.forEachGradient((param, grad, settings, name) => {
			const state = settings.momentum > 0 ? this.stateTensor(param, BUFFER, name) : null;
			updates.push({ param, grad, buffer: state?.tensor ?? null, first: state?.isNew ?? false, settings });
		});
		sgdStep(updates);
	}
}
