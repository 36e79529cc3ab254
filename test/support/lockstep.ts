// Several ranks in one thread, where a collective cannot wait for another rank: each rank's body is run up to the first
// collective to which some rank has not yet contributed, and run again from the start when all have. A body must do the
// same each time. K collectives take K + 1 runs.

import { newArray } from "../../src/communicator/checks.ts";
import type {
	Communicator,
	NewArray,
	Pending,
	ReduceOp,
	Reducible,
	Sendable,
} from "../../src/communicator/communicator.ts";

/** Ends a run that has come to a collective that others have not reached. */
class Waiting extends Error {}

/** What each rank brought to one collective. */
export interface Collective {
	readonly name: string;
	readonly contributions: (Sendable | null)[];
}

const combine: Readonly<Record<ReduceOp, (a: number, b: number) => number>> = {
	sum: (a, b) => a + b,
	min: Math.min,
	max: Math.max,
};

/** One rank of a {@link lockstep}. */
class LockstepRank implements Communicator {
	readonly host = "lockstep";
	readonly library = "lockstep";
	/** How many collectives this run has come through. */
	passed = 0;

	readonly rank: number;
	readonly size: number;
	readonly #log: Collective[];

	constructor(rank: number, size: number, log: Collective[]) {
		this.rank = rank;
		this.size = size;
		this.#log = log;
	}

	allreduce(values: Reducible, op: ReduceOp = "sum"): void {
		const all = this.#exchange("allreduce", values);
		values.set(all[0]);
		for (const other of all.slice(1))
			for (let i = 0; i < values.length; i++) values[i] = combine[op](values[i], other[i]);
	}

	iallreduce(values: Reducible, op: ReduceOp = "sum"): Pending {
		this.allreduce(values, op);
		return { test: () => true, wait() {} };
	}

	allgather<T extends Sendable>(values: T): NewArray<T> {
		const all = this.#exchange("allgather", values);
		const gathered = newArray("allgather", values, values.length * this.size);
		all.forEach((own, rank) => {
			gathered.set(own, rank * values.length);
		});
		return gathered;
	}

	allgatherv<T extends Sendable>(values: T): NewArray<T>[] {
		return this.#exchange("allgatherv", values).map((own) => {
			const copy = newArray("allgatherv", values, own.length);
			copy.set(own);
			return copy;
		});
	}

	broadcast(values: Sendable, root = 0): void {
		values.set(this.#exchange("broadcast", values)[root]);
	}

	barrier(): void {
		this.#exchange("barrier", new Uint8Array(0));
	}

	abort(code = 1): never {
		throw new Error(`rank ${this.rank} aborted with code ${code}`);
	}

	finalize(): void {
		this.#exchange("finalize", new Uint8Array(0));
	}

	#exchange(name: string, values: Sendable): Sendable[] {
		const at = this.passed++;
		this.#log[at] ??= { name, contributions: Array.from({ length: this.size }, () => null) };
		const { name: expected, contributions } = this.#log[at];
		if (expected !== name) throw new Error(`rank ${this.rank} calls ${name} where another calls ${expected}`);
		contributions[this.rank] ??= values.slice();
		const all = contributions.filter((own) => own !== null);
		if (all.length < this.size) throw new Waiting(`${name}, collective ${at}`);
		return all;
	}
}

/** How many contributions there are. */
function sent(log: readonly Collective[]): number {
	return log.reduce((sum, { contributions }) => sum + contributions.filter((own) => own !== null).length, 0);
}

/**
 * Runs `body` as each of `size` ranks and returns what each returned. `log`, if given, then holds what they exchanged.
 *
 * @throws what a body throws; an Error if ranks do not come to the same collectives
 */
export function lockstep<T>(size: number, body: (communicator: Communicator) => T, log: Collective[] = []): T[] {
	for (;;) {
		const known = sent(log);
		const results: { value: T }[] = [];
		let waiting: Waiting | null = null;
		for (let rank = 0; rank < size; rank++) {
			try {
				results.push({ value: body(new LockstepRank(rank, size, log)) });
			} catch (error) {
				if (!(error instanceof Waiting)) throw error;
				waiting = error;
			}
		}
		if (waiting === null) return results.map(({ value }) => value);
		if (sent(log) === known) throw new Error(`lockstep: a rank waits for others that have ended: ${waiting.message}`);
	}
}
