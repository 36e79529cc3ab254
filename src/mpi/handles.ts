// The two families of MPI, which differ in their binary interface. Open MPI's handles are pointers: the
// addresses of objects in the library. MPICH's, and those of its descendants, which agreed on one binary
// interface (Intel MPI, Cray MPICH, MVAPICH2; https://www.mpich.org/abi/), are integers.
//
// Source of the numbers: the mpi.h of Open MPI 4.1 and MPICH 4.0.

import type { ElementType } from "../communicator/checks.ts";
import type { ReduceOp } from "../communicator/communicator.ts";
import { EvenkeelError } from "../errors.ts";
import type { NativeLibrary } from "./library.ts";

/** What C takes for a handle: an address, or a number. */
export type Handle = number | bigint;

export interface Handles {
	/** The C type of a handle. */
	readonly type: "void *" | "int";
	readonly world: Handle;
	readonly errorsReturn: Handle;
	/** MPI_IN_PLACE: "the values are where the result goes". */
	readonly inPlace: bigint;
	/** MPI_STATUS_IGNORE. */
	readonly statusIgnore: bigint | null;
	readonly types: Readonly<Record<ElementType, Handle>>;
	readonly ops: Readonly<Record<ReduceOp, Handle>>;
	/** Memory for one request. */
	newRequest(): BigInt64Array | Int32Array;
}

/** The handles of the library that says of itself `version` (MPI_Get_library_version). */
export function handlesOf(library: NativeLibrary, version: string): Handles {
	if (version.startsWith("Open MPI")) return openMpi(library);
	if (/MPICH|MVAPICH|Intel\(R\) MPI|CRAY MPI/i.test(version)) return mpich;
	throw new EvenkeelError(
		`evenkeel/mpi: the library says it is ${JSON.stringify(version.split("\n")[0])}; known are Open MPI, MPICH and those that ` +
			"share MPICH's binary interface. Name another library in EVENKEEL_MPI_LIBRARY",
	);
}

function openMpi(library: NativeLibrary): Handles {
	const at = (name: string) => library.symbol(`ompi_mpi_${name}`, "void");
	return {
		type: "void *",
		world: at("comm_world"),
		errorsReturn: at("errors_return"),
		inPlace: 1n,
		statusIgnore: null,
		types: { float32: at("float"), float64: at("double"), int32: at("int32_t"), uint8: at("uint8_t") },
		ops: { sum: at("op_sum"), min: at("op_min"), max: at("op_max") },
		newRequest: () => new BigInt64Array(1),
	};
}

const mpich: Handles = {
	type: "int",
	world: 0x44000000,
	errorsReturn: 0x54000001,
	// (void *) -1
	inPlace: 0xffff_ffff_ffff_ffffn,
	statusIgnore: 1n,
	types: { float32: 0x4c00040a, float64: 0x4c00080b, int32: 0x4c000439, uint8: 0x4c00013b },
	ops: { sum: 0x58000003, min: 0x58000002, max: 0x58000001 },
	newRequest: () => new Int32Array(1),
};
