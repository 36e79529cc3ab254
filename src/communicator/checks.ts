// What every communicator looks at before it lets a call through: over MPI these are the mistakes that end in
// a crash, or in ranks that wait for one another without end.

import { check, EvenkeelError } from "../errors.ts";
import type { NewArray, ReduceOp, Reducible, Sendable } from "./communicator.ts";

/** The element types by the name that errors and MPI's tables use. */
export type ElementType = "float32" | "float64" | "int32" | "uint8";

/** The element type of `values`. @throws EvenkeelError for arrays of another kind */
export function elementType(call: string, values: Sendable): ElementType {
	if (values instanceof Float32Array) return "float32";
	if (values instanceof Float64Array) return "float64";
	if (values instanceof Int32Array) return "int32";
	if (values instanceof Uint8Array) return "uint8";
	throw new EvenkeelError(
		`${call}: expected a Float32Array, Float64Array, Int32Array or Uint8Array, got ${nameOf(values)}`,
	);
}

/** As {@link elementType}, for what is reduced. */
export function reducibleType(call: string, values: Reducible, op: ReduceOp): Exclude<ElementType, "uint8"> {
	check(
		op === "sum" || op === "min" || op === "max",
		() => `${call}: op is "sum", "min" or "max", got ${JSON.stringify(op)}`,
	);
	const type = elementType(call, values);
	check(type !== "uint8", () => `${call}: bytes are not reduced; use an Int32Array`);
	return type;
}

/** Zeros: a new array of the element type of `values`. */
export function newArray<T extends Sendable>(call: string, values: T, length: number): NewArray<T>;
export function newArray(call: string, values: Sendable, length: number): NewArray<Sendable> {
	return new arrays[elementType(call, values)](length);
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

/** What a call after `finalize()` is told. */
export function afterFinalize(call: string): string {
	return `${call}: called after finalize(), which is to be the last call`;
}

/** Checks the rank that a broadcast comes from. */
export function checkRoot(root: number, size: number): void {
	check(
		Number.isInteger(root) && root >= 0 && root < size,
		() => `broadcast: root ${root} is no rank; there are ${size}, from 0`,
	);
}

function nameOf(value: unknown): string {
	return typeof value === "object" && value !== null ? value.constructor.name : typeof value;
}
