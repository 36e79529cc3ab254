// The statistics that one layer should have: gathered from what it is given, batch by batch, then written in the
// layer's own convention.

import { check, EvenkeelError } from "../../errors.ts";
import { isBatchNorm } from "../../nn/is-norm.ts";
import { ChannelNorm } from "../../nn/layers/channel-norm.ts";
import type { Module } from "../../nn/module.ts";
import { type ChannelGeometry, channelGeometry } from "../../ops/norm/shared/geometry.ts";
import { Moments } from "../../ops/norm/shared/moments.ts";
import { eachOfChannel, referenceStatistics, statisticsOf } from "../../ops/norm/shared/statistics.ts";
import type { TypedArray } from "../../tensor/dtype.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** How far a layer's statistics moved, over its channels. */
export interface Movement {
	/** |new mean - old mean| in old running deviations, sqrt(variance + eps). */
	readonly meanShift: { readonly median: number; readonly largest: number };
	/** New variance over old, each with eps added. */
	readonly varianceRatio: { readonly smallest: number; readonly median: number; readonly largest: number };
}

/** Whether evaluation normalizes by running statistics of `module`: batch norm's family, and instance norm that tracks. */
export function keepsStatistics(module: Module): module is ChannelNorm {
	return module instanceof ChannelNorm && module.trackRunningStats;
}

/** The estimate for one layer. */
export class Estimate {
	readonly layer: ChannelNorm;
	/** How often the layer runs in one forward of the network. */
	calls = 0;
	#moments: Moments | null = null;
	/** Instance norm tracks the average over examples of each one's variance: the sum of these, and how many. */
	#variances: Moments | null = null;
	#before: TypedArray[] | null = null;

	constructor(layer: ChannelNorm) {
		this.layer = layer;
	}

	/** Values a channel so far; for instance norm, examples. */
	get count(): number {
		return this.#moments?.count ?? 0;
	}

	/**
	 * Takes in what the layer is given.
	 *
	 * @param mask which positions count, as batch norm takes it
	 * @param batch how errors name the batch
	 * @throws EvenkeelError naming the layer if a value that counts is not finite
	 */
	add(x: Tensor, mask: Tensor | undefined, batch: string): void {
		if (x.size === 0) return;
		const { layer } = this;
		const geometry = channelGeometry(x.shape, layer.label, layer.channelAxis);
		if (!isBatchNorm(layer)) {
			this.#addExamples(x, geometry, batch);
			return;
		}
		const counted = mask
			? this.#masked(x, mask, geometry)
			: { count: geometry.n * geometry.s, ...statisticsOf(x, geometry) };
		if (counted.count === 0) return;
		this.#checkFinite(x, geometry, counted, batch, mask);
		this.#moments ??= new Moments(geometry.c);
		this.#moments.add(counted.count, counted.mean, counted.variance);
	}

