// Losses over classes: cross-entropy on logits, negative log-likelihood on log-probabilities, and
// the count of right answers.

import { check } from "../../errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { apply, empty, kernelsFor, type Op } from "../op.ts";
import { type Incoming, kernels } from "./kernels.ts";
import { checkReduction, countRows, type Reduction, type Rows, rowsOf, scaleFor } from "./rows.ts";

export interface NllLossOptions {
	/** `"mean"` (default) over the rows that count, `"sum"`, or `"none"`: one loss a row. */
	reduction?: Reduction;
	/** Rows with this label count for nothing. Default: none (PyTorch's is -100). */
	ignoreIndex?: number;
}

export interface CrossEntropyOptions extends NllLossOptions {
	/** The share of the target that is spread evenly over all classes, in [0, 1]. Default 0. */
	labelSmoothing?: number;
}

interface RowAttrs {
	readonly rows: Rows;
	readonly reduction: Reduction;
	/** The factor on the sum of the rows' losses. */
	readonly scale: number;
}

interface CrossEntropyAttrs extends RowAttrs {
	readonly smoothing: number;
}

/** The result of a reducing loss: a scalar, or `each`, which the kernel has filled. */
export function reduced(like: Tensor, each: Tensor | null, sum: number, scale: number, name: string): Tensor {
	if (each) return each;
	const out = empty([], like.backend, "float", name);
	out.view()[0] = sum * scale;
	return out;
}

/** `dy` of a loss: one value for all where the loss is a scalar. */
export function incoming(dy: Tensor, reduction: Reduction, scale: number): Incoming {
	return reduction === "none" ? { each: dy, scale: 1 } : { each: null, scale: scale * dy.view()[0] };
}

const crossEntropyOp: Op<CrossEntropyAttrs> = {
	name: "crossEntropy",
	forward([x, labels], { rows, reduction, scale, smoothing }, ctx) {
		const each = reduction === "none" ? empty(labels.shape, x.backend, "float", "crossEntropy") : null;
		const stats = ctx.recording ? empty([2, rows.count], x.backend, "float", "crossEntropy statistics") : null;
		const sum = kernelsFor(kernels, x).crossEntropy(x, labels, rows, smoothing, each, stats);
		if (stats) {
			ctx.save(x, labels, stats);
			stats.dispose();
		}
		return reduced(x, each, sum, scale, "crossEntropy");
	},
	backward(dy, { attrs, saved: [x, labels, stats] }) {
		const { rows, reduction, scale, smoothing } = attrs;
		const dx = empty(x.shape, x.backend, "float", "gradient of crossEntropy");
		const arriving = incoming(dy, reduction, scale);
		kernelsFor(kernels, x).crossEntropyBackward(x, labels, stats, rows, smoothing, arriving, dx);
		return [dx, null];
	},
};

const nllOp: Op<RowAttrs> = {
	name: "nllLoss",
	forward([x, labels], { rows, reduction, scale }, ctx) {
		const each = reduction === "none" ? empty(labels.shape, x.backend, "float", "nllLoss") : null;
		const sum = kernelsFor(kernels, x).nll(x, labels, rows, each);
		ctx.save(labels);
		return reduced(x, each, sum, scale, "nllLoss");
	},
	backward(dy, { attrs: { rows, reduction, scale }, saved: [labels] }) {
		const [, ...rest] = labels.shape;
		const dx = empty([rows.batch, rows.classes, ...rest], dy.backend, "float", "gradient of nllLoss");
		kernelsFor(kernels, dy).nllBackward(labels, rows, incoming(dy, reduction, scale), dx);
		return [dx, null];
	},
};

/**
 * Cross-entropy between logits and class numbers, as one fused op (PyTorch's `cross_entropy`):
 *
 *     loss = (1 - s) (ln sum_c e^x_c - x_label) + s (ln sum_c e^x_c - mean_c x_c)
 *     dx_c = softmax(x)_c - (1 - s) [c = label] - s / C
 *
 * with s = `labelSmoothing`. Sums are taken in float64 and in one order, whatever the number of
 * threads. The mean is over the rows that are not ignored, and NaN where there are none.
 *
 * @param logits `[N, C]` or `[N, C, d1, …]`
 * @param labels int32 `[N]` or `[N, d1, …]`, each in 0..C-1 or `ignoreIndex`
 * @returns a scalar, or with `reduction: "none"` a tensor of the labels' shape
 * @throws EvenkeelError if shapes do not fit, or a label is no class: it names the row and the label
 */
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
	const { labelSmoothing = 0, reduction = "mean", ignoreIndex } = options;
	checkReduction("crossEntropy", reduction);
	check(
		labelSmoothing >= 0 && labelSmoothing <= 1,
		() => `crossEntropy: labelSmoothing must be in [0, 1], got ${labelSmoothing}`,
	);
	const rows = rowsOf("crossEntropy", logits, labels, ignoreIndex);
	const scale = scaleFor(reduction, countRows("crossEntropy", labels, rows));
	return apply(crossEntropyOp, [logits, labels], { rows, reduction, scale, smoothing: labelSmoothing });
}

/**
 * Negative log-likelihood (PyTorch's `nll_loss`): `loss = -x_label`, x being log-probabilities as
 * `logSoftmax` gives them. On logits use {@link crossEntropy}.
 *
 * @param logProbabilities `[N, C]` or `[N, C, d1, …]`
 * @param labels int32 `[N]` or `[N, d1, …]`, each in 0..C-1 or `ignoreIndex`
 * @returns a scalar, or with `reduction: "none"` a tensor of the labels' shape
 * @throws EvenkeelError if shapes do not fit, or a label is no class
 */
export function nllLoss(logProbabilities: Tensor, labels: Tensor, options: NllLossOptions = {}): Tensor {
	const { reduction = "mean", ignoreIndex } = options;
	checkReduction("nllLoss", reduction);
	const rows = rowsOf("nllLoss", logProbabilities, labels, ignoreIndex);
	const scale = scaleFor(reduction, countRows("nllLoss", labels, rows));
	return apply(nllOp, [logProbabilities, labels], { rows, reduction, scale });
}

/**
 * How many rows of `logits` have their largest value at the label (at the first of equals). A row
 * with a NaN is never right. Nothing is recorded.
 *
 * @param logits `[N, C]` or `[N, C, d1, …]`
 * @param labels int32 `[N]` or `[N, d1, …]`, each in 0..C-1
 * @throws EvenkeelError if shapes do not fit, or a label is no class
 */
export function countCorrect(logits: Tensor, labels: Tensor): number {
	const rows = rowsOf("countCorrect", logits, labels, undefined);
	check(
		logits.backend === labels.backend,
		() => `countCorrect: logits live on the ${logits.backend.name} backend, labels on ${labels.backend.name}; move one`,
	);
	countRows("countCorrect", labels, rows);
	return kernelsFor(kernels, logits).countCorrect(logits, labels, rows);
}
