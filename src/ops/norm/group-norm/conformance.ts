import type { Runner } from "../../../../test/conformance/runner.ts";
import { groupNorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	groupNorm: ({ x, weight, bias }, { numGroups, eps }) =>
		groupNorm(x, numGroups as number, { weight, bias, eps: eps as number | undefined }),
};
