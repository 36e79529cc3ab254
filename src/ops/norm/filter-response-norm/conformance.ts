import type { Runner } from "../../../../test/conformance/runner.ts";
import { type FilterResponseNormOptions, filterResponseNorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	filterResponseNorm: ({ x, ...tensors }, attrs) =>
		filterResponseNorm(x, { ...tensors, ...(attrs as FilterResponseNormOptions) }),
};
