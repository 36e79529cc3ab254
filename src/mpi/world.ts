// MPI_COMM_WORLD as a Communicator: all processes that the launcher (mpirun, srun, a Kubernetes MPIJob) started.

import { afterFinalize, checkRoot, elementType, newArray, reducibleType } from "../communicator/checks.ts";
import type { Communicator, NewArray, Pending, ReduceOp, Reducible, Sendable } from "../communicator/communicator.ts";
import { check } from "../errors.ts";
import { type Calls, readInt, readText } from "./calls.ts";
import type { Handles } from "./handles.ts";

export class MpiWorld implements Communicator {
	readonly rank: number;
	readonly size: number;
	readonly host: string;
	readonly library: string;
	readonly #mpi: Calls;
	readonly #handles: Handles;
	/** What MPI still reads or writes, which must neither move nor be freed. */
	readonly #underWay = new Set<Pending>();
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
		this.#open("allreduce");
		const { inPlace, types, ops, world } = this.#handles;
		const type = types[reducibleType("allreduce", values, op)];
		this.#mpi.allreduce(inPlace, values, values.length, type, ops[op], world);
	}

	iallreduce(values: Reducible, op: ReduceOp = "sum"): Pending {
		this.#open("iallreduce");
		const { inPlace, types, ops, world } = this.#handles;
		const type = types[reducibleType("iallreduce", values, op)];
		const request = this.#handles.newRequest();
		this.#mpi.iallreduce(inPlace, values, values.length, type, ops[op], world, request);
		return this.#pending(request, values);
	}

	allgather<T extends Sendable>(values: T): NewArray<T> {
		this.#open("allgather");
		const { types, world } = this.#handles;
		const type = types[elementType("allgather", values)];
		const all = newArray("allgather", values, values.length * this.size);
		this.#mpi.allgather(values, values.length, type, all, values.length, type, world);
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
		this.#mpi.allgatherv(values, values.length, type, all, counts, starts, type, world);
		return Array.from(counts, (count, rank) => part(all, starts[rank], count));
	}

	broadcast(values: Sendable, root = 0): void {
		this.#open("broadcast");
		checkRoot(root, this.size);
		const { types, world } = this.#handles;
		this.#mpi.broadcast(values, values.length, types[elementType("broadcast", values)], root, world);
	}

	barrier(): void {
		this.#open("barrier");
		this.#mpi.barrier(this.#handles.world);
	}

	abort(code = 1): never {
		this.#mpi.abort(this.#handles.world, code);
		process.exit(code);
	}

	/** Ends the other ranks if they would wait for this one, which is about to exit with `code`. */
	leave(code: number): void {
		if (!this.#finalized && this.size > 1) this.abort(code);
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

	#pending(request: BigInt64Array | Int32Array, values: Reducible): Pending {
		const { statusIgnore } = this.#handles;
		const flag = new Int32Array(1);
		let done = false;
		const finish = () => {
			done = true;
			this.#underWay.delete(pending);
		};
		const pending = {
			values,
			test: () => {
				if (done) return true;
				this.#mpi.test(request, flag, statusIgnore);
				if (flag[0] !== 0) finish();
				return done;
			},
			wait: () => {
				if (done) return;
				this.#mpi.wait(request, statusIgnore);
				finish();
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