	/** Each example's own mean and variance, all examples alike. */
	#addExamples(x: Tensor, { n, c, s }: ChannelGeometry, batch: string): void {
		check(
			s > 1,
			() => `recalibrate: ${this.layer.label}: a channel of one example holds a single value, whose variance is 0`,
		);
		const own = statisticsOf(x, { n: 1, c: n * c, s });
		const geometry = { n, c, s };
		this.#moments ??= new Moments(c);
		this.#variances ??= new Moments(c);
		const none = new Float64Array(c);
		for (let example = 0; example < n; example++) {
			const mean = own.mean.subarray(example * c, (example + 1) * c);
			const variance = own.variance.subarray(example * c, (example + 1) * c);
			this.#checkFinite(x, geometry, { mean, variance }, batch);
			this.#moments.add(1, mean, none);
			this.#variances.add(
				1,
				variance.map((value) => (value * s) / (s - 1)),
				none,
			);
		}
	}

	#masked(x: Tensor, mask: Tensor, geometry: ChannelGeometry) {
		const { n, c, s } = geometry;
		check(
			mask.size === n * s,
			() =>
				`${this.layer.label}: the mask has shape ${formatShape(mask.shape)}, expected one value a position of ` +
				`${formatShape(x.shape)} without the channel axis`,
		);
		const counts = mask.view().subarray(0, mask.size);
		const count = Array.from(counts).filter((value) => value !== 0).length;
		const table = new Float64Array(4 * c);
		if (count > 0) referenceStatistics(x.view(), table, { ...geometry, count, mask: counts }, 0);
		return { count, mean: table.subarray(0, c), variance: table.subarray(3 * c) };
	}

	#checkFinite(
		x: Tensor,
		geometry: ChannelGeometry,
		{ mean, variance }: { mean: Float64Array; variance: Float64Array },
		batch: string,
		mask?: Tensor,
	): void {
		const channel = mean.findIndex((value, i) => !Number.isFinite(value) || !Number.isFinite(variance[i]));
		if (channel === -1) return;
		const values = x.view();
		const counts = mask?.view();
		let found = "values too large for their variance to be represented";
		let example = 0;
		eachOfChannel(channel, geometry, (i, position) => {
			if (Number.isFinite(values[i]) || counts?.[position] === 0 || example > 0) return;
			example = Math.floor(i / (x.size / x.shape[0])) + 1;
			found = String(values[i]);
		});
		throw new EvenkeelError(
			`recalibrate: ${this.layer.label}: channel ${channel} of what it is given holds ${found} ` +
				`(${example > 0 ? `example ${example} of ` : ""}${batch}); the network was left as it was. ` +
				"Check the data, and the weights and statistics of the layers before this one",
		);
	}

	/**
	 * Writes the estimate into the layer. The count of batches stays what it was, and becomes `batches` where it was 0:
	 * a cumulative average that goes on (momentum null) then goes on from the estimate, and does not drop it.
	 *
	 * @throws EvenkeelError if there was a single value a channel, whose variance says nothing
	 */
	finish(batches: number): Movement {
		const { layer } = this;
		const { runningMean, runningVar, numBatchesTracked } = layer;
		const moments = this.#moments;
		check(
			moments && runningMean && runningVar && (moments.count > 1 || this.#variances),
			() =>
				`recalibrate: ${layer.label}: it was given ${this.count} values a channel, and a variance takes two; give more data`,
		);
		const variance = this.#variances?.mean ?? moments.variance(layer.runningVariance === "unbiased");
		this.#before = [runningMean, runningVar, numBatchesTracked].flatMap((tensor) =>
			tensor ? [tensor.dataSync()] : [],
		);
		write(runningMean, moments.mean);
		write(runningVar, variance);
		if (numBatchesTracked?.item() === 0) write(numBatchesTracked, [batches]);
		return movement(this.#before, [moments.mean, variance], layer.eps);
	}

	/** Undoes {@link finish}. */
	restore(): void {
		const { runningMean, runningVar, numBatchesTracked } = this.layer;
		[runningMean, runningVar, numBatchesTracked].forEach((tensor, i) => {
			const values = this.#before?.[i];
			if (tensor && values) write(tensor, values);
		});
	}
}

function movement(before: readonly ArrayLike<number>[], after: readonly Float64Array[], eps: number): Movement {
	const [oldMean, oldVariance] = before;
	const [mean, variance] = after;
	const shifts = mean.map((value, i) => Math.abs(value - oldMean[i]) / Math.sqrt(oldVariance[i] + eps)).sort();
	const ratios = variance.map((value, i) => (value + eps) / (oldVariance[i] + eps)).sort();
	return {
		meanShift: { median: middle(shifts), largest: shifts[shifts.length - 1] },
		varianceRatio: { smallest: ratios[0], median: middle(ratios), largest: ratios[ratios.length - 1] },
	};
}

/** The median of sorted values. */
function middle(sorted: Float64Array): number {
	const half = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function write(target: Tensor, values: ArrayLike<number>): void {
	target.view().set(values);
	target.storage.version++;
}
