// What an op costs in arithmetic. A multiplication, an addition, a comparison and the value of a function (e^x, tanh)
// count one each, so that a multiply-add is two; what only moves numbers costs nothing.

import type { BatchNormAttrs } from "../ops/norm/batch-norm/fused.ts";
import type { AppliedOp } from "../ops/op.ts";
import type { AveragePlan, MaxPlan } from "../ops/pool/plan.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Mean (1), variance (3), center and scale (2), the learned scale and shift (2), each an element. */
const NORM = 8;
/** The largest, the difference, e^x, the sum, the quotient. */
const SOFTMAX = 5;

/** Products and the sums of them: 2 an output and a term; with a bias one more an output. */
function products(output: Tensor, terms: number, bias: Tensor | undefined): number {
	return output.size * (2 * terms + (bias ? 1 : 0));
}

const perOutput: Readonly<Record<string, number>> = {
	...{ reshape: 0, permute: 0, concat: 0, slice: 0, clone: 0, toFloat: 0, gatherRows: 0 },
	...{ norm: NORM, batchRenorm: NORM, switchableNorm: NORM, softmax: SOFTMAX, logSoftmax: SOFTMAX },
};

const special: Readonly<Record<string, (op: AppliedOp) => number>> = {
	conv: ({ inputs: [, weight, bias], output }) => products(output, weight.size / weight.shape[0], bias),
	convTranspose: ({ inputs: [x, weight, bias], output }) =>
		2 * x.size * (weight.size / weight.shape[0]) + (bias ? output.size : 0),
	linear: ({ inputs: [x, , bias], output }) => products(output, x.shape[x.ndim - 1], bias),
	matmul: ({ inputs: [a], output }) => products(output, a.shape[a.ndim - 1], undefined),
	batchNorm({ inputs, attrs, output }) {
		const { training, following, halving } = attrs as BatchNormAttrs;
		return inputs[0].size * ((training ? NORM : 2) + (following ? 1 : 0)) + (halving ? 5 * output.size : 0);
	},
	avgPool({ attrs, output }) {
		const { rows, cols, planes } = attrs as AveragePlan;
		const covered = (windows: AveragePlan["rows"]) => windows.reduce((sum, { start, end }) => sum + end - start, 0);
		return planes * covered(rows) * covered(cols) + output.size;
	},
	maxPool({ attrs, output }) {
		const { rows, cols } = attrs as MaxPlan;
		return output.size * rows.kernel * cols.kernel;
	},
};

/** Ops that look at each element of their input once. */
const perInput = new Set(["sum", "mean", "max", "min", "argmax or argmin", "crossEntropy", "nllLoss", "mseLoss"]);

/** How many floating-point operations an op took. Ops that are not known count one an output element. */
export function flopsOf(op: AppliedOp): number {
	const own = special[op.name];
	if (own) return own(op);
	if (perInput.has(op.name)) return op.inputs[0].size;
	return op.output.size * (perOutput[op.name] ?? 1);
}
