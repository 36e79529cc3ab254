// The operators that can be run, by name. To add one: a function here, and a case in operators.test.ts.

import type { Operator } from "../node-context.ts";
import { activations } from "./activations.ts";
import { arithmetic } from "./arithmetic.ts";
import { constants } from "./constants.ts";
import { convolution, transposedConvolution } from "./convolution.ts";
import { gemm, matrixProduct } from "./linear.ts";
import { batchNormalization, groupNormalization, instanceNormalization, layerNormalization } from "./norms.ts";
import { pools } from "./pools.ts";
import { reductions } from "./reductions.ts";
import { shapes } from "./shapes.ts";

export const operators: Readonly<Record<string, Operator>> = {
	Conv: convolution,
	ConvTranspose: transposedConvolution,
	Gemm: gemm,
	MatMul: matrixProduct,
	BatchNormalization: batchNormalization,
	InstanceNormalization: instanceNormalization,
	LayerNormalization: layerNormalization,
	GroupNormalization: groupNormalization,
	...activations,
	...pools,
	...arithmetic,
	...reductions,
	...shapes,
	...constants,
};
