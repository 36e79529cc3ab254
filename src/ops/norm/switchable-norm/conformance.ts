import type { Runner } from "../../../../test/conformance/runner.ts";
import { type SwitchableNormOptions, switchableNorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	switchableNorm({ x, meanWeight, varWeight, ...tensors }, attrs) {
		const options = { training: true, meanWeight, varWeight, ...tensors, ...(attrs as Partial<SwitchableNormOptions>) };
		const { runningMean, runningVar } = tensors;
		return { y: switchableNorm(x, options), state: { runningMean, runningVar } };
	},
};
