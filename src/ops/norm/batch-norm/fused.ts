// Forward and backward of batch normalization as the tape sees them: one op, whatever the options.
// A batch is normalized in parts: one, or several virtual batches, each by statistics of its own.

import { NotFiniteError } from "../../../errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { addInPlace } from "../../elementwise/add-in-place.ts";
import { empty, type KernelSet, kernelsFor, type Op } from "../../op.ts";
import type { ChannelGeometry } from "../shared/geometry.ts";
import { referenceBatchNorm } from "./reference.ts";
import { type RunningStatistics, updateRunningStatistics } from "./running-statistics.ts";
import { wasmBatchNorm } from "./wasm.ts";

/** A part of the batch: its geometry, and where it and its statistics start. */
export interface Part extends ChannelGeometry {
	/** Elements of x before this part. */
	readonly start: number;
	/** Elements of the table of statistics before this part's. */
	readonly statsStart: number;
	/** Values a channel that the statistics are of: n * s, or what the mask leaves in. */
	readonly count: number;
}

/** What may follow in the same pass. */
export type Following = "relu" | "sigmoid";

/** Means of windows of 2 x 2 that touch, over planes of height x width. */
export interface Halving {
	readonly height: number;
	readonly width: number;
	readonly outHeight: number;
	readonly outWidth: number;
}

interface Common {
	readonly x: Tensor;
	readonly part: Part;
	readonly weight: Tensor | null;
	/** For each part four rows of C: mean, the rest of the mean that float32 does not hold, rstd, variance. */
	readonly stats: Tensor;
	/** 1 where a position counts, [n, s], floating. Default: all do. */
	readonly mask?: Tensor | null;
	/** What follows in the same pass; only where {@link canFollow} says so. Default: nothing. */
	readonly following?: Following | null;
	/** What follows that, likewise. */
	readonly halving?: Halving | null;
}

/** y is what follows makes of x; the means of it go to `pooled`. */
interface Outputs {
	readonly y: Tensor;
	readonly pooled?: Tensor | null;
}

export interface BatchNormKernels {
	/** Statistics of x into `stats`, and y from them. Returns the launch after which the statistics are there; none: the last. */
	forward(args: Common & Outputs & { bias: Tensor | null; eps: number }): number | undefined;
	/** y from given statistics. */
	normalize(args: Common & Outputs & { bias: Tensor | null }): void;
	/** dx, dweight and dbias, each where it is not null. */
	backward(
		args: Common & {
			/** The gradient of y, or of the means where there are some. */
			dy: Tensor;
			/** As forward left it, where something followed. */
			y?: Tensor | null;
			dx: Tensor | null;
			dweight: Tensor | null;
			dbias: Tensor | null;
			training: boolean;
		},
	): void;
}

export const batchNormKernels: KernelSet<BatchNormKernels> = { reference: referenceBatchNorm, wasm: wasmBatchNorm };

export interface BatchNormAttrs {
	readonly what: string;
	readonly eps: number;
	readonly training: boolean;
	readonly parts: readonly Part[];
	/** Places of the optional inputs, -1 where they are absent. */
	readonly weightAt: number;
	readonly biasAt: number;
	readonly maskAt: number;
	readonly running: RunningStatistics | null;
	readonly following: Following | null;
	readonly halving: Halving | null;
}

/** Whether there are kernels that do an activation in the same pass. */
export function canFollow(x: Tensor, { s }: ChannelGeometry, mask: Tensor | null): boolean {
	return x.backend.name === "wasm" && s > 1 && mask === null;
}

