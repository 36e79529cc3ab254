// How the cases of cases.json are called.

import type { Runner } from "../../../test/conformance/runner.ts";
import * as ops from "./op.ts";

export const runners: Record<string, Runner> = {
	relu: ({ x }) => ops.relu(x),
	leakyRelu: ({ x }, { negativeSlope }) => ops.leakyRelu(x, negativeSlope as number | undefined),
	sigmoid: ({ x }) => ops.sigmoid(x),
	tanh: ({ x }) => ops.tanh(x),
	gelu: ({ x }, { approximate }) => ops.gelu(x, { approximate: approximate as "none" | "tanh" | undefined }),
	silu: ({ x }) => ops.silu(x),
	softmax: ({ x }, { axis }) => ops.softmax(x, axis as number | undefined),
	logSoftmax: ({ x }, { axis }) => ops.logSoftmax(x, axis as number | undefined),
};
