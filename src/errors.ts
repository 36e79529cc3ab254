// One error class for everything a caller can put right. Its message is the manual: what was
// wrong, what arrived, what to do. The command line prints it in one line, without a stack.

/** An error about input: its message names the thing, the value and the way out. */
export class EvenkeelError extends Error {
	override name = "EvenkeelError";
}

/** An {@link EvenkeelError} about numbers that are no longer finite, or too large to go on with: training that diverged. */
export class NotFiniteError extends EvenkeelError {}

/** Throws an {@link EvenkeelError} with `message` unless `condition` holds. */
export function check(condition: unknown, message: string | (() => string)): asserts condition {
	if (!condition) throw new EvenkeelError(typeof message === "string" ? message : message());
}
