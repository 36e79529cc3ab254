// Ranks: processes that train one network together, each on its share of the data. What the library asks of
// them is this interface; `evenkeel/mpi` implements it over MPI, `singleProcess()` for one process alone.

/** How `allreduce` combines the ranks' values. With NaN among them, min and max may give either. */
export type ReduceOp = "sum" | "min" | "max";

/** What can be reduced. Views of shared memory, as the wasm backend's tensors have them, are fine. */
export type Reducible = Float32Array | Float64Array | Int32Array;

/** What can be gathered and broadcast. */
export type Sendable = Reducible | Uint8Array;

/** A new array of the element type of T. */
export type NewArray<T extends Sendable> = T extends Float32Array
	? Float32Array<ArrayBuffer>
	: T extends Float64Array
		? Float64Array<ArrayBuffer>
		: T extends Int32Array
			? Int32Array<ArrayBuffer>
			: Uint8Array<ArrayBuffer>;

/** A collective under way. */
export interface Pending {
	/**
	 * True once it is done. MPI goes on only while it is called, so calling this now and then is what makes a
	 * collective advance beside other work.
	 */
	test(): boolean;
	/** Returns once it is done. */
	wait(): void;
}

/**
 * The processes of a run. Every method but `abort` is a collective: all ranks call it, in the same order, with the
 * same lengths and element types where nothing else is said. Calls block, and come from one thread.
 *
 * Every method throws an EvenkeelError that names the call if it fails, or if `finalize()` came before it.
 */
export interface Communicator {
	/** This process, from 0. */
	readonly rank: number;
	/** How many there are. */
	readonly size: number;
	/** The name of the machine this rank runs on. */
	readonly host: string;
	/** What carries the messages, with its version: `Open MPI v4.1.4`, or `one process`. */
	readonly library: string;
	/** Replaces `values` by the elementwise sum (default), minimum or maximum over all ranks. */
	allreduce(values: Reducible, op?: ReduceOp): void;
	/** As `allreduce`, returning at once. `values` is neither read nor written until the result says it is done. */
	iallreduce(values: Reducible, op?: ReduceOp): Pending;
	/** The values of all ranks, equally many each, one rank's behind the other's. */
	allgather<T extends Sendable>(values: T): NewArray<T>;
	/** The values of all ranks, each as many as it has, one array a rank. */
	allgatherv<T extends Sendable>(values: T): NewArray<T>[];
	/** Replaces `values` by those of rank `root`, 0 if left out. */
	broadcast(values: Sendable, root?: number): void;
	/** Returns once every rank has called it. */
	barrier(): void;
	/** Ends the processes of all ranks, this one first, with exit code `code`, 1 if left out. Any rank may call it alone. */
	abort(code?: number): never;
	/** The last call: leaves the others in order. Again: nothing. */
	finalize(): void;
}
