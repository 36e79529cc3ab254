import type { Runner } from "../../../test/conformance/runner.ts";
import { linear } from "./op.ts";

export const runners: Record<string, Runner> = {
	linear: ({ x, weight, bias }) => linear(x, weight, bias ?? null),
};
