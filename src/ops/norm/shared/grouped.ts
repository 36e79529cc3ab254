// The op behind layer, RMS, group and instance norm: statistics over consecutive elements. What
// differs between them is a geometry and whether a mean is taken out.
//
//   y = (x - mean) / sqrt(var + eps) * weight + bias

import { check, NotFiniteError } from "../../../errors.ts";
import type { Shape } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { apply, checkFloat, empty, type KernelSet, kernelsFor, type Op } from "../../op.ts";
import { referenceGrouped } from "./grouped-reference.ts";
import { wasmGrouped } from "./grouped-wasm.ts";

export interface GroupedGeometry {
	/** How many groups have statistics of their own. */
	readonly groups: number;
	/** Consecutive elements in a group. */
	readonly length: number;
	/** Consecutive elements that share one scale and shift. */
	readonly span: number;
	/** Groups until the table of scales starts over; it holds period * length / span values. */
	readonly period: number;
	/** Whether the mean is taken out. */
	readonly centered: boolean;
}

interface Common extends GroupedGeometry {
	readonly x: Tensor;
	readonly weight: Tensor | null;
	/** Three rows, one value a group: mean, the rest of the mean that float32 does not hold, rstd. */
	readonly stats: Tensor;
}

export interface GroupedKernels {
	forward(args: Common & { y: Tensor; bias: Tensor | null; eps: number }): void;
	backward(args: Common & { dy: Tensor; dx: Tensor | null; dweight: Tensor | null; dbias: Tensor | null }): void;
}

const kernels: KernelSet<GroupedKernels> = { reference: referenceGrouped, wasm: wasmGrouped };

interface Attrs {
	readonly what: string;
	readonly geometry: GroupedGeometry;
	readonly eps: number;
	/** Places of the optional inputs, -1 where they are absent. */
	readonly weightAt: number;
	readonly biasAt: number;
	/** The shape of scale and shift, and so of their gradients. */
	readonly affineShape: Shape;
}

const groupedNormOp: Op<Attrs> = {
	name: "norm",

	forward(inputs, { what, geometry, eps, weightAt, biasAt }, ctx) {
		const x = inputs[0];
		const weight = inputs[weightAt] ?? null;
		const bias = inputs[biasAt] ?? null;
		const y = empty(x.shape, x.backend, "float", what);
		const stats = empty([3, geometry.groups], x.backend, "float", `${what} statistics`);
		if (x.size > 0) {
			kernelsFor(kernels, x).forward({ x, y, weight, bias, stats, eps, ...geometry });
			checkFinite(what, stats, geometry);
		} else stats.view().fill(0);
		if (ctx.recording) ctx.save(x, stats, ...(weight ? [weight] : []));
		stats.dispose();
		return y;
	},

	backward(dy, { attrs, saved, needsGrad }) {
		const { what, geometry, weightAt, biasAt } = attrs;
		const [x, stats, weight = null] = saved;
		const table = (name: string) => empty(attrs.affineShape, x.backend, "float", `${what} ${name}`);
		const dx = needsGrad[0] ? empty(x.shape, x.backend, "float", `${what} dx`) : null;
		const dweight = needsGrad[weightAt] ? table("dweight") : null;
		const dbias = needsGrad[biasAt] ? table("dbias") : null;
		if (x.size > 0) kernelsFor(kernels, x).backward({ x, dy, dx, weight, dweight, dbias, stats, ...geometry });
		else for (const sum of [dweight, dbias]) sum?.view().fill(0);
		const grads: (Tensor | null)[] = [dx];
		if (weightAt > 0) grads[weightAt] = dweight;
		if (biasAt > 0) grads[biasAt] = dbias;
		return grads;
	},
};

/**
 * Normalizes `x` by `geometry`. `weight` and `bias` are flat tables of
 * `period * length / span` values. The caller has checked shapes against its own definition.
 */
export function groupedNorm(
	x: Tensor,
	geometry: GroupedGeometry,
	{ weight, bias, eps, what }: { weight?: Tensor | null; bias?: Tensor | null; eps: number; what: string },
): Tensor {
	checkFloat(what, x);
	check(eps >= 0, () => `${what}: eps must be at least 0, got ${eps}`);
	const inputs = [x];
	const weightAt = weight ? inputs.push(weight) - 1 : -1;
	const biasAt = bias ? inputs.push(bias) - 1 : -1;
	const affineShape = (weight ?? bias)?.shape ?? [];
	return apply(groupedNormOp, inputs, { what, geometry, eps, weightAt, biasAt, affineShape });
}

function checkFinite(what: string, stats: Tensor, { groups }: GroupedGeometry): void {
	const table = stats.view();
	for (let group = 0; group < groups; group++) {
		// An infinite variance leaves 1 / sqrt(variance) at 0; a variance of 0 with eps 0 is not an error.
		if (Number.isFinite(table[group]) && table[2 * groups + group] > 0) continue;
		throw new NotFiniteError(
			`${what}: group ${group} of ${groups} holds NaN, infinity, or values too large for their variance to be represented. ` +
				"Check the input data, or lower the learning rate if the values grew in training",
		);
	}
}
