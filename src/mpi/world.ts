// MPI_COMM_WORLD as a Communicator: all processes that the launcher (mpirun, srun, a Kubernetes MPIJob) started.

import { afterFinalize, checkRoot, elementType, newArray, reducibleType } from "../communicator/checks.ts";
import type { Communicator, NewArray, Pending, ReduceOp, Reducible, Sendable } from "../communicator/communicator.ts";
import { check } from "../errors.ts";
import { type Calls, readInt, readText } from "./calls.ts";
import type { Handles } from "./handles.ts";

/** About a millisecond over TCP: a message that is on its way comes sooner, and a rank that still computes may need this core. */
const LOOKS_BEFORE_NAPS = 500;
const NAP_MILLISECONDS = 0.05;
const nap = new Int32Array(new SharedArrayBuffer(4));

/** For what a rank has written to come to the launcher. */
const OUTPUT_MILLISECONDS = 200;

export class MpiWorld implements Communicator {
	readonly rank: number;
	readonly size: number;
	readonly host: string;
	readonly library: string;
	readonly #mpi: Calls;
	readonly #handles: Handles;
	/** What MPI still reads or writes, which must neither move nor be freed. */
	readonly #underWay = new Set<Pending>();
	/** Called now and then while a collective waits for the other ranks; what it throws ends the wait. */
	whileWaiting: (() => void) | null = null;
	#finalized = false;

	constructor(mpi: Calls, handles: Handles, library: string) {
		this.#mpi = mpi;
		this.#handles = handles;
		this.library = library;
		this.rank = readInt((value) => mpi.rank(handles.world, value));
		this.size = readInt((value) => mpi.size(handles.world, value));
		this.host = readText((text, length) => mpi.processorName(text, length));
	}

	allreduce(values: Reducible, op: ReduceOp = "sum"): void {
		this.#reduce("allreduce", values, op).wait();
	}

	iallreduce(values: Reducible, op: ReduceOp = "sum"): Pending {
		return this.#reduce("iallreduce", values, op);
	}

	#reduce(call: string, values: Reducible, op: ReduceOp): Pending {
		this.#open(call);
		const { inPlace, types, ops, world } = this.#handles;
		const type = types[reducibleType(call, values, op)];
		return this.#begin([values], (request) => {
			this.#mpi.iallreduce(inPlace, values, values.length, type, ops[op], world, request);
		});
	}

	allgather<T extends Sendable>(values: T): NewArray<T> {
		this.#open("allgather");
		const { types, world } = this.#handles;
		const type = types[elementType("allgather", values)];
		const { length } = values;
		const all = newArray("allgather", values, length * this.size);
		this.#begin([values, all], (request) => {
			this.#mpi.iallgather(values, length, type, all, length, type, world, request);
		}).wait();
		return all;
	}

	allgatherv<T extends Sendable>(values: T): NewArray<T>[] {
		this.#open("allgatherv");
		const { types, world } = this.#handles;
		const type = types[elementType("allgatherv", values)];
		const counts = this.allgather(Int32Array.of(values.length));
		const starts = new Int32Array(this.size);
		for (let rank = 1; rank < this.size; rank++) starts[rank] = starts[rank - 1] + counts[rank - 1];
		const total = counts.reduce((sum, count) => sum + count, 0);
		check(total < 2 ** 31, () => `allgatherv: the ranks have ${total} values together; MPI counts to 2^31 - 1`);
		const all = newArray("allgatherv", values, total);
		this.#begin([values, all, counts, starts], (request) => {
			this.#mpi.iallgatherv(values, values.length, type, all, counts, starts, type, world, request);
		}).wait();
		return Array.from(counts, (count, rank) => part(all, starts[rank], count));
	}

	broadcast(values: Sendable, root = 0): void {
		this.#open("broadcast");
		checkRoot(root, this.size);
		const { types, world } = this.#handles;
		const type = types[elementType("broadcast", values)];
		this.#begin([values], (request) => {
			this.#mpi.ibroadcast(values, values.length, type, root, world, request);
		}).wait();
	}

	barrier(): void {
		this.#open("barrier");
		this.#begin([], (request) => this.#mpi.ibarrier(this.#handles.world, request)).wait();
	}

	abort(code = 1): never {
		// The launcher ends with its ranks, MPICH's without reading on: what was just written is to reach it first.
		Atomics.wait(nap, 0, 0, OUTPUT_MILLISECONDS);
		this.#mpi.abort(this.#handles.world, code);
		process.exit(code);
	}

	/** Ends the other ranks if they would wait for this one, which is about to exit with `code`, and says so. */
	leave(code: number): void {
		if (this.#finalized || this.size === 1) return;
		// What MPI prints of its own as it aborts comes too late for MPICH's launcher now and then.
		process.stderr.write(`rank ${this.rank} on ${this.host}: exits with code ${code}, which ends the run\n`);
		this.abort(code);
	}

	finalize(): void {
		if (this.#finalized) return;
		for (const pending of this.#underWay) pending.wait();
		this.#finalized = true;
		this.#mpi.finalize();
	}

	#open(call: string): void {
		check(!this.#finalized, () => afterFinalize(call));
	}

	/**
	 * Begins a collective. All of them are begun without waiting and then waited for here: MPI's own way of waiting knows no
	 * end when a rank is gone, and takes a core for itself. `memory` is what MPI reads and writes until it is done.
	 */
	#begin(memory: readonly Sendable[], call: (request: BigInt64Array | Int32Array) => void): Pending {
		const { statusIgnore } = this.#handles;
		const request = this.#handles.newRequest();
		const flag = new Int32Array(1);
		let done = false;
		call(request);
		const pending = {
			memory,
			test: () => {
				if (done) return true;
				this.#mpi.test(request, flag, statusIgnore);
				done = flag[0] !== 0;
				if (done) this.#underWay.delete(pending);
				return done;
			},
			wait: () => {
				for (let looks = 0; !pending.test(); looks++) {
					if (looks < LOOKS_BEFORE_NAPS) continue;
					this.whileWaiting?.();
					Atomics.wait(nap, 0, 0, NAP_MILLISECONDS);
				}
			},
		};
		this.#underWay.add(pending);
		return pending;
	}
}

/** `length` values from `start` on, as a view. */
function part<T extends NewArray<Sendable>>(all: T, start: number, length: number): T;
function part(all: NewArray<Sendable>, start: number, length: number): NewArray<Sendable> {
	return all.subarray(start, start + length);
}
