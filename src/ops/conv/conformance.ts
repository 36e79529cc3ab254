import type { Runner } from "../../../test/conformance/runner.ts";
import { conv1d, conv2d, convTranspose1d, convTranspose2d } from "./op.ts";

export const runners: Record<string, Runner> = {
	conv1d: ({ x, weight, bias }, attrs) => conv1d(x, weight, bias ?? null, attrs),
	conv2d: ({ x, weight, bias }, attrs) => conv2d(x, weight, bias ?? null, attrs),
	convTranspose1d: ({ x, weight, bias }, attrs) => convTranspose1d(x, weight, bias ?? null, attrs),
	convTranspose2d: ({ x, weight, bias }, attrs) => convTranspose2d(x, weight, bias ?? null, attrs),
};
