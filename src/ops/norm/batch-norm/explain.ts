// Batch normalization taken apart: nine small steps forward, the same nine undone one by one
// backward, and every intermediate handed out under its name. For reading, teaching and checking;
// `batchNorm` computes the same in two passes over x.

import { check } from "../../../errors.ts";
import { type Shape, sizeOf } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { NestedNumbers } from "../../creation.ts";
import { empty } from "../../op.ts";
import {
	checkChannels,
	checkFinite,
	checkLikeX,
	type FlatValues,
	flattenValues,
	nestValues,
	type PlainValues,
} from "./explain-values.ts";

/** Numbers that `explainBatchNorm` takes: a tensor, nested arrays, or flat data with its shape. */
export type ExplainValues = Tensor | PlainValues;

/** Options of {@link explainBatchNorm}. */
export interface ExplainOptions {
	/** Added to the variance under the root. Default 1e-5 (PyTorch's). */
	eps?: number;
	/** The gradient of the loss by `out`, of x's shape. Given, the backward stages are computed too. */
	dy?: ExplainValues;
}

/** The forward pass, in order. `C` is one value a channel, `X` has the shape of x. */
export interface ForwardStages<C, X> {
	/** Step 1: the mean of each channel, `sum(x) / m`, where m is the number of values a channel has. */
	mu: C;
	/** Step 2: what is left when the mean is taken away, `x - mu`. */
	xmu: X;
	/** Step 3: squared deviations, `xmu²`. */
	sq: X;
	/** Step 4: the (biased) variance of each channel, `sum(sq) / m`. */
	var: C;
	/** Step 5: the standard deviation, `sqrt(var + eps)`. */
	sqrtvar: C;
	/** Step 6: its inverse, `1 / sqrtvar`. */
	ivar: C;
	/** Step 7: the normalized values, `xmu * ivar`. */
	xhat: X;
	/** Step 8: scaled, `gamma * xhat`. */
	gammax: X;
	/** Step 9: shifted, `gammax + beta`: the output. */
	out: X;
}

/** The backward pass, in order: each name is the gradient of the loss by the stage it is called after. */
export interface BackwardStages<C, X> {
	/** Step 9: `sum(dy)`. */
	dbeta: C;
	/** Step 9: `dy`. */
	dgammax: X;
	/** Step 8: `sum(dgammax * xhat)`. */
	dgamma: C;
	/** Step 8: `dgammax * gamma`. */
	dxhat: X;
	/** Step 7: `sum(dxhat * xmu)`. */
	divar: C;
	/** Step 7: what reaches xmu through xhat, `dxhat * ivar`. */
	dxmu1: X;
	/** Step 6: `-divar / sqrtvar²`. */
	dsqrtvar: C;
	/** Step 5: `dsqrtvar / (2 sqrt(var + eps))`. */
	dvar: C;
	/** Step 4: `dvar / m`, to every value alike. */
	dsq: X;
	/** Step 3: what reaches xmu through the variance, `2 xmu * dsq`. */
	dxmu2: X;
	/** Step 2: what reaches x directly, `dxmu1 + dxmu2`. */
	dx1: X;
	/** Step 2: `-sum(dxmu1 + dxmu2)`. */
	dmu: C;
	/** Step 1: what reaches x through the mean, `dmu / m`, to every value alike. */
	dx2: X;
	/** `dx1 + dx2`: the gradient by x. */
	dx: X;
}

/** The arrays that come back for plain input `X`: nested as deep as x is. */
export type NestedLike<X> = X extends readonly (readonly number[])[]
	? number[][]
	: X extends readonly (readonly (readonly number[])[])[]
		? number[][][]
		: X extends readonly (readonly (readonly (readonly number[])[])[])[]
			? number[][][][]
			: NestedNumbers;

/** All stages, forward and backward. */
export type AllStages<C, X> = ForwardStages<C, X> & BackwardStages<C, X>;
/** The forward stages, and the backward ones if `dy` was given. */
export type SomeStages<C, X> = ForwardStages<C, X> & Partial<BackwardStages<C, X>>;

type WithDy = ExplainOptions & { dy: ExplainValues };
type Affine = ExplainValues | null | undefined;

