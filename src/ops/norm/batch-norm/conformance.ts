import type { Runner } from "../../../../test/conformance/runner.ts";
import { type BatchNormOptions, batchNorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	batchNorm({ x, ...tensors }, attrs) {
		const y = batchNorm(x, { training: true, ...tensors, ...(attrs as BatchNormOptions) });
		const { runningMean, runningVar } = tensors;
		return runningMean ? { y, state: { runningMean, runningVar } } : y;
	},
};
