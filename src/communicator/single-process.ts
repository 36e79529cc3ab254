// One process is a communicator of size 1: what is written for many ranks runs without MPI, and in a browser.

import { check, EvenkeelError } from "../errors.ts";
import { nodeModule } from "../node.ts";
import { afterFinalize, checkRoot, elementType, newArray, reducibleType } from "./checks.ts";
import type { Communicator, NewArray, Pending, ReduceOp, Reducible, Sendable } from "./communicator.ts";

const done: Pending = { test: () => true, wait() {} };

export class SingleProcess implements Communicator {
	readonly rank: number = 0;
	readonly size: number = 1;
	readonly library: string = "one process";
	#finalized = false;

	get host(): string {
		return nodeModule("node:os")?.hostname() ?? "localhost";
	}

	allreduce(values: Reducible, op: ReduceOp = "sum"): void {
		this.#open("allreduce");
		reducibleType("allreduce", values, op);
	}

	iallreduce(values: Reducible, op: ReduceOp = "sum"): Pending {
		this.#open("iallreduce");
		reducibleType("iallreduce", values, op);
		return done;
	}

	allgather<T extends Sendable>(values: T): NewArray<T> {
		this.#open("allgather");
		return copyOf("allgather", values);
	}

	allgatherv<T extends Sendable>(values: T): NewArray<T>[] {
		this.#open("allgatherv");
		return [copyOf("allgatherv", values)];
	}

	broadcast(values: Sendable, root = 0): void {
		this.#open("broadcast");
		elementType("broadcast", values);
		checkRoot(root, 1);
	}

	barrier(): void {
		this.#open("barrier");
	}

	abort(code = 1): never {
		globalThis.process?.exit?.(code);
		throw new EvenkeelError(`abort: the run was ended with exit code ${code}`);
	}

	finalize(): void {
		this.#finalized = true;
	}

	#open(call: string): void {
		check(!this.#finalized, () => afterFinalize(call));
	}
}

/** A communicator of one rank, this process. Needs nothing, and runs in browsers too. */
export function singleProcess(): Communicator {
	return new SingleProcess();
}

function copyOf<T extends Sendable>(call: string, values: T): NewArray<T> {
	const copy = newArray(call, values, values.length);
	copy.set(values);
	return copy;
}