/**
 * Batch normalization in training mode, staged, with every intermediate:
 *
 *     forward   1 mu = mean(x)        2 xmu = x - mu               3 sq = xmu²
 *               4 var = mean(sq)      5 sqrtvar = sqrt(var + eps)  6 ivar = 1 / sqrtvar
 *               7 xhat = xmu * ivar   8 gammax = gamma * xhat      9 out = gammax + beta
 *
 *     backward  9 dbeta, dgammax   8 dgamma, dxhat   7 divar, dxmu1   6 dsqrtvar   5 dvar
 *               4 dsq              3 dxmu2           2 dx1, dmu       1 dx2        0 dx
 *
 * Means and sums run over every axis but the channels'. All of it is computed in float64, whatever the
 * backend, and nothing is recorded on the tape. `explainBatchNorm` updates no running averages.
 *
 * @param x `[N, C]`, `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`: a tensor, nested arrays, or `{ shape, data }`
 * @param gamma the scale, one value a channel; left out or null: ones
 * @param beta the shift, one value a channel; left out or null: zeros
 * @returns an object of all stages. If x is a tensor they are tensors on its backend (rounded to its floating
 *   type); else nested arrays of numbers: `[C]` for what there is one of a channel, x's shape for the rest. Plain
 *   input needs no `init()`.
 * @throws EvenkeelError if shapes do not fit, a channel has only one value (its deviation is 0, so there is nothing
 *   to normalize), a number is not finite, or a constant channel meets `eps: 0`
 *
 * Reference: Ioffe and Szegedy 2015, algorithm 1 and section 3, https://arxiv.org/abs/1502.03167
 */
export function explainBatchNorm(x: Tensor, gamma: Affine, beta: Affine, options: WithDy): AllStages<Tensor, Tensor>;
export function explainBatchNorm(
	x: Tensor,
	gamma?: Affine,
	beta?: Affine,
	options?: ExplainOptions,
): SomeStages<Tensor, Tensor>;
export function explainBatchNorm<X extends PlainValues>(
	x: X,
	gamma: Affine,
	beta: Affine,
	options: WithDy,
): AllStages<number[], NestedLike<X>>;
export function explainBatchNorm<X extends PlainValues>(
	x: X,
	gamma?: Affine,
	beta?: Affine,
	options?: ExplainOptions,
): SomeStages<number[], NestedLike<X>>;
export function explainBatchNorm(
	x: ExplainValues,
	gamma?: Affine,
	beta?: Affine,
	options: ExplainOptions = {},
): unknown {
	const { eps = 1e-5, dy } = options;
	check(
		typeof eps === "number" && Number.isFinite(eps) && eps >= 0,
		() => `explainBatchNorm: eps must be a finite number of at least 0, got ${eps}`,
	);
	const values = flattenValues(x, "x");
	const layout = layoutOf(values);
	const scale = affine(gamma, "gamma", 1, layout.channels);
	const forward = forwardStages(values.data, layout, scale, affine(beta, "beta", 0, layout.channels), eps);
	const deliver = delivery(x, values.shape);
	if (dy === undefined) return mapValues(forward, deliver);
	const cotangent = flattenValues(dy, "dy");
	checkLikeX(cotangent.shape, values.shape);
	checkFinite(cotangent, "dy");
	return mapValues({ ...forward, ...backwardStages(cotangent.data, forward, layout, scale, eps) }, deliver);
}

type Forward = { [Stage in keyof ForwardStages<0, 0>]: Float64Array };
type Backward = { [Stage in keyof BackwardStages<0, 0>]: Float64Array };

/** The nine steps, each in one line. */
function forwardStages(x: Float64Array, layout: Layout, gamma: Float64Array, beta: Float64Array, eps: number): Forward {
	const { m, each, channel, sum } = layout;
	const total = sum((i) => x[i]);
	const mu = channel((c) => total[c] / m);
	const xmu = each((i, c) => x[i] - mu[c]);
	const sq = each((i) => xmu[i] * xmu[i]);
	const totalSq = sum((i) => sq[i]);
	const variance = channel((c) => totalSq[c] / m);
	checkVariance(variance, eps);
	const sqrtvar = channel((c) => Math.sqrt(variance[c] + eps));
	const ivar = channel((c) => 1 / sqrtvar[c]);
	const xhat = each((i, c) => xmu[i] * ivar[c]);
	const gammax = each((i, c) => gamma[c] * xhat[i]);
	const out = each((i, c) => gammax[i] + beta[c]);
	return { mu, xmu, sq, var: variance, sqrtvar, ivar, xhat, gammax, out };
}

