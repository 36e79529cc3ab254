// What a trainer minimizes and what it reports: losses and metrics by name, or as functions.

import { check, EvenkeelError } from "../errors.ts";
import { bceWithLogits, countCorrect, crossEntropy, mseLoss, nllLoss } from "../ops/loss/op.ts";
import { isFloat } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The mean loss of a batch, a scalar on the tape. */
export type LossFunction = (output: Tensor, target: Tensor) => Tensor;

/** The losses that go by name; what they compute stands with the ops of the same name (`nll` is `nllLoss`). */
const losses = {
	crossEntropy: (output, target) => crossEntropy(output, target),
	nll: (output, target) => nllLoss(output, target),
	mse: (output, target) => mseLoss(output, target),
	bceWithLogits: (output, target) => bceWithLogits(output, target),
} as const satisfies Record<string, LossFunction>;

export type LossName = keyof typeof losses;

export function lossNamed(loss: LossName | LossFunction): { name: string; compute: LossFunction } {
	if (typeof loss === "function") return { name: loss.name || "a function", compute: loss };
	const compute = Object.hasOwn(losses, loss) ? losses[loss] : undefined;
	check(
		compute,
		() => `Trainer: unknown loss ${JSON.stringify(loss)}; there are ${quoted(Object.keys(losses))}, or a function`,
	);
	return { name: loss, compute };
}

/** The mean of something over a batch, off the tape. Its name in the history is the function's. */
export type MetricFunction = (output: Tensor, target: Tensor) => number;

export type MetricName = "accuracy";

/** A metric as the trainer sums it up. */
export interface Metric {
	readonly name: string;
	/** The sum over the batch's examples. */
	total(output: Tensor, target: Tensor): number;
}

export function metricNamed(metric: MetricName | MetricFunction): Metric {
	if (metric === "accuracy") return { name: "accuracy", total: countRight };
	check(
		typeof metric === "function",
		() =>
			`Trainer: unknown metric ${JSON.stringify(metric)}; there is "accuracy", or a function (output, target) => number`,
	);
	check(metric.name !== "", "Trainer: a metric function needs a name, which is what it is called in the history");
	return { name: metric.name, total: (output, target) => metric(output, target) * target.shape[0] };
}

/**
 * How many examples are right: those whose largest output is at the label; or, for targets in [0, 1] of the output's
 * own shape, the share of an example's outputs that lie on the target's side of 0.
 */
function countRight(output: Tensor, target: Tensor): number {
	if (!isFloat(target.dtype)) return countCorrect(output, target);
	if (!sameShape(output.shape, target.shape)) {
		throw new EvenkeelError(
			`accuracy: ${output.describe()} cannot be compared with the targets ${target.describe()}; ` +
				"labels are int32 [N] for outputs [N, C], or floating numbers of the output's shape",
		);
	}
	const logits = output.view();
	const truth = target.view();
	let right = 0;
	for (let i = 0; i < output.size; i++) if (logits[i] > 0 === truth[i] > 0.5) right++;
	return output.size === 0 ? 0 : (right * output.shape[0]) / output.size;
}

function quoted(names: readonly string[]): string {
	return names.map((name) => `"${name}"`).join(", ");
}
