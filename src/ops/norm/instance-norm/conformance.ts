import type { Runner } from "../../../../test/conformance/runner.ts";
import { type InstanceNormOptions, instanceNorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	instanceNorm({ x, ...tensors }, attrs) {
		const y = instanceNorm(x, { ...tensors, ...(attrs as InstanceNormOptions) });
		const { runningMean, runningVar } = tensors;
		return runningMean ? { y, state: { runningMean, runningVar } } : y;
	},
};
