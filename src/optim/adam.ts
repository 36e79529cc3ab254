// Adam and AdamW: steps scaled by running averages of the gradient and of its square.

import { type AdamUpdate, adamStep } from "../ops/optimizer-step/op.ts";
import { BaseOptimizer, flag, nonNegative } from "./optimizer.ts";
import type { ParamsInput } from "./param-groups.ts";

export interface AdamOptions {
	/** The learning rate. Default 1e-3. */
	lr?: number;
	/** The shares that the averages of gradient and square keep at each step. Default [0.9, 0.999]. */
	betas?: readonly [number, number];
	/** Added to the denominator. Default 1e-8. */
	eps?: number;
	/** Adam: added to the gradient, times the parameter (default 0). AdamW: taken off the parameter (default 1e-2). */
	weightDecay?: number;
	/** Divide by the largest average of squares so far (AMSGrad). Default false. */
	amsgrad?: boolean;
}

const MEAN = "exp_avg";
const SQUARE = "exp_avg_sq";
const LARGEST = "max_exp_avg_sq";

function areBetas(value: unknown): boolean {
	return Array.isArray(value) && value.length === 2 && value.every((beta) => beta >= 0 && beta < 1);
}

abstract class AdamBase extends BaseOptimizer<Required<AdamOptions>> {
	readonly #decoupled: boolean;

	protected constructor(
		name: "Adam" | "AdamW",
		params: ParamsInput<Required<AdamOptions>>,
		options: AdamOptions,
		weightDecay: number,
	) {
		const rules = {
			lr: nonNegative(1e-3),
			betas: {
				initial: [0.9, 0.999] as const,
				expected: "two numbers of at least 0 and below 1",
				holds: areBetas,
			},
			eps: nonNegative(1e-8),
			weightDecay: nonNegative(weightDecay),
			amsgrad: flag(false),
		};
		super(name, params, options, rules, [MEAN, SQUARE, LARGEST]);
		this.#decoupled = name === "AdamW";
	}

	protected override update(): void {
		const updates: AdamUpdate[] = [];
		this.forEachGradient((param, grad, settings, name) => {
			updates.push({
				param,
				grad,
				mean: this.stateTensor(param, MEAN, name).tensor,
				square: this.stateTensor(param, SQUARE, name).tensor,
				largest: settings.amsgrad ? this.stateTensor(param, LARGEST, name).tensor : null,
				step: this.countStep(param),
				decoupled: this.#decoupled,
				settings,
			});
		});
		adamStep(updates);
	}
}

/**
 * Adam (Kingma and Ba, 2015) with PyTorch's formulas and defaults; t counts a parameter's steps:
 *
 *     g = grad + weightDecay p
 *     m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
 *     p -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 *
 * A parameter whose `grad` is null is left alone. The state of a parameter is `exp_avg`,
 * `exp_avg_sq`, with AMSGrad `max_exp_avg_sq`, and its number of steps.
 *
 * @throws EvenkeelError if there are no parameters, one is given twice, or an option is out of range
 */
export class Adam extends AdamBase {
	constructor(params: ParamsInput<Required<AdamOptions>>, options: AdamOptions = {}) {
		super("Adam", params, options, 0);
	}
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019) with PyTorch's formulas and defaults: as
 * {@link Adam} with g = grad, and before it `p *= 1 - lr weightDecay`. `weightDecay` is 1e-2 by default.
 */
export class AdamW extends AdamBase {
	constructor(params: ParamsInput<Required<AdamOptions>>, options: AdamOptions = {}) {
		super("AdamW", params, options, 1e-2);
	}
}
