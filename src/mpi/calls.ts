// MPI's C functions, declared once, each made to throw where C returns an error code.

import { EvenkeelError } from "../errors.ts";
import { messageOf } from "../node.ts";
import type { Handles } from "./handles.ts";
import type { NativeFunction, NativeLibrary } from "./library.ts";

const SUCCESS = 0;
/** Not less than MPI_MAX_ERROR_STRING, MPI_MAX_PROCESSOR_NAME and MPI_MAX_LIBRARY_VERSION_STRING of either family. */
const TEXT_BYTES = 8192;

/** The MPI functions, each throwing an EvenkeelError that names it if it fails. */
export type Calls = ReturnType<typeof declareCalls>;

/** Declares the functions used; `H` is a handle. */
export function declareCalls(library: NativeLibrary, handles: Handles) {
	const errorString = library.func("MPI_Error_string", "int", ["int", "void *", "void *"]);
	const declare = (name: string, ...args: ("H" | "int" | "void *")[]) => {
		const c = library.func(
			name,
			"int",
			args.map((type) => (type === "H" ? handles.type : type)),
		);
		return (...values: Parameters<NativeFunction>): void => {
			const code = c(...values);
			if (code === SUCCESS) return;
			const said = readText((text, length) => errorString(code, text, length));
			throw new EvenkeelError(`${name} failed with code ${code}: ${said || "the library does not say why"}`);
		};
	};
	return {
		abort: declare("MPI_Abort", "H", "int"),
		rank: declare("MPI_Comm_rank", "H", "void *"),
		setErrorHandler: declare("MPI_Comm_set_errhandler", "H", "H"),
		size: declare("MPI_Comm_size", "H", "void *"),
		finalize: declare("MPI_Finalize"),
		processorName: declare("MPI_Get_processor_name", "void *", "void *"),
		iallgather: declare("MPI_Iallgather", "void *", "int", "H", "void *", "int", "H", "H", "void *"),
		iallgatherv: declare(
			"MPI_Iallgatherv",
			...(["void *", "int", "H", "void *", "void *", "void *", "H", "H", "void *"] as const),
		),
		iallreduce: declare("MPI_Iallreduce", "void *", "void *", "int", "H", "H", "H", "void *"),
		ibarrier: declare("MPI_Ibarrier", "H", "void *"),
		ibroadcast: declare("MPI_Ibcast", "void *", "int", "H", "int", "H", "void *"),
		initThread: declare("MPI_Init_thread", "void *", "void *", "int", "void *"),
		initialized: declare("MPI_Initialized", "void *"),
		test: declare("MPI_Test", "void *", "void *", "void *"),
	};
}

/**
 * What MPI_Get_library_version says, which may be called before everything else. `file` names the library in errors.
 *
 * @throws EvenkeelError if there is no such function
 */
export function libraryVersion(library: NativeLibrary, file: string): string {
	let c: NativeFunction;
	try {
		c = library.func("MPI_Get_library_version", "int", ["void *", "void *"]);
	} catch (error) {
		throw new EvenkeelError(
			`evenkeel/mpi: ${file} is no MPI library (${messageOf(error)}); name one in EVENKEEL_MPI_LIBRARY, or leave it out`,
		);
	}
	return readText((text, length) => c(text, length));
}

/** What C writes as text and its length. */
export function readText(write: (text: Uint8Array, length: Int32Array) => void): string {
	const text = new Uint8Array(TEXT_BYTES);
	const length = new Int32Array(1);
	write(text, length);
	const bytes = text.subarray(0, length[0]);
	const end = bytes.indexOf(0);
	return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trim();
}

/** What C writes as one int. */
export function readInt(write: (value: Int32Array) => void): number {
	const value = new Int32Array(1);
	write(value);
	return value[0];
}
