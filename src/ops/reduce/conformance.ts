// How the cases of cases.json are called.

import type { Runner } from "../../../test/conformance/runner.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import * as ops from "./op.ts";

type Reduce = (x: Tensor, axes?: number | readonly number[], options?: ops.ReduceOptions) => Tensor;

function reduce(op: Reduce): Runner {
	return ({ x }, { axes, keepDims }) =>
		op(x, (axes as number | number[] | null) ?? undefined, { keepDims: keepDims === true });
}

function index(op: (x: Tensor, axis?: number) => Tensor): Runner {
	return ({ x }, { axis }) => op(x, axis as number);
}

export const runners: Record<string, Runner> = {
	sum: reduce(ops.sum),
	mean: reduce(ops.mean),
	max: reduce(ops.max),
	min: reduce(ops.min),
	argmax: index(ops.argmax),
	argmin: index(ops.argmin),
};
