// The entry `evenkeel/mpi`: the processes of a run over MPI. Runs in Node, with koffi and an MPI library beside it;
// no other entry loads it.

export type {
	Communicator,
	NewArray,
	Pending,
	ReduceOp,
	Reducible,
	Sendable,
} from "../communicator/communicator.ts";
export { singleProcess } from "../communicator/single-process.ts";
export { type MpiOptions, mpiWorld } from "./init.ts";
export { mpiRun } from "./run.ts";
export { threadsPerRank } from "./threads.ts";
export { RankError } from "./watch/watch.ts";
