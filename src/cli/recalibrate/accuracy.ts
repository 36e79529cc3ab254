// The share of examples that a network gets right.

import type { Dataset } from "../../data/index.ts";
import { zeros } from "../../ops/creation.ts";
import { evaluate } from "../../train/evaluate.ts";
import { metricNamed } from "../../train/objective.ts";
import type { Subject } from "./subject.ts";

/** In [0, 1], on so many labeled examples, before and after. */
export interface Accuracy {
	readonly before: number;
	readonly after: number;
	readonly examples: number;
}

/** The accuracy of `subject` on labeled examples, in [0, 1]. */
export async function accuracyOf(
	{ net, transform, batchSize }: Pick<Subject, "net" | "transform" | "batchSize">,
	labeled: Dataset,
	signal?: AbortSignal,
): Promise<number> {
	// The loss plays no part.
	const objective = { net, loss: { name: "none", compute: () => zeros([]) }, metrics: [metricNamed("accuracy")] };
	const { accuracy } = await evaluate(objective, labeled, { transform, batchSize: batchSize ?? 256, signal });
	return accuracy ?? Number.NaN;
}
