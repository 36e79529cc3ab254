import type { Runner } from "../../../../test/conformance/runner.ts";
import { type BatchRenormOptions, batchRenorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	batchRenorm({ x, runningMean, runningVar, weight, bias }, attrs) {
		const options = {
			training: true,
			runningMean,
			runningVar,
			weight,
			bias,
			...(attrs as Partial<BatchRenormOptions>),
		};
		return { y: batchRenorm(x, options), state: { runningMean, runningVar } };
	},
};
