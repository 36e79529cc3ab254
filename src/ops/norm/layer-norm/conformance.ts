import type { Runner } from "../../../../test/conformance/runner.ts";
import { layerNorm } from "./op.ts";

export const runners: Record<string, Runner> = {
	layerNorm: ({ x, weight, bias }, { normalizedShape, eps }) =>
		layerNorm(x, normalizedShape as number[], { weight, bias, eps: eps as number | undefined }),
};