/** The chain rule, applied to the nine steps from the last to the first. */
function backwardStages(
	dy: Float64Array,
	forward: Forward,
	layout: Layout,
	gamma: Float64Array,
	eps: number,
): Backward {
	const { m, each, channel, sum } = layout;
	const { xmu, var: variance, sqrtvar, ivar, xhat } = forward;
	const dbeta = sum((i) => dy[i]);
	const dgammax = dy;
	const dgamma = sum((i) => dgammax[i] * xhat[i]);
	const dxhat = each((i, c) => dgammax[i] * gamma[c]);
	const divar = sum((i) => dxhat[i] * xmu[i]);
	const dxmu1 = each((i, c) => dxhat[i] * ivar[c]);
	const dsqrtvar = channel((c) => -divar[c] / (sqrtvar[c] * sqrtvar[c]));
	const dvar = channel((c) => (0.5 / Math.sqrt(variance[c] + eps)) * dsqrtvar[c]);
	const dsq = each((_, c) => dvar[c] / m);
	const dxmu2 = each((i) => 2 * xmu[i] * dsq[i]);
	const dx1 = each((i) => dxmu1[i] + dxmu2[i]);
	const dmu = sum((i) => -dx1[i]);
	const dx2 = each((_, c) => dmu[c] / m);
	const dx = each((i) => dx1[i] + dx2[i]);
	return { dbeta, dgammax, dgamma, dxhat, divar, dxmu1, dsqrtvar, dvar, dsq, dxmu2, dx1, dmu, dx2, dx };
}

/** Which element belongs to which channel, as three ways to compute with that. */
interface Layout {
	channels: number;
	/** Values a channel has: N times the spatial positions. */
	m: number;
	/** An array like x, computed element by element. */
	each(fn: (i: number, c: number) => number): Float64Array;
	/** One value a channel. */
	channel(fn: (c: number) => number): Float64Array;
	/** The sum over each channel. */
	sum(fn: (i: number, c: number) => number): Float64Array;
}

function layoutOf(x: FlatValues): Layout {
	const { shape, data } = x;
	check(
		shape.length >= 2,
		() => `explainBatchNorm: expected x of shape [N, C] or [N, C, …], got [${shape.join(", ")}]`,
	);
	const channels = shape[1];
	const spatial = sizeOf(shape.slice(2));
	const m = shape[0] * spatial;
	check(
		m > 1 && channels > 0,
		() =>
			`explainBatchNorm: x of shape [${shape.join(", ")}] has ${m === 1 ? "one value" : "no values"} a channel, and ` +
			"a batch's statistics need at least two; add samples",
	);
	checkFinite(x, "x");
	const channelOf = Uint32Array.from(data, (_, i) => Math.floor(i / spatial) % channels);
	return {
		channels,
		m,
		each: (fn) => Float64Array.from(channelOf, (c, i) => fn(i, c)),
		channel: (fn) => Float64Array.from({ length: channels }, (_, c) => fn(c)),
		sum: (fn) => {
			const sums = new Float64Array(channels);
			for (let i = 0; i < channelOf.length; i++) sums[channelOf[i]] += fn(i, channelOf[i]);
			return sums;
		},
	};
}

function affine(values: Affine, name: string, fallback: number, channels: number): Float64Array {
	if (values === undefined || values === null) return new Float64Array(channels).fill(fallback);
	const flat = flattenValues(values, name);
	checkChannels(flat.shape, name, channels);
	checkFinite(flat, name);
	return flat.data;
}

function checkVariance(variance: Float64Array, eps: number): void {
	for (let c = 0; c < variance.length; c++) {
		check(
			Number.isFinite(variance[c]),
			() => `explainBatchNorm: the squares in channel ${c} overflow float64; scale x down`,
		);
		check(
			variance[c] + eps > 0,
			() => `explainBatchNorm: channel ${c} is constant and eps is 0, so 1 / sqrt(var + eps) is infinite; raise eps`,
		);
	}
}

/** Turns a computed stage into what the caller gets: a tensor beside x, or nested arrays. */
function delivery(x: ExplainValues, shape: Shape): (stage: Float64Array, name: string) => Tensor | NestedNumbers {
	return (stage, name) => {
		const stageShape = perChannel.has(name) ? [shape[1]] : shape;
		if (!("isEvenkeelTensor" in x)) return nestValues(stage, stageShape);
		const made = empty(stageShape, x.backend, "float", name);
		made.view().set(stage);
		return made;
	};
}

const perChannel: ReadonlySet<string> = new Set<keyof AllStages<0, 0>>([
	"mu",
	"var",
	"sqrtvar",
	"ivar",
	"dbeta",
	"dgamma",
	"divar",
	"dsqrtvar",
	"dvar",
	"dmu",
]);

function mapValues<T, U>(object: Record<string, T>, fn: (value: T, key: string) => U): Record<string, U> {
	return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fn(value, key)]));
}
