// ReduceMean, ReduceSum, ReduceMax, ReduceMin. Their axes are an attribute at first, and an input later.

import { max, mean, min, type ReduceOptions, sum } from "../../ops/reduce/op.ts";
import { normalizeAxes, type Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Operator } from "../node-context.ts";

type Reduce = (x: Tensor, axes: Shape | undefined, options: ReduceOptions) => Tensor;

function reduction(reduce: Reduce, axesAreInputFrom: number): Operator {
	return (node) => {
		const keepDims = node.flag("keepdims", true);
		const asInput = node.opset >= axesAreInputFrom;
		const nothing = asInput && node.flag("noop_with_empty_axes", false);
		const attribute = asInput ? undefined : node.ints("axes");
		const known = asInput ? node.constant(1) : null;
		const dims = node.dims(0);
		const fixed = attribute ?? (known ? Array.from(known.data) : undefined);
		if (dims && (fixed || !node.has(1))) {
			const axes = normalizeAxes(fixed?.length ? fixed : undefined, dims.length, node.label);
			const reduced = dims.map((length, axis) => (axes.includes(axis) ? 1 : length));
			node.setDims(keepDims ? reduced : dims.filter((_, axis) => !axes.includes(axis)));
		} else node.setDims(undefined);
		const x = node.input(0);
		const axesInput = asInput ? node.optional(1) : null;
		return (env) => {
			const axes = attribute ?? axesInput?.list(env) ?? [];
			const input = x.tensor(env);
			if (axes.length > 0) return reduce(input, axes, { keepDims });
			return nothing ? input : reduce(input, undefined, { keepDims });
		};
	};
}

export const reductions: Readonly<Record<string, Operator>> = {
	ReduceMean: reduction(mean, 18),
	ReduceSum: reduction(sum, 13),
	ReduceMax: reduction(max, 18),
	ReduceMin: reduction(min, 18),
};
