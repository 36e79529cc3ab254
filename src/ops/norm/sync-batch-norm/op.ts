// Batch normalization by the statistics of all ranks' batches together: what one process would compute on the whole
// batch. Forward gathers mean, variance and count of each rank, backward adds up two sums; what runs over elements are batch
// normalization's kernels, on the rank's own examples.

import type { Communicator } from "../../../communicator/communicator.ts";
import { check, NotFiniteError } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { apply, empty, kernelsFor, type Op } from "../../op.ts";
import { checkedGeometry, checkRunningVariance, resolveMomentum } from "../batch-norm/arguments.ts";
import { batchNormKernels, checkFinite, type Part } from "../batch-norm/fused.ts";
import { type BatchNormOptions, batchNorm } from "../batch-norm/op.ts";
import { type RunningStatistics, updateRunningStatistics } from "../batch-norm/running-statistics.ts";
import { gradientByChannel } from "../shared/gradient-by-channel.ts";
import { channelStatistics } from "../shared/statistics.ts";
import {
	mergeStatistics,
	packStatistics,
	type RankStatistics,
	unpackStatistics,
	writeGradient,
	writeStatistics,
} from "./merge.ts";

export interface SyncBatchNormOptions
	extends Omit<BatchNormOptions, "mask" | "virtualBatchSize" | "activation" | "averagePool"> {
	/** The ranks whose batches are normalized together. None, or one of size 1: {@link batchNorm}. */
	communicator?: Communicator | null;
	/** Called when the running statistics have taken in a batch, which a rank without examples cannot tell from x. */
	taken?: () => void;
}

interface Attrs {
	readonly what: string;
	readonly eps: number;
	readonly part: Part;
	readonly weightAt: number;
	readonly biasAt: number;
	readonly running: RunningStatistics | null;
	readonly communicator: Communicator;
	readonly taken: () => void;
	/** Values a channel on all ranks together: forward's word to backward. */
	total: number;
}

const syncBatchNormOp: Op<Attrs> = {
	name: "syncBatchNorm",

	forward(inputs, attrs, ctx) {
		const x = inputs[0];
		const { what, part, eps, communicator, running } = attrs;
		const { c, count } = part;
		const weight = inputs[attrs.weightAt] ?? null;
		const bias = inputs[attrs.biasAt] ?? null;
		const stats = empty([4, c], x.backend, "float", "syncBatchNorm statistics");
		if (count > 0) channelStatistics(x, stats, part, eps);
		const own = packStatistics(count > 0 ? stats : null, c, count);
		const ranks = unpackStatistics(communicator.allgather(own), c);
		checkRanks(ranks, x, stats, attrs);
		const merged = mergeStatistics(ranks, c);
		attrs.total = merged.count;
		check(merged.count !== 1, () => oneValue(what, communicator));
		writeStatistics(stats, merged, eps);
		const y = empty(x.shape, x.backend, "float", "syncBatchNorm");
		if (count > 0) {
			kernelsFor(batchNormKernels, x).normalize({
				x,
				y,
				weight,
				bias,
				stats,
				part,
			});
		}
		if (running && merged.count > 0) {
			updateRunningStatistics(running, stats, { c, count: merged.count, statsStart: 0 });
			attrs.taken();
		}
		ctx.save(x, stats, ...(weight ? [weight] : []));
		stats.dispose();
		return y;
	},

	backward(dy, { attrs, saved, needsGrad }) {
		const { part, weightAt, biasAt, communicator, total } = attrs;
		const [x, stats, weight = null] = saved;
		const perChannel = (name: string) => empty([part.c], x.backend, "float", `syncBatchNorm ${name}`);
		const dweight = perChannel("dweight");
		const dbias = perChannel("dbias");
		if (part.count > 0) {
			// The statistics as constants: their gradients come from all ranks, not from here.
			kernelsFor(batchNormKernels, x).backward({
				x,
				dy,
				dx: null,
				weight,
				dweight,
				dbias,
				stats,
				training: false,
				part,
			});
		} else for (const sum of [dweight, dbias]) sum.view().fill(0);
		let dx: Tensor | null = null;
		if (needsGrad[0]) {
			const sums = new Float64Array(2 * part.c);
			sums.set(dweight.view());
			sums.set(dbias.view(), part.c);
			communicator.allreduce(sums);
			dx = empty(x.shape, x.backend, "float", "syncBatchNorm dx");
			if (part.count > 0) {
				const table = empty([4, part.c], x.backend, "float", "syncBatchNorm dx table");
				writeGradient(table, stats, weight, sums, total);
				gradientByChannel({ x, dy, dx, table, ...part });
				table.dispose();
			}
		}
		const grads: (Tensor | null)[] = [dx];
		for (const [index, grad] of [
			[weightAt, dweight],
			[biasAt, dbias],
		] as const) {
			if (index > 0) grads[index] = needsGrad[index] ? grad : null;
			if (!needsGrad[index]) grad.dispose();
		}
		return grads;
	},
};

