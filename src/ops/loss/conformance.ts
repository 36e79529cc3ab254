// The losses as test/conformance calls them.

import type { Runner } from "../../../test/conformance/runner.ts";
import { bceWithLogits, crossEntropy, mseLoss, nllLoss } from "./op.ts";

export const runners: Record<string, Runner> = {
	crossEntropy: ({ x, labels }, attrs) => crossEntropy(x, labels, attrs),
	nllLoss: ({ x, labels }, attrs) => nllLoss(x, labels, attrs),
	mseLoss: ({ x, target }, attrs) => mseLoss(x, target, attrs),
	bceWithLogits: ({ x, target, posWeight }, attrs) => bceWithLogits(x, target, { posWeight, ...attrs }),
};
