import type { Runner } from "../../../test/conformance/runner.ts";
import { matmul } from "./op.ts";

export const runners: Record<string, Runner> = {
	matmul: ({ a, b }) => matmul(a, b),
};
