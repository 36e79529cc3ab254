// Lengths that follow the batch: a number that is the same in every run, or one that grows with how many examples there
// are. Found out by running the network on batches of different sizes.

import { EvenkeelError } from "../../errors.ts";
import type { Shape } from "../../tensor/shape.ts";

/** `times` N + `plus`, where N is the number of examples in the batch. */
export interface Length {
	readonly times: number;
	readonly plus: number;
}

/** A length that is the same whatever the batch. */
export function fixed(length: number): Length {
	return { times: 0, plus: length };
}

export function isFixed({ times }: Length): boolean {
	return times === 0;
}

export function sameLength(a: Length, b: Length): boolean {
	return a.times === b.times && a.plus === b.plus;
}

/** `N`, `4`, `2N + 1`: for messages, and as the name of an axis in a file. */
export function formatLength({ times, plus }: Length): string {
	if (times === 0) return String(plus);
	const batch = times === 1 ? "N" : times === -1 ? "-N" : `${times}N`;
	if (plus === 0) return batch;
	return `${batch} ${plus < 0 ? "-" : "+"} ${Math.abs(plus)}`;
}

/**
 * The length that was `values[i]` in a run on `batches[i]` examples.
 *
 * @param what opens the error message
 * @throws EvenkeelError if it is no linear function of the batch
 */
export function lengthOf(values: readonly number[], batches: readonly number[], what: string): Length {
	const [first, second] = values;
	if (values.every((value) => value === first)) return fixed(first);
	const times = (second - first) / (batches[1] - batches[0]);
	const plus = first - times * batches[0];
	const holds = values.every((value, i) => value === times * batches[i] + plus);
	if (holds && Number.isInteger(times) && Number.isInteger(plus)) return { times, plus };
	const seen = values.map((value, i) => `${value} for ${batches[i]}`).join(", ");
	throw new EvenkeelError(
		`${what}: a length follows the batch in a way that a graph cannot say (${seen} examples); ` +
			"export with dynamicBatch: false for one batch size",
	);
}

/** The shape that was `shapes[i]` in a run on `batches[i]` examples. */
export function shapeOf(shapes: readonly Shape[], batches: readonly number[], what: string): Length[] {
	const [first] = shapes;
	if (shapes.some((shape) => shape.length !== first.length)) {
		throw new EvenkeelError(
			`${what}: the number of axes depends on the size of the batch; export with dynamicBatch: false for one batch size`,
		);
	}
	return first.map((_, axis) =>
		lengthOf(
			shapes.map((shape) => shape[axis]),
			batches,
			what,
		),
	);
}
