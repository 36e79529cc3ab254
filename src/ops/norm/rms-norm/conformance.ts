import type { Runner } from "../../../../test/conformance/runner.ts";
import { rmsNorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	rmsNorm: ({ x, weight }, { normalizedShape, eps }) =>
		rmsNorm(x, normalizedShape as number[], { weight, eps: eps as number | undefined }),
};
