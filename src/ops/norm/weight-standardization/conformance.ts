import type { Runner } from "../../../../test/conformance/runner.ts";
import { standardizeWeight } from "./op.ts";

export const runners: Record<string, Runner> = {
	standardizeWeight: ({ weight }, { eps }) => standardizeWeight(weight, { eps: eps as number | undefined }),
};
