// Pooling as test/conformance calls it.

import type { Runner } from "../../../test/conformance/runner.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { adaptiveAvgPool1d, adaptiveAvgPool2d, avgPool1d, avgPool2d, maxPool1d, maxPool2d } from "./op.ts";
import type { Lengths, WindowOptions } from "./plan.ts";

function windowed(pool: (x: Tensor, kernelSize: Lengths, options: WindowOptions) => Tensor): Runner {
	return ({ x }, { kernelSize, ...options }) => pool(x, kernelSize as Lengths, options);
}

function adaptive(pool: (x: Tensor, outputSize: number | readonly (number | null)[]) => Tensor): Runner {
	return ({ x }, { outputSize }) => pool(x, outputSize as number | (number | null)[]);
}

export const runners: Record<string, Runner> = {
	avgPool1d: windowed(avgPool1d),
	avgPool2d: windowed(avgPool2d),
	maxPool1d: windowed(maxPool1d),
	maxPool2d: windowed(maxPool2d),
	adaptiveAvgPool1d: adaptive(adaptiveAvgPool1d),
	adaptiveAvgPool2d: adaptive(adaptiveAvgPool2d),
};
