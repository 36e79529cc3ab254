// Finding MPI: koffi, which calls C from JavaScript, and the shared library that it is to load. Neither is
// installed with evenkeel; where one is missing, the error says in one line what to install.

import { EvenkeelError } from "../errors.ts";
import { messageOf } from "../node.ts";

/** A C function. What it takes and returns is declared beside its use. */
export type NativeFunction = (...args: (NativeValue | null)[]) => number;

/** What goes to C: numbers, addresses as bigint, memory by reference. */
export type NativeValue = number | bigint | string | ArrayBufferView;

/** The part of koffi's library handle that is used here. */
export interface NativeLibrary {
	func(name: string, result: string, args: string[]): NativeFunction;
	/** The address of a symbol. */
	symbol(name: string, type: string): bigint;
}

interface Koffi {
	load(path: string, options: { global: boolean }): NativeLibrary;
}

/** The files of one kind of MPI, the most specific first. */
const files = {
	"Open MPI": ["libmpi.so.40", "libmpi.40.dylib"],
	MPICH: ["libmpich.so.12", "libmpi.so.12", "libmpich.12.dylib", "libmpi.12.dylib"],
	any: ["libmpi.so", "libmpi.dylib"],
};

/**
 * UCX, over which MPICH and others talk, patches malloc and takes signals for itself, unless these say otherwise. Its
 * memory hooks crash programs of several threads now and then (https://github.com/openucx/ucx/issues/3831), and V8
 * needs SIGSEGV: it is how WebAssembly finds out that an address is out of bounds.
 */
const ucx = { UCX_MEM_EVENTS: "n", UCX_ERROR_SIGNALS: "SIGILL,SIGBUS,SIGFPE" };

const toInstall =
	"install one (Debian: apt-get install openmpi-bin, or mpich), load the cluster's module (module load openmpi), or name its " +
	"file in EVENKEEL_MPI_LIBRARY";

/**
 * Loads the MPI library: `file`, or EVENKEEL_MPI_LIBRARY, or the one whose launcher started this process, or
 * whichever is found.
 *
 * @throws EvenkeelError if koffi is not installed, or no library is found
 */
export async function loadLibrary(
	file: string | undefined,
	env: Environment,
): Promise<{ library: NativeLibrary; name: string }> {
	const koffi = await loadKoffi();
	if (globalThis.process) for (const [name, value] of Object.entries(ucx)) process.env[name] ??= value;
	const named = file ?? (env.EVENKEEL_MPI_LIBRARY || undefined);
	if (named !== undefined) {
		return { library: loadNamed(koffi, named, file === undefined ? "EVENKEEL_MPI_LIBRARY" : "library"), name: named };
	}
	const tried = candidates(env);
	for (const name of tried) {
		try {
			return { library: koffi.load(name, { global: true }), name };
		} catch {
			// The next one may be there.
		}
	}
	throw new EvenkeelError(`evenkeel/mpi: no MPI library found (looked for ${tried.join(", ")}); ${toInstall}`);
}

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The libraries to try, in order: a launcher's own first, since with another every process is alone. */
export function candidates(env: Environment): string[] {
	const hydra = env.PMI_RANK !== undefined && env.OMPI_COMM_WORLD_RANK === undefined;
	const kinds = hydra ? [files.MPICH, files.any, files["Open MPI"]] : [files["Open MPI"], files.any, files.MPICH];
	const ending = globalThis.process?.platform === "darwin" ? ".dylib" : /\.so(\.\d+)?$/;
	return kinds.flat().filter((name) => (typeof ending === "string" ? name.endsWith(ending) : ending.test(name)));
}

async function loadKoffi(): Promise<Koffi> {
	try {
		return (await import("koffi")).default;
	} catch (error) {
		const missing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
		const why = missing ? "" : ` (${firstLine(messageOf(error))})`;
		throw new EvenkeelError(
			`evenkeel/mpi: the package koffi, which calls the MPI library, could not be loaded${why}; run: npm install koffi`,
		);
	}
}

function loadNamed(koffi: Koffi, file: string, from: string): NativeLibrary {
	try {
		return koffi.load(file, { global: true });
	} catch (error) {
		throw new EvenkeelError(
			`evenkeel/mpi: ${from} names ${file}, which could not be loaded (${firstLine(messageOf(error))}); ${toInstall}`,
		);
	}
}

function firstLine(text: string): string {
	return text.split("\n")[0];
}
