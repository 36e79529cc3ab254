// How folding says no. Plans are made without changing anything, so that any step of one may refuse.

/** A norm that stays where it is, and why: the message is a sentence's second half, "its output is also read by …". */
export class Refusal extends Error {
	override name = "Refusal";
}

export function refuse(reason: string): never {
	throw new Refusal(reason);
}

/** Throws a {@link Refusal} unless `condition` holds. */
export function demand(condition: unknown, reason: string | (() => string)): asserts condition {
	if (!condition) refuse(typeof reason === "string" ? reason : reason());
}

/** What `plan` makes, or why it refuses. */
export function attempt<Plan extends object>(plan: () => Plan): Plan | string {
	try {
		return plan();
	} catch (error) {
		if (error instanceof Refusal) return error.message;
		throw error;
	}
}