/** Throws, on every rank alike, if a rank's statistics are not finite. */
function checkRanks(
	ranks: readonly RankStatistics[],
	x: Tensor,
	stats: Tensor,
	{ what, part, communicator }: Attrs,
): void {
	const finite = ({ mean, variance }: RankStatistics) => [...mean, ...variance].every(Number.isFinite);
	const bad = ranks.findIndex((rank) => !finite(rank));
	if (bad < 0) return;
	// Each rank with such values says which; the others say where to look.
	const { rank } = communicator;
	if (!finite(ranks[rank])) checkFinite(`rank ${rank}: ${what}`, x, stats, null, part);
	const { mean, variance } = ranks[bad];
	const channel = mean.findIndex((value, i) => !Number.isFinite(value) || !Number.isFinite(variance[i]));
	throw new NotFiniteError(
		`${what}: channel ${channel} of the batch of rank ${bad} holds NaN, infinity, or values too large for their variance; ` +
			`the running statistics were left as they were. Rank ${bad} says where`,
	);
}

/**
 * Batch normalization of x, `[N, C, …]`, by the mean and variance of the batches of all ranks together: the same as
 * {@link batchNorm} on all their examples in one process, up to rounding.
 *
 *     y = (x - mean) / sqrt(var + eps) * weight + bias
 *
 * All ranks call it together, each with its own examples: as many as it has, or none. Gradients flow through the
 * statistics to the examples of all ranks, which takes backward on all ranks, too; the gradients of `weight` and `bias` are
 * those of the rank's own examples, to be added up over ranks with those of every other parameter. `runningMean` and
 * `runningVar` become the same bits on every rank. In evaluation, and without a communicator or with one of size 1, it is
 * `batchNorm`.
 *
 * Forward sends 2 C + 1 numbers of 8 bytes a rank to all ranks, backward adds up 2 C.
 *
 * @throws EvenkeelError as batchNorm does; on all ranks if a rank's batch holds NaN or infinity, naming it, or if there is
 *   one value a channel on all of them together
 */
export function syncBatchNorm(x: Tensor, options: SyncBatchNormOptions = {}): Tensor {
	const { communicator = null, taken = () => {}, ...own } = options;
	if (!own.training || communicator === null || communicator.size === 1) {
		const y = batchNorm(x, own);
		if (own.training && own.runningMean && x.size > 0) taken();
		return y;
	}
	const { weight = null, bias = null, runningMean = null, runningVar = null, eps = 1e-5 } = own;
	const { runningVariance = "unbiased" } = own;
	const what = own.name ?? "syncBatchNorm";
	const geometry = checkedGeometry(what, x, { weight, bias, runningMean, runningVar }, eps, own.channelAxis);
	const momentum = resolveMomentum(own, what) ?? 0.1;
	checkRunningVariance(what, runningVariance);
	const unbiased = runningVariance === "unbiased";
	const running = runningMean && runningVar ? { mean: runningMean, var: runningVar, momentum, unbiased } : null;
	const inputs = [x];
	const weightAt = weight ? inputs.push(weight) - 1 : -1;
	const biasAt = bias ? inputs.push(bias) - 1 : -1;
	const part = { ...geometry, start: 0, statsStart: 0, count: geometry.n * geometry.s };
	const attrs = { what, eps, part, weightAt, biasAt, running, communicator, taken, total: 0 };
	return apply(syncBatchNormOp, inputs, attrs);
}

function oneValue(what: string, { size }: Communicator): string {
	return (
		`${what}: training needs more than one value a channel, and the batches of all ${size} ranks together have one: the ` +
		"variance of a single value is 0. Use a larger batch (dropLast leaves out a last batch of one)"
	);
}