export const batchNormOp: Op<BatchNormAttrs> = {
	name: "batchNorm",

	forward(inputs, attrs, ctx) {
		const x = inputs[0];
		const weight = inputs[attrs.weightAt] ?? null;
		const bias = inputs[attrs.biasAt] ?? null;
		const mask = inputs[attrs.maskAt] ?? null;
		const { following, halving } = attrs;
		const { c } = attrs.parts[0];
		const y = empty(x.shape, x.backend, "float", "batchNorm");
		const pooled =
			halving && empty([...x.shape.slice(0, 2), halving.outHeight, halving.outWidth], x.backend, "float", "batchNorm");
		const stats = empty([attrs.parts.length, 4, c], x.backend, "float", "batchNorm statistics");
		if (x.size === 0) stats.view().fill(0);
		else if (attrs.training) {
			let through: number | undefined;
			for (const part of attrs.parts) {
				through = kernelsFor(batchNormKernels, x).forward({
					x,
					y,
					pooled,
					weight,
					bias,
					stats,
					mask,
					following,
					halving,
					eps: attrs.eps,
					part,
				});
			}
			// All parts are looked at before any is taken into the running statistics.
			for (const part of attrs.parts) checkFinite(attrs.what, x, stats, mask, part, through);
			for (const part of attrs.parts) if (attrs.running) updateRunningStatistics(attrs.running, stats, part, through);
		} else {
			statisticsFromRunning(stats, attrs.running as RunningStatistics, c, attrs.eps);
			kernelsFor(batchNormKernels, x).normalize({
				x,
				y,
				pooled,
				weight,
				bias,
				stats,
				mask,
				following,
				halving,
				part: attrs.parts[0],
			});
		}
		if (ctx.recording) ctx.save(x, stats, ...[weight, mask, following ? y : null].filter((tensor) => tensor !== null));
		stats.dispose();
		if (pooled === null) return y;
		y.dispose();
		return pooled;
	},

	backward(dy, { attrs, saved, needsGrad, last }) {
		const { weightAt, biasAt, maskAt, training, following, halving } = attrs;
		const [x, stats, ...rest] = saved;
		const weight = weightAt > 0 ? (rest.shift() ?? null) : null;
		const mask = maskAt > 0 ? (rest.shift() ?? null) : null;
		const y = following ? (rest.shift() ?? null) : null;
		const channels = [attrs.parts[0].c];
		const perChannel = (name: string) => empty(channels, x.backend, "float", name);
		// With an activation the kernels keep in dx what arrives at the norm, so they need it in any case.
		// Where nobody else looks at y any more, it takes the place of y, which the caches hold.
		const inPlace = last && y !== null && y.storage.refs === 1;
		const room = () => (needsGrad[0] || following ? empty(x.shape, x.backend, "float", "batchNorm dx") : null);
		const dx = inPlace ? y : room();
		const dweight = needsGrad[weightAt] ? perChannel("batchNorm dweight") : null;
		const dbias = needsGrad[biasAt] ? perChannel("batchNorm dbias") : null;
		if (x.size === 0) for (const sum of [dweight, dbias]) sum?.view().fill(0);
		else {
			attrs.parts.forEach((part, i) => {
				const own = {
					dweight: i > 0 && dweight ? perChannel("part") : dweight,
					dbias: i > 0 && dbias ? perChannel("part") : dbias,
				};
				kernelsFor(batchNormKernels, x).backward({
					x,
					dy,
					y,
					dx,
					weight,
					stats,
					mask,
					training,
					following,
					halving,
					dweight: own.dweight,
					dbias: own.dbias,
					part,
				});
				if (i === 0) return;
				for (const [sum, term] of [
					[dweight, own.dweight],
					[dbias, own.dbias],
				]) {
					if (sum && term) addInPlace(sum, term);
					term?.dispose();
				}
			});
		}
		if (!needsGrad[0] && !inPlace) dx?.dispose();
		const grads: (Tensor | null)[] = [needsGrad[0] ? dx : null];
		if (weightAt > 0) grads[weightAt] = dweight;
		if (biasAt > 0) grads[biasAt] = dbias;
		if (maskAt > 0) grads[maskAt] = null;
		return grads;
	},
};

function statisticsFromRunning(stats: Tensor, running: RunningStatistics, c: number, eps: number): void {
	const table = stats.view();
	const mean = running.mean.view();
	const variance = running.var.view();
	for (let channel = 0; channel < c; channel++) {
		table[channel] = mean[channel];
		table[c + channel] = 0;
		table[2 * c + channel] = 1 / Math.sqrt(variance[channel] + eps);
		table[3 * c + channel] = variance[channel];
	}
}

/** Throws if a statistic of `part` is not finite, and says where in x that comes from. They are there after the launch `through`. */
export function checkFinite(
	what: string,
	x: Tensor,
	stats: Tensor,
	mask: Tensor | null,
	part: Part,
	through?: number,
): void {
	const { n, c, s, start, statsStart } = part;
	const table = stats.view(through);
	for (let channel = 0; channel < c; channel++) {
		const at = statsStart + channel;
		if (Number.isFinite(table[at]) && Number.isFinite(table[at + 3 * c])) continue;
		const values = x.view();
		const counts = mask?.view();
		let found = "values too large for their variance to be represented";
		search: for (let example = 0; example < n; example++) {
			for (let i = 0; i < s; i++) {
				const value = values[start + (example * c + channel) * s + i];
				if (!Number.isFinite(value) && (!counts || counts[example * s + i])) {
					found = `${value} in example ${example + start / (c * s)}`;
					break search;
				}
			}
		}
		throw new NotFiniteError(
			`${what}: channel ${channel} of the batch holds ${found}; the running statistics were left as they were. ` +
				"Check the input data, or lower the learning rate if the values grew in training",
		);
	}
}
