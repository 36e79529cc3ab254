// MPI in this process: finding the library, initializing it once, and ending with it.

import type { Communicator } from "../communicator/communicator.ts";
import { check } from "../errors.ts";
import { declareCalls, libraryVersion, readInt } from "./calls.ts";
import { handlesOf } from "./handles.ts";
import { type Environment, loadLibrary } from "./library.ts";
import { MpiWorld } from "./world.ts";

export interface MpiOptions {
	/**
	 * The MPI library's file, a name or a path. Default: EVENKEEL_MPI_LIBRARY, or Open MPI's or MPICH's, that of the
	 * launcher first.
	 */
	library?: string;
}

/** Only the thread that initialized MPI calls it. */
const THREAD_FUNNELED = 1;

let world: Promise<MpiWorld> | null = null;

/**
 * The processes that mpirun, srun or another launcher of MPI started; this process alone if none did. MPI is
 * initialized by the first call; later ones return the same communicator. Call it, and everything on it, from one
 * thread.
 *
 * When the process ends with exit code 0 MPI is finalized; when it ends with another, by an uncaught error for
 * example, the other ranks are ended too, since they would wait for it without end.
 *
 *     const world = await mpiWorld();
 *     const sums = Float32Array.of(1, 2, 3);
 *     world.allreduce(sums); // on two ranks: 2, 4, 6
 *
 * Works with Open MPI (4 and 5) and with MPICH and those that share its binary interface (Intel MPI, Cray MPICH,
 * MVAPICH2).
 *
 * @throws EvenkeelError if koffi or an MPI library is missing, with what to install; if the launcher belongs to
 *   another MPI than the library; if MPI is already in use in this process
 */
export async function mpiWorld(options: MpiOptions = {}): Promise<Communicator> {
	return openWorld(options);
}

/** As {@link mpiWorld}. */
export async function openWorld(options: MpiOptions): Promise<MpiWorld> {
	const initializing = world ?? initialize(options.library, globalThis.process?.env ?? {});
	world = initializing;
	try {
		return await initializing;
	} catch (error) {
		world = null;
		throw error;
	}
}

async function initialize(file: string | undefined, env: Environment): Promise<MpiWorld> {
	const { library, name } = await loadLibrary(file, env);
	const version = libraryVersion(library, name);
	const handles = handlesOf(library, version);
	const mpi = declareCalls(library, handles);
	const inUse = readInt((value) => mpi.initialized(value)) !== 0;
	check(!inUse, "evenkeel/mpi: MPI was initialized before, on another thread or by other code; one thread uses it");
	mpi.initThread(null, null, THREAD_FUNNELED, new Int32Array(1));
	mpi.setErrorHandler(handles.world, handles.errorsReturn);
	const made = new MpiWorld(mpi, handles, shortVersion(version));
	checkLauncher(made, env);
	endWith(made);
	return made;
}

/** Ties the end of this process to that of the others. */
function endWith(made: MpiWorld): void {
	process.once("exit", (code) => (code === 0 ? made.finalize() : made.leave(code)));
	// Node prints an uncaught error after "exit", when this process has been ended.
	process.on("uncaughtExceptionMonitor", (error) => {
		if (made.size > 1) process.stderr.write(`rank ${made.rank} on ${made.host}: ${error.stack ?? error.message}\n`);
	});
}

/** `Open MPI v4.1.4`, `MPICH Version: 4.0.2`. */
function shortVersion(version: string): string {
	return version.split("\n")[0].split(", ")[0].replace(/\s+/g, " ");
}

/** A library of another make than the launcher's finds itself alone: N runs of the same thing instead of one. */
function checkLauncher(made: MpiWorld, env: Environment): void {
	const [name, size] =
		Object.entries({
			"Open MPI's mpirun": env.OMPI_COMM_WORLD_SIZE,
			"MPICH's mpirun": env.PMI_SIZE,
			srun: env.SLURM_STEP_NUM_TASKS,
		}).find(([, value]) => value !== undefined) ?? [];
	check(
		size === undefined || made.size > 1 || Number(size) <= 1,
		() =>
			`evenkeel/mpi: ${name} started ${size} processes, but ${made.library} finds only this one: it is another MPI than ` +
			"the launcher's. Use its own mpirun, name the launcher's library in EVENKEEL_MPI_LIBRARY, or for srun choose --mpi=pmix or pmi2",
	);
}
